/** What a thread's answer to a batch, or a revocation, means for its job. */
import type { SchedulerEvent } from "./events.js";
import { detach, refresh, settle, settleIfComplete } from "./life.js";
import { charge } from "./share.js";
import { retryLater } from "./retry.js";
import { expectedMs, measure } from "./size.js";
import { type Batch, type Job, type Slot, indexAt } from "./state.js";
import type { Turn } from "./turn.js";
import { pullIfRoom } from "./supply.js";
import { giveBack } from "./work.js";

type EventOf<Type extends SchedulerEvent["type"]> = Extract<SchedulerEvent, { type: Type }>;

/** The batch that a message is about; undefined if it comes from an earlier life of the slot, or twice. */
function batchOf(
  { state }: Turn,
  event: { readonly slot: number; readonly incarnation: number; readonly batch: number },
): Batch | undefined {
  const slot: Slot | undefined = state.slots[event.slot];
  if (slot === undefined || slot.incarnation !== event.incarnation) return undefined;
  if (slot.running?.number === event.batch) return slot.running;
  if (slot.behind?.number === event.batch) return slot.behind;
  return undefined;
}

export function onDone(turn: Turn, event: EventOf<"done">): void {
  const batch = batchOf(turn, event);
  if (batch === undefined) return;
  const { job } = batch;
  detach(turn, batch);
  if (job.phase === "settled") return;
  if (job.toWarm !== undefined) {
    settleIfComplete(turn, job);
    return;
  }
  const claimed = Math.min(event.claimed, batch.count);
  const faults = event.faults ?? [];
  if (claimed > 0) job.killsBeforeItems = 0;
  if (faults.length === 0) measure(job.recipe, claimed, event);
  let retried: Set<number> | undefined;
  let firstFailure: number | undefined;
  let failed = 0;
  for (const { position, code, isFinal } of faults) {
    // A thread that keeps to the protocol has none beyond what it may have claimed.
    if (position >= claimed) continue;
    const index = indexAt(batch, position);
    if (code === "unrun") giveBack(batch, position, position + 1);
    else if (!retryLater(turn, job, index, isFinal, event.luck)) {
      failed++;
      firstFailure ??= index;
      continue;
    }
    (retried ??= new Set()).add(position);
  }
  giveBack(batch, claimed, batch.count);
  const completed = claimed - failed - (retried?.size ?? 0);
  deliver(job, completed, failed);
  if (completed + failed > 0) {
    forgetAttempts(batch, claimed, retried);
    turn.out.push({ type: "commit", batch, claimed, retried });
  }
  afterOutcomes(turn, job, firstFailure);
}

/** The counts that follow from items having ended. */
function deliver(job: Job, completed: number, failed: number): void {
  job.completed += completed;
  job.failed += failed;
  if (job.isThrottled) job.unread += completed + failed;
}

function forgetAttempts(batch: Batch, claimed: number, retried: ReadonlySet<number> | undefined): void {
  const { attempts, kills } = batch.job;
  if (attempts === undefined && kills === undefined) return;
  for (let position = 0; position < claimed; position++) {
    if (retried?.has(position)) continue;
    const index = indexAt(batch, position);
    attempts?.delete(index);
    kills?.delete(index);
  }
}

/** Ends the job if that is due, else sees that it goes on. */
export function afterOutcomes(turn: Turn, job: Job, firstFailure: number | undefined): void {
  if (firstFailure !== undefined && job.rules.stopsAtFailure) {
    settle(turn, job, { outcome: "failed", fault: { kind: "item", index: firstFailure } });
    return;
  }
  settleIfComplete(turn, job);
  refresh(turn, job);
  pullIfRoom(turn, job);
}

/** An item failed for good, and no answer says so. */
export function failItem(turn: Turn, job: Job, index: number, code: "THREAD_LOST" | "TASK_TIMEOUT"): void {
  const attempt = job.attempts?.get(index) ?? 1;
  job.attempts?.delete(index);
  job.kills?.delete(index);
  deliver(job, 0, 1);
  turn.out.push({ type: "fail-item", job: job.key, index, attempt, code });
  afterOutcomes(turn, job, index);
}

/** A batch handler failed as a whole: halves of the batch go on until the bad items stand alone. */
export function onSpoilt(turn: Turn, event: EventOf<"spoilt">): void {
  const batch = batchOf(turn, event);
  if (batch === undefined) return;
  if (batch.count <= 1) {
    const fault = { position: 0, code: event.code, isFinal: event.isFinal };
    const { slot, incarnation, elapsedMs, luck } = event;
    const faults = batch.count === 1 ? [fault] : [];
    onDone(turn, {
      type: "done",
      slot,
      incarnation,
      batch: event.batch,
      claimed: batch.count,
      faults,
      elapsedMs,
      mainMs: 0,
      luck,
    });
    return;
  }
  detach(turn, batch);
  if (batch.job.phase === "settled") return;
  split(batch);
  refresh(turn, batch.job);
}

/** Puts the halves of a batch of several items back as pieces that are not joined with others again. */
export function split(batch: Batch): void {
  const { indices, count, job } = batch;
  const middle = count >> 1;
  for (const [from, to] of [
    [0, middle],
    [middle, count],
  ] as const) {
    job.pieces.push({
      indices: typeof indices === "number" ? indices + from : indices.slice(from, to),
      count: to - from,
    });
  }
}

export function onBroken(turn: Turn, event: EventOf<"broken">): void {
  const batch = batchOf(turn, event);
  if (batch === undefined) return;
  detach(turn, batch);
  settle(turn, batch.job, { outcome: "failed", fault: { kind: "broken" } });
}

export function onRevoked(turn: Turn, event: EventOf<"revoked">): void {
  const batch = batchOf(turn, event);
  if (batch === undefined || batch.stoppedAt !== undefined) return;
  if (event.from >= batch.count) {
    batch.isClaimed = true;
    return;
  }
  const taken = batch.count - event.from;
  giveBack(batch, event.from, batch.count);
  batch.count = event.from;
  // The job does not pay for what was taken from it.
  const refundMs = Math.min(expectedMs(batch.job.recipe, taken), batch.chargedMs);
  batch.chargedMs -= refundMs;
  charge(turn, batch.job, -refundMs);
  if (batch.isProbe && batch.count === 0 && batch.job.recipe.phase === "probing") {
    // It will bring no description: another slot may try at once.
    batch.isProbe = false;
    batch.job.recipe.phase = "unknown";
    for (const other of batch.job.recipe.jobs) refresh(turn, other);
  }
  refresh(turn, batch.job);
}
