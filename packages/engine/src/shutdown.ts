/** Ctrl-C for applications that have no handling of their own. */
import type { Engine } from "./engine.js";
import { object, refuseUnknown, range } from "./option-checks.js";

export interface ShutdownOptions {
  /** Default: SIGINT and SIGTERM. */
  readonly signals?: readonly NodeJS.Signals[];
  /** How long live jobs may go on after the first signal. Default 0: they are cancelled at once. */
  readonly deadlineMs?: number;
}

export interface Shutdown {
  /** Resolves with the first signal when the engine has closed after it; then the application may end. */
  readonly closed: Promise<NodeJS.Signals>;
  /** Takes the listeners away again. */
  dispose(): void;
}

/**
 * The first signal cancels what runs and closes the engine; the process ends by itself, with the code that shells
 * expect, once nothing else holds it. A second signal is raised again without us, which ends the process at once.
 *
 * A signal that repeats within a quarter of a second counts once: a terminal and `npx` both pass a Ctrl-C on.
 */
export function shutdownOnSignals(engine: Engine, options: ShutdownOptions = {}): Shutdown {
  object("shutdownOnSignals: options", options);
  refuseUnknown("shutdownOnSignals", options, ["signals", "deadlineMs"]);
  const { signals = ["SIGINT", "SIGTERM"], deadlineMs = 0 } = options;
  range("shutdownOnSignals: deadlineMs", deadlineMs, 0, Infinity);
  let firstAt: number | undefined;
  let resolve: (signal: NodeJS.Signals) => void;
  const closed = new Promise<NodeJS.Signals>((settle) => {
    resolve = settle;
  });
  const dispose = (): void => {
    for (const signal of signals) process.off(signal, onSignal);
  };
  function onSignal(signal: NodeJS.Signals): void {
    if (firstAt !== undefined) {
      if (performance.now() - firstAt < ONE_PRESS_MS) return;
      dispose();
      process.kill(process.pid, signal);
      return;
    }
    firstAt = performance.now();
    process.exitCode = 128 + (SIGNAL_NUMBERS[signal] ?? 0);
    closings.add(dispose);
    void engine.close({ deadlineMs }).then(({ leftBehind }) => {
      resolve(signal);
      if (leftBehind.length > 0) toRaise ??= signal;
      ended.add(dispose);
      if (ended.size < closings.size || toRaise === undefined) return;
      // A thread that is still in native code would abort the process at its natural end; the signal does not. It must
      // not be taken for a second one by another engine, nor for an echo: all have ended, and none hears it.
      for (const makeDeaf of closings) makeDeaf();
      process.kill(process.pid, toRaise);
    });
  }
  for (const signal of signals) process.on(signal, onSignal);
  return { closed, dispose };
}

const ONE_PRESS_MS = 250;

/** The engines of this process that a signal closes, and those that have closed, by what makes them deaf to signals. */
const closings = new Set<() => void>();
const ended = new Set<() => void>();
/** What ends the process when all have, because one of them has left a thread in native code. */
let toRaise: NodeJS.Signals | undefined;

/** A shell's exit code for a process that a signal ended is 128 and this. */
const SIGNAL_NUMBERS: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 };
