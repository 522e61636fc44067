/** How programs measure: warm up, repeat, take the median. */
import { median } from "./statistics.js";

/** Runs `work` some times without looking, then `repeats` times with a clock, and answers the median in milliseconds. */
export async function medianMs(warmUps: number, repeats: number, work: () => unknown): Promise<number> {
  for (let i = 0; i < warmUps; i++) await work();
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) times.push(await elapsedMs(work));
  return median(times);
}

export async function elapsedMs(work: () => unknown): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
