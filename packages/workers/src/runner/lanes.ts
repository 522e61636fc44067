/** Handler calls that wait for something: how many there are, and what ends them. */
import type { BatchRun } from "./batch-run.js";
import { natureOf } from "./recipe.js";
import { type CallContext, promiseOf } from "./task-context.js";

/** What becomes of a call. Exactly one of these is called, unless the call is abandoned after a stop. */
export interface CallEnd {
  fulfilled(value: unknown): void;
  rejected(error: unknown): void;
  expired(): void;
}

export class Lanes {
  #inFlight = 0;
  readonly #onFree: () => void;

  /** `onFree` is called when a lane has become free, at rest. */
  constructor(onFree: () => void) {
    this.#onFree = onFree;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Holds a lane until the call's end, its time limit or a stop lets it go, whichever comes first. */
  hold(run: BatchRun, ctx: CallContext, result: unknown, end: CallEnd): void {
    // A real promise may have a `then` of its own.
    const then = Promise.prototype.then.bind(promiseOf(result));
    this.#inFlight++;
    run.open++;
    let timer: NodeJS.Timeout | undefined;
    /** Frees the lane, once; true for the first caller. */
    const free = (): boolean => {
      if (ctx.isOver) return false;
      ctx.end();
      clearTimeout(timer);
      run.abandoners.delete(abandon);
      this.#inFlight--;
      run.open--;
      return true;
    };
    const abandon = (): void => {
      if (!free()) return;
      // Nobody waits for the handler any more, but it may still be in native code.
      const nature = natureOf(run.recipe.definition);
      run.row.enter(nature);
      const leave = (): void => run.row.leave(nature);
      void then(leave, leave);
    };
    run.abandoners.add(abandon);
    if (run.timeoutMs > 0) {
      timer = setTimeout(() => {
        ctx.expire();
        end.expired();
        abandon();
        this.#onFree();
      }, run.timeoutMs);
    }
    const settle = (report: () => void): void => {
      if (!free()) return;
      report();
      this.#onFree();
    };
    void then(
      (value: unknown) => settle(() => end.fulfilled(value)),
      (error: unknown) => settle(() => end.rejected(error)),
    );
  }
}
