/** The life of jobs and batches: how they end, and what must be tidied up when they do. */
import type { JobFault } from "./effects.js";
import { catchUp, leave, settleCharge } from "./share.js";
import { type Batch, type Job, dueAt } from "./state.js";
import type { Turn } from "./turn.js";
import { hasWork } from "./work.js";

export type Ending = { readonly outcome: "completed" } | { readonly outcome: "cancelled" } | FailedEnding;
interface FailedEnding {
  readonly outcome: "failed";
  readonly fault: JobFault;
}

/** Brings the job's place among the runnable and the backing-off ones up to date. */
export function refresh(turn: Turn, job: Job): void {
  const { state, now } = turn;
  if (hasWork(job, now)) {
    if (job.batches.size === 0 && !state.runnable.has(job)) catchUp(turn, job);
    state.runnable.put(job);
  } else {
    state.runnable.remove(job);
  }
  if (job.phase === "live" && dueAt(job) > now && dueAt(job) < Infinity) state.backingOff.put(job);
  else state.backingOff.remove(job);
}

/** The job ends, once: handles settle in this step, and its threads are told. */
export function settle(turn: Turn, job: Job, ending: Ending): void {
  if (job.phase === "settled") return;
  const { state, out } = turn;
  if (job.phase === "live") leave(turn, job);
  job.phase = "settled";
  state.jobs.delete(job.key);
  state.warmUps.delete(job);
  state.newcomers.delete(job);
  for (const slot of state.slots) if (slot.reservedFor === job) slot.reservedFor = undefined;
  job.recipe.jobs.delete(job);
  refresh(turn, job);
  out.push({ type: "settle", job: job.key, ...ending });
  for (const batch of job.batches) stop(turn, batch);
  if (job.batches.size === 0) out.push({ type: "stopped", job: job.key });
  else state.lingering++;
}

/** Completes the job if nothing of it is left. */
export function settleIfComplete(turn: Turn, job: Job): void {
  const isComplete =
    job.toWarm === undefined
      ? job.sourceEnded && job.completed + job.failed === job.supplied
      : job.toWarm.size === 0 && job.batches.size === 0;
  if (isComplete) settle(turn, job, { outcome: "completed" });
}

/** Nobody wants the batch's answer any more. */
function stop({ now, out }: Turn, batch: Batch): void {
  batch.stoppedAt = now;
  out.push({ type: "stop", batch });
}

/** The batch has left its slot: answered, or lost with its thread. */
export function detach(turn: Turn, batch: Batch): void {
  const { state, now, out } = turn;
  const { job, slot } = batch;
  // A thread that was stuck with nobody to take its place has come back.
  if (slot.phase === "stuck") slot.phase = "ready";
  if (slot.running === batch) {
    slot.running = slot.behind;
    slot.behind = undefined;
    if (slot.running !== undefined) {
      slot.running.runningSince = now;
      // It was stopped while it could not answer; its grace begins when it can.
      if (slot.running.stoppedAt !== undefined) slot.running.stoppedAt = now;
    }
  } else if (slot.behind === batch) {
    slot.behind = undefined;
  }
  job.batches.delete(batch);
  // The time in its slot is what the job pays for, not the guess that was charged in advance.
  const occupiedMs = batch.runningSince === undefined ? 0 : now - batch.runningSince;
  settleCharge(turn, job, occupiedMs, batch.chargedMs);
  if (batch.isProbe && job.recipe.phase === "probing") {
    // It came back without a description: somebody else must try.
    job.recipe.phase = "unknown";
    for (const other of job.recipe.jobs) refresh(turn, other);
  }
  if (job.batches.size > 0) return;
  if (job.phase === "settled") {
    state.lingering--;
    out.push({ type: "stopped", job: job.key });
  } else if (job.phase === "paused") {
    out.push({ type: "paused", job: job.key });
  }
}
