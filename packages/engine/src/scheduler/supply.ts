/** Back-pressure: when a job's source is asked for more. */
import { batchSize } from "./size.js";
import { type Job, lanesOf } from "./state.js";
import type { Turn } from "./turn.js";
import { stock } from "./work.js";

const MAX_WINDOW = 65_536;

/** Items that may be between the job's source and its reader: waiting, in threads, backing off, or not yet read. */
function windowOf({ state }: Turn, job: Job): number {
  if (job.rules.maxInFlight > 0) return job.rules.maxInFlight;
  const size = Math.max(batchSize(state, job), lanesOf(job));
  return Math.min(2 * state.options.threads * size, MAX_WINDOW);
}

/** Asks the source for more if there is room. In gulps: asking for each item that has left costs more than it saves. */
export function pullIfRoom(turn: Turn, job: Job): void {
  if (job.phase !== "live" || job.sourceEnded || job.isPulling) return;
  const window = windowOf(turn, job);
  const room = window - (job.supplied - job.completed - job.failed + job.unread);
  if (room <= 0 || (stock(job) > 0 && room * 4 < window)) return;
  job.isPulling = true;
  turn.out.push({ type: "pull", job: job.key, max: room });
}
