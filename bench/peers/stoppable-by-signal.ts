import type { StoppableCall } from "./pool.js";

/** A call of a pool that takes an AbortSignal. */
export function stoppableBySignal(run: (signal: AbortSignal) => Promise<unknown>): StoppableCall {
  const controller = new AbortController();
  const ended = run(controller.signal).catch(() => undefined);
  return { ended, stop: () => controller.abort() };
}
