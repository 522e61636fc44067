/** The signals that ask a program to end. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** What went with the cancel: which signal, and the exit code by which a shell knows it. */
export class Interruption extends Error {
  static {
    this.prototype.name = "Interruption";
  }
  readonly exitCode: number;
  readonly signal: (typeof SIGNALS)[number];
  constructor(signal: (typeof SIGNALS)[number]) {
    super(`interrupted by ${signal}`);
    this.signal = signal;
    this.exitCode = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal];
  }
}

export interface InterruptHandler {
  /** Aborts at the first signal, with an {@link Interruption}. */
  readonly signal: AbortSignal;
  dispose(): void;
  /**
   * Ends the process by the signal that has interrupted it, if one has: the shell sees the same as after an exit with
   * its code. For when everything is safe on disk and a thread is still in native code, which may take as long as it
   * likes: any orderly exit would tear that thread's environment down under it, and abort.
   */
  finish(): void;
}

/**
 * The first signal cancels; a second one, of any of the three, is raised again without us in its way, which ends the
 * process at once. Not `process.exit`: that would run exit handlers and wait for native code, and who asks twice does
 * not want to wait.
 */
export function handleInterrupts(onFirst: () => void): InterruptHandler {
  const controller = new AbortController();
  const listener = (name: (typeof SIGNALS)[number]): void => {
    if (controller.signal.aborted) {
      dispose();
      process.kill(process.pid, name);
      return;
    }
    controller.abort(new Interruption(name));
    onFirst();
  };
  const dispose = (): void => {
    for (const name of SIGNALS) process.off(name, listener);
  };
  for (const name of SIGNALS) process.on(name, listener);
  const finish = (): void => {
    dispose();
    if (controller.signal.reason instanceof Interruption) process.kill(process.pid, controller.signal.reason.signal);
  };
  return { signal: controller.signal, dispose, finish };
}
