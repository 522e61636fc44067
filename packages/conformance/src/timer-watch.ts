/**
 * Timers that are set while it watches. Node lists active timers without telling whose they are, and not those that do
 * not hold the process; so the functions that set and clear them are watched. The test runner has kept the originals.
 */

type Callback = (...args: unknown[]) => void;

export class TimerWatch {
  /** Those that have neither rung nor been cleared, with the place where they were set. */
  readonly #open = new Map<unknown, string>();
  readonly #originals = { setTimeout, setInterval, clearTimeout, clearInterval };

  begin(): void {
    const { setTimeout, setInterval, clearTimeout, clearInterval } = this.#originals;
    Object.assign(globalThis, {
      setTimeout: this.#watchSet(setTimeout, true),
      setInterval: this.#watchSet(setInterval, false),
      clearTimeout: this.#watchClear(clearTimeout),
      clearInterval: this.#watchClear(clearInterval),
    });
  }

  end(): void {
    Object.assign(globalThis, this.#originals);
  }

  get left(): string[] {
    return [...this.#open.values()];
  }

  // By proxies: what else hangs on these functions, such as their form for `promisify`, stays.

  #watchSet<Set extends typeof setTimeout | typeof setInterval>(set: Set, ringsOnce: boolean): Set {
    return new Proxy(set, {
      apply: (target, self, [callback, ...rest]: [Callback, ...unknown[]]) => {
        const ring = (...args: unknown[]): void => {
          if (ringsOnce) this.#open.delete(timer);
          callback(...args);
        };
        const timer: unknown = Reflect.apply(target as Callback, self, [ring, ...rest]);
        this.#open.set(timer, callerOf(new Error("set here")));
        return timer;
      },
    });
  }

  #watchClear<Clear extends typeof clearTimeout>(clear: Clear): Clear {
    return new Proxy(clear, {
      apply: (target, self, [timer]: [NodeJS.Timeout | undefined]) => {
        this.#open.delete(timer);
        Reflect.apply(target, self, [timer]);
      },
    });
  }
}

/** The first line of the stack with a place in it that is not in this file. */
function callerOf({ stack = "" }: Error): string {
  const lines = stack.split("\n").slice(1);
  const isCaller = (line: string): boolean => /:\d+:\d+/.test(line) && !/timer-watch\.[jt]s/.test(line);
  return (lines.find(isCaller) ?? "nowhere").trim();
}
