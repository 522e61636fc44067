/** Items whose values were found in their job's cache: they have ended without a batch. */
import { settleIfComplete } from "./life.js";
import type { IndexRange } from "./ranges.js";
import type { Job } from "./state.js";
import type { Turn } from "./turn.js";

/** Of the newest `count` items only these have to be run. */
export function sortOut(turn: Turn, job: Job, count: number, toRun: readonly IndexRange[]): void {
  job.isSparse = true;
  job.fresh = job.supplied;
  job.found += count;
  for (const range of toRun) {
    job.returned.add(range.start, range.count);
    job.found -= range.count;
  }
  deliverFound(turn, job);
}

/** Delivers what was found, unless the job is paused: then it waits for the end of the pause. */
export function deliverFound(turn: Turn, job: Job): void {
  const count = job.found;
  if (count === 0 || job.phase !== "live") return;
  job.found = 0;
  job.completed += count;
  if (job.isThrottled) job.unread += count;
  turn.out.push({ type: "deliver-found", job: job.key, count });
  settleIfComplete(turn, job);
}
