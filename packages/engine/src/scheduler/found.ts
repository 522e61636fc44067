/** Items whose values were found in their job's cache, or that another item has computed: they end without a batch. */
import type { Sorting } from "./events.js";
import { refresh, settleIfComplete } from "./life.js";
import type { Job } from "./state.js";
import { pullIfRoom } from "./supply.js";
import type { Turn } from "./turn.js";

/** Of the items that have come only some have to be run. */
export function sortOut(turn: Turn, job: Job, { found, toRun }: Sorting): void {
  job.isSparse = true;
  job.fresh = job.supplied;
  job.found += found;
  for (const { start, count } of toRun) job.returned.add(start, count);
  deliverFound(turn, job);
}

/** Items that came before wait for others no longer. */
export function sortOutAwaited(turn: Turn, job: Job, sorting: Sorting): void {
  sortOut(turn, job, sorting);
  refresh(turn, job);
  // What was delivered has made room.
  pullIfRoom(turn, job);
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
