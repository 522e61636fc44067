/** Whether a failed item gets another attempt, and when. */
import type { Job, JobRules } from "./state.js";
import type { Turn } from "./turn.js";

/** Plans the item's next attempt; false if this failure is its last. */
export function retryLater(turn: Turn, job: Job, index: number, isFinal: boolean, luck: number): boolean {
  const attempt = job.attempts?.get(index) ?? 1;
  if (isFinal || attempt >= job.rules.retry.attempts) return false;
  const delayMs = backoffMs(job.rules.retry, attempt, luck);
  (job.attempts ??= new Map()).set(index, attempt + 1);
  job.retries.put({ index, dueAt: turn.now + delayMs });
  turn.out.push({ type: "retry", job: job.key, index, attempt: attempt + 1, delayMs });
  return true;
}

/** Doubling more often gives infinity, and infinitely often nothing is no number. */
const MOST_DOUBLINGS = 1_000;

/**
 * The wait after the given attempt: doubled each time up to the bound, then shortened by up to `jitter` of itself so
 * that items that failed together do not come back together.
 */
export function backoffMs(rules: JobRules["retry"], attempt: number, luck: number): number {
  const doubled = Math.min(rules.backoffMs * 2 ** Math.min(attempt - 1, MOST_DOUBLINGS), rules.maxBackoffMs);
  return doubled * (1 - rules.jitter * luck);
}
