/** Deadlines: what is due at a tick, and when the next one must come. There is one timer, for the nearest. */
import type { Cursors } from "./events.js";
import { refresh } from "./life.js";
import { type Batch, type Job, LOADING, NOT_BEGUN, type Slot, dueAt, heedMs, isStopped } from "./state.js";
import type { Turn } from "./turn.js";
import { onOverdue, onStuck, takeBack } from "./threads.js";

/** `cursors` holds the last claims in each slot. */
export function onTick(turn: Turn, cursors: readonly Cursors[]): void {
  const { state, now, out } = turn;
  for (;;) {
    const job = state.backingOff.first;
    if (job === undefined || dueAt(job) > now) break;
    refresh(turn, job);
  }
  const isHeedCheck = state.heedCheckAt <= now;
  // One look for all now and then, while anything runs: a timer for each batch would cost more than all else of it.
  if (isHeedCheck) state.heedCheckAt = Infinity;
  for (const slot of state.slots) {
    if (isHeedCheck && slot.running !== undefined) state.heedCheckAt = now + heedMs(state);
    if (slot.phase !== "ready") continue;
    const [running, behind] = cursors[slot.index] ?? [-1, -1];
    for (const [batch, cur] of [
      [slot.running, running],
      [slot.behind, behind],
    ] as const) {
      if (batch !== undefined) observe(turn, batch, cur);
    }
    if (stopDeadline(turn, slot) <= now && isStuck(slot)) onStuck(turn, slot);
    else if (isHeedCheck && isDeaf(turn, slot)) onStuck(turn, slot);
    else watchTimeLimits(turn, slot);
  }
  if (state.setAside > 0 && state.strayCheckAt <= now) {
    out.push({ type: "terminate-strays" });
    state.strayCheckAt = now + state.options.graceMs;
  }
  if (state.setAside === 0) state.strayCheckAt = Infinity;
}

/** Notes whether the thread has come further in this batch. */
function observe({ now }: Turn, batch: Batch, cur: number): void {
  if (cur === batch.seenCur && cur >= 0) return;
  batch.seenCur = cur;
  batch.seenAt = now;
  batch.isOverdue = false;
  if (cur !== NOT_BEGUN) batch.isUnheeded = false;
}

/** When to look whether the thread of this slot is stuck; Infinity for never. */
function stopDeadline({ state }: Turn, { running, behind }: Slot): number {
  let at = running?.stoppedAt ?? Infinity;
  if (behind?.stoppedAt !== undefined) {
    // One that loads its task holds the thread now, whatever runs ahead of it.
    at = Math.min(at, behind.seenCur === LOADING ? behind.stoppedAt : Math.max(behind.stoppedAt, behind.seenAt));
  }
  return at + state.options.graceMs;
}

/** Whether it is: a batch was stopped, and cannot wait for anything else. That behind can, unless it has begun. */
function isStuck({ running, behind }: Slot): boolean {
  return running?.stoppedAt !== undefined || (behind?.stoppedAt !== undefined && behind.seenCur !== NOT_BEGUN);
}

/**
 * Whether the thread does not even look at what it was given: it computes something that nobody waits for, such as the rest
 * of a handler that was left behind. Two looks must agree, since a process that stood still is late for everything.
 */
function isDeaf(turn: Turn, slot: Slot): boolean {
  const { state, now } = turn;
  const { running, behind } = slot;
  if (running === undefined || isStopped(running) || running.seenCur !== NOT_BEGUN) return false;
  // A message that it could not read is not in its way.
  if (behind !== undefined && behind.seenCur !== NOT_BEGUN) return false;
  if (running.isUnheeded) return true;
  if ((running.runningSince ?? now) + heedMs(state) > now) return false;
  running.isUnheeded = true;
  // Others need not wait for the second look.
  takeBack(turn, slot);
  return false;
}

/** A thread that is in the same item for longer than its limit is computing, or it would have told the time itself. */
function watchTimeLimits(turn: Turn, slot: Slot): void {
  const { running, behind } = slot;
  for (const batch of [running, behind]) {
    if (!isTimed(batch) || overdueAt(turn, batch) > turn.now) continue;
    if (batch.isOverdue) {
      onOverdue(turn, slot);
      return;
    }
    batch.isOverdue = true;
    // Its neighbours need not wait to see whether it comes back.
    takeBack(turn, slot);
  }
}

function isTimed(batch: Batch | undefined): batch is Batch {
  // One that was taken back whole has no item that could overrun its time.
  return batch !== undefined && batch.count > 0 && batch.job.rules.timeoutMs > 0 && batch.stoppedAt === undefined;
}

/** When the item that the thread is in exceeds its limit; once it has, when the grace after it is over. */
function overdueAt({ state }: Turn, { job, seenAt, isOverdue }: Batch): number {
  return seenAt + job.rules.timeoutMs + (isOverdue ? state.options.graceMs : 0);
}

/** Sets the timer to the nearest deadline, if that has changed. */
export function arm(turn: Turn): void {
  const { state, out } = turn;
  let at = Math.min(nearestRetry(state.backingOff.first), state.strayCheckAt, state.heedCheckAt, state.rebalanceAt);
  for (const slot of state.slots) {
    if (slot.phase !== "ready") continue;
    at = Math.min(at, stopDeadline(turn, slot));
    for (const batch of [slot.running, slot.behind]) if (isTimed(batch)) at = Math.min(at, overdueAt(turn, batch));
  }
  if (at === state.armedFor) return;
  state.armedFor = at;
  out.push({ type: "arm", at: at === Infinity ? undefined : at });
}

function nearestRetry(job: Job | undefined): number {
  return job === undefined ? Infinity : dueAt(job);
}
