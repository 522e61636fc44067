/** Times cancels, the same way for all contestants. */
import { quantile } from "../harness/statistics.js";
import { untilAtWork } from "./heartbeats.js";

export interface Canceller {
  /** Starts work on every thread. `ended` settles, and never rejects, when it is over. */
  start(): { stop(): void; ended: Promise<unknown> };
  /** The next job: resolves when every thread has answered. */
  answerOnEveryThread(): Promise<void>;
}

export interface CancelTimes {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** From the abort until the next job has answered on every thread. */
export async function timeCancels(
  cancels: number,
  threads: number,
  beats: SharedArrayBuffer,
  canceller: Canceller,
): Promise<CancelTimes> {
  const times: number[] = [];
  for (let cancel = 0; cancel < cancels; cancel++) {
    const work = canceller.start();
    await untilAtWork(beats, threads);
    const startedAt = performance.now();
    work.stop();
    await canceller.answerOnEveryThread();
    times.push(performance.now() - startedAt);
    await work.ended;
  }
  return { p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99), maxMs: quantile(times, 1) };
}
