/** Keeps a number of jobs live: each lane starts its next job when the one before has ended. */
import { elapsedMs } from "../harness/timing.js";

export const ITEMS_PER_JOB = 10;

/** Microseconds an item, of `jobs` jobs with `live` of them live at any time. */
export async function usPerItem(
  live: number,
  jobs: number,
  run: (job: number) => PromiseLike<unknown>,
): Promise<number> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < jobs) await run(next++);
  };
  const ms = await elapsedMs(() => Promise.all(Array.from({ length: live }, lane)));
  return (ms * 1_000) / (jobs * ITEMS_PER_JOB);
}

export function itemsOf(job: number): number[] {
  return Array.from({ length: ITEMS_PER_JOB }, (_, i) => job + i);
}
