/** When small jobs come: at moments that no rhythm of the large job fits. */
import { setTimeout as delay } from "node:timers/promises";
import { quantile } from "../harness/statistics.js";

export interface FirstResults {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const LEAST_PAUSE_MS = 2;
const STEPS = 17;

/** Times `first`, which runs a small job and resolves with its first result, again and again. */
export async function timeFirstResults(
  samples: number,
  first: (sample: number) => Promise<unknown>,
): Promise<FirstResults> {
  const times: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    await delay(LEAST_PAUSE_MS + ((sample * 7) % STEPS));
    const startedAt = performance.now();
    await first(sample);
    times.push(performance.now() - startedAt);
  }
  return { p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99), maxMs: quantile(times, 1) };
}

export const SMALL_JOB: readonly number[] = Array.from({ length: 10 }, (_, i) => i);
