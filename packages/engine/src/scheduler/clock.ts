/** Deadlines: what is due at a tick, and when the next one must come. There is one timer, for the nearest. */
import { refresh } from "./life.js";
import { type Batch, type Job, type Slot, type Turn, dueAt } from "./state.js";
import { onOverdue, onStuck } from "./threads.js";

/** `cursors` holds the last claim in each slot's running batch. */
export function onTick(turn: Turn, cursors: readonly number[]): void {
  const { state, now, out } = turn;
  for (;;) {
    const job = state.backingOff.first;
    if (job === undefined || dueAt(job) > now) break;
    refresh(turn, job);
  }
  for (const slot of state.slots) {
    if (slot.phase !== "ready") continue;
    if (stopDeadline(turn, slot) <= now) onStuck(turn, slot);
    else watchTimeLimit(turn, slot, cursors[slot.index] ?? -1);
  }
  if (state.setAside > 0 && state.strayCheckAt <= now) {
    out.push({ type: "terminate-strays" });
    state.strayCheckAt = now + state.options.graceMs;
  }
  if (state.setAside === 0) state.strayCheckAt = Infinity;
}

/** When the thread of this slot is held to be stuck. */
function stopDeadline({ state }: Turn, slot: Slot): number {
  const stoppedAt = slot.running?.stoppedAt;
  return stoppedAt === undefined ? Infinity : stoppedAt + state.options.graceMs;
}

/** A thread that is in the same item for longer than its limit is computing, or it would have told the time itself. */
function watchTimeLimit(turn: Turn, slot: Slot, cur: number): void {
  const { running, behind } = slot;
  if (running === undefined || running.job.rules.timeoutMs === 0 || running.stoppedAt !== undefined) return;
  if (cur !== running.seenCur || cur < 0) {
    running.seenCur = cur;
    running.seenAt = turn.now;
    running.isOverdue = false;
    return;
  }
  if (overdueAt(turn, running) > turn.now) return;
  if (running.isOverdue) {
    onOverdue(turn, slot);
    return;
  }
  running.isOverdue = true;
  // Its neighbours need not wait to see whether it comes back.
  for (const batch of [running, behind]) {
    if (batch !== undefined && batch.stoppedAt === undefined) {
      turn.out.push({ type: "revoke", batch, keep: 0, least: 0 });
    }
  }
}

/** When the item that the thread is in exceeds its limit; once it has, when the grace after it is over. */
function overdueAt({ state }: Turn, { job, seenAt, isOverdue }: Batch): number {
  return seenAt + job.rules.timeoutMs + (isOverdue ? state.options.graceMs : 0);
}

/** Sets the timer to the nearest deadline, if that has changed. */
export function arm(turn: Turn): void {
  const { state, out } = turn;
  let at = Math.min(nearestRetry(state.backingOff.first), state.strayCheckAt, state.rebalanceAt);
  for (const slot of state.slots) {
    if (slot.phase !== "ready") continue;
    at = Math.min(at, stopDeadline(turn, slot));
    const { running } = slot;
    if (running === undefined || running.job.rules.timeoutMs === 0 || running.stoppedAt !== undefined) continue;
    at = Math.min(at, overdueAt(turn, running));
  }
  if (at === state.armedFor) return;
  state.armedFor = at;
  out.push({ type: "arm", at: at === Infinity ? undefined : at });
}

function nearestRetry(job: Job | undefined): number {
  return job === undefined ? Infinity : dueAt(job);
}
