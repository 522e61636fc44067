/**
 * Taking work back from threads that have it, for threads and jobs that have none. Costs two atomic operations and
 * no word with the thread, so it is done on suspicion.
 */
import { expectedMs } from "./size.js";
import { type Batch, type Job, type Slot, isStopped } from "./state.js";
import type { Turn } from "./turn.js";

/** Less expected work than this is not worth moving. */
const MIN_GAIN_MS = 0.5;
/** How long an idle thread waits before it looks again whether another one turned out to be slow. */
const REBALANCE_MS = 1;

/** For a slot without work while others have some: takes over a batch that has not begun, or half of a tail. */
export function balance(turn: Turn): void {
  const { state, now, out } = turn;
  let idle = 0;
  for (const slot of state.slots) if (slot.phase === "ready" && slot.running === undefined) idle++;
  if (idle === 0) return;
  const taken = new Set<Batch>();
  let mayChange = false;
  for (; idle > 0; idle--) {
    let best: Batch | undefined;
    let bestMs = MIN_GAIN_MS;
    for (const slot of state.slots) {
      const batch = takeable(slot);
      if (batch === undefined || taken.has(batch)) continue;
      mayChange = true;
      const gainMs = remainingMs(slot, now);
      if (gainMs >= bestMs) {
        best = batch;
        bestMs = gainMs;
      }
    }
    if (best === undefined) break;
    taken.add(best);
    out.push({ type: "revoke", batch: best, keep: best.runningSince === undefined ? 0 : 0.5, least: 0 });
  }
  // Whether a batch is slow shows only later: fast items say nothing about the ones behind them.
  if (mayChange) state.rebalanceAt = now + REBALANCE_MS;
}

/** For newcomers that found no slot, oldest first, as far as there are slots that can give way. */
export function welcome(turn: Turn): void {
  const { state, now } = turn;
  const { slots, runnable, newcomers } = state;
  if (newcomers.size === 0) return;
  // Asked first: the oldest of many thousands lies behind the places of those before it, which are passed one by one.
  let isWorthwhile = false;
  for (const slot of slots) {
    if (!canGiveWay(slot)) continue;
    if (remainingMs(slot, now) >= MIN_GAIN_MS) isWorthwhile = true;
    // It should be done in a moment. If it is not, nothing but the next look will show it.
    else state.rebalanceAt = now + REBALANCE_MS;
  }
  if (!isWorthwhile) return;
  for (const job of newcomers) if (runnable.has(job) && !giveWay(turn, job)) return;
}

/**
 * For a newcomer that found no slot: the slot of the job that has had the most gives way after its current item, and
 * is kept for the newcomer. That bounds its wait by one item, however large the others' batches are. Jobs that have
 * been served before wait for the end of a batch, or two large ones would take turns item by item. True if a slot is
 * kept for it now.
 */
export function giveWay(turn: Turn, job: Job): boolean {
  const { state, now, out } = turn;
  let best: Slot | undefined;
  for (const slot of state.slots) {
    const { running, reservedFor } = slot;
    if (reservedFor === job) return true;
    if (running === undefined || !canGiveWay(slot) || remainingMs(slot, now) < MIN_GAIN_MS) continue;
    // A newcomer has had nothing, whatever the shares say: what is not measured yet was charged as nothing too.
    if (job.hasStarted && running.job.share <= job.share) continue;
    if (best === undefined || running.job.share > (best.running as Batch).job.share) best = slot;
  }
  if (best === undefined) return false;
  best.reservedFor = job;
  const { running, behind } = best;
  if (behind !== undefined && canRevoke(behind)) out.push({ type: "revoke", batch: behind, keep: 0, least: 0 });
  // It keeps one item even if it has not begun, so that giving way cannot go on for ever without anything being done.
  if (running !== undefined && canRevoke(running)) out.push({ type: "revoke", batch: running, keep: 0, least: 1 });
  return true;
}

/** Whether the slot has something that can be interrupted, and is not kept for anybody yet. */
function canGiveWay({ phase, running, behind, reservedFor }: Slot): boolean {
  if (phase !== "ready" || reservedFor !== undefined || running === undefined || isStopped(running)) return false;
  // A newcomer that waits there already keeps its place.
  return behind === undefined || behind.job.completed + behind.job.failed > 0;
}

/** For newcomers that found a place behind a batch of another job: that one gives way after its current item. */
export function hasten({ state, now, out }: Turn): void {
  for (const { running, behind } of state.slots) {
    if (running === undefined || behind === undefined || !behind.isNewcomer) continue;
    if (running.job === behind.job || !canRevoke(running)) continue;
    if (runningMs(running, now) < MIN_GAIN_MS) {
      // It should be done in a moment. If it is not, the next look will show it.
      state.rebalanceAt = now + REBALANCE_MS;
      continue;
    }
    behind.isNewcomer = false;
    out.push({ type: "revoke", batch: running, keep: 0, least: 1 });
  }
}

/** What an idle slot could take from this one. */
function takeable(slot: Slot): Batch | undefined {
  if (slot.behind !== undefined && canRevoke(slot.behind)) return slot.behind;
  if (slot.running !== undefined && canRevoke(slot.running)) return slot.running;
  return undefined;
}

function canRevoke(batch: Batch): boolean {
  if (isStopped(batch) || batch.isClaimed || batch.isAlone || batch.count === 0) return false;
  // A running batch keeps at least the item it is at, and a batch handler has begun all of them.
  return batch.runningSince === undefined || (batch.count > 1 && batch.job.recipe.kind !== "batch");
}

/** What the slot is expected to be busy for yet. */
function remainingMs({ running, behind }: Slot, now: number): number {
  const ms = running === undefined ? 0 : runningMs(running, now);
  return behind === undefined ? ms : ms + expectedMs(behind.job.recipe, behind.count);
}

/** The same for the running batch alone. One that has overrun its time is as slow as it has shown to be. */
function runningMs({ runningSince, count, job }: Batch, now: number): number {
  const elapsed = now - (runningSince ?? now);
  const expected = expectedMs(job.recipe, count);
  return elapsed > expected ? elapsed : expected - elapsed;
}
