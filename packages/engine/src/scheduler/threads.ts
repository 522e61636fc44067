/** Threads that start, fail to start, die, hang. */
import { afterOutcomes, failItem, split } from "./answers.js";
import type { SchedulerEvent } from "./events.js";
import { detach, refresh, settle, settleIfComplete } from "./life.js";
import { retryLater } from "./retry.js";
import { type Batch, type Job, type Slot, indexAt, isStopped, lanesOf } from "./state.js";
import type { Turn } from "./turn.js";
import { giveBack } from "./work.js";

type EventOf<Type extends SchedulerEvent["type"]> = Extract<SchedulerEvent, { type: Type }>;

/** Starts that may fail in a row before a slot is given up. */
const MAX_FAILED_STARTS = 3;
/** Threads that may die before they have begun an item of a job, before the job is held to be the cause. */
const MAX_KILLS_BEFORE_ITEMS = 3;
/** How often an item may kill a thread with nobody else to blame. */
const MAX_KILLS = 2;

function slotOf({ state }: Turn, event: { readonly slot: number; readonly incarnation: number }): Slot | undefined {
  const slot = state.slots[event.slot];
  return slot?.incarnation === event.incarnation ? slot : undefined;
}

export function onThreadReady(turn: Turn, event: EventOf<"thread-ready">): void {
  const slot = slotOf(turn, event);
  if (slot === undefined) return;
  slot.phase = "ready";
  slot.failedStarts = 0;
}

export function onThreadFailed(turn: Turn, event: EventOf<"thread-failed">): void {
  const slot = slotOf(turn, event);
  if (slot === undefined) return;
  slot.failedStarts++;
  if (slot.failedStarts < MAX_FAILED_STARTS) {
    restart(turn, slot);
    return;
  }
  slot.phase = "broken";
  if (turn.state.slots.every((one) => one.phase === "broken")) {
    for (const job of [...turn.state.jobs.values()]) {
      settle(turn, job, { outcome: "failed", fault: { kind: "threads" } });
    }
  }
  for (const warmUp of turn.state.warmUps) {
    warmUp.toWarm?.delete(slot);
    settleIfComplete(turn, warmUp);
  }
}

/** A new life for a slot whose thread is gone. */
export function restart({ out }: Turn, slot: Slot): void {
  slot.incarnation++;
  slot.phase = "starting";
  out.push({ type: "restart", slot: slot.index, incarnation: slot.incarnation });
}

export function onThreadEnding(turn: Turn, event: EventOf<"thread-ending">): void {
  const slot = slotOf(turn, event);
  if (slot !== undefined) slot.phase = "ending";
}

export function onThreadLost(turn: Turn, event: EventOf<"thread-lost">): void {
  const slot = slotOf(turn, event);
  if (slot === undefined) return;
  const { running, behind } = slot;
  const lost: [Batch, number][] = [];
  if (running !== undefined) lost.push([running, event.cur[0]]);
  if (behind !== undefined) lost.push([behind, event.cur[1]]);
  restart(turn, slot);
  const suspects: Suspect[] = [];
  let hasSplit = false;
  for (const [batch, cur] of lost) {
    // Paused jobs are told that a thread has handed back; so the items go back first.
    if (batch.job.phase !== "settled") {
      // A range of a column may be so long that its elements cannot go alone one by one: halves of it find the culprit.
      if (batch.job.recipe.kind === "columns" && cur >= 0 && batch.count > 1) {
        split(batch);
        hasSplit = true;
      } else takeSuspects(batch, cur, suspects);
    }
    detach(turn, batch);
  }
  const [only] = suspects;
  if (only === undefined) {
    if (running !== undefined && !hasSplit) blameJob(turn, running);
  } else if (suspects.length === 1 && !hasSplit) blameItem(turn, only.job, only.index);
  else for (const { job, index } of suspects) job.suspects.push(index);
  for (const [{ job }] of lost) if (job.phase !== "settled") refresh(turn, job);
}

/** An item that may have been running when its thread was lost. */
interface Suspect {
  readonly job: Job;
  readonly index: number;
}

/** Splits what a lost batch held: items that may have been running are named, the others go back. */
function takeSuspects(batch: Batch, claimed: number, suspects: Suspect[]): void {
  // A thread says what it claims before it sees the limit: that may name an item that was taken back.
  const cur = Math.min(claimed, batch.count - 1);
  if (cur < 0) {
    giveBack(batch, 0, batch.count);
    return;
  }
  // One item at a time: it is the one that `cur` names. Otherwise any that was claimed may be unfinished.
  const isExact = batch.isAlone || (batch.job.recipe.kind === "item" && lanesOf(batch.job) === 1);
  const first = isExact ? cur : 0;
  giveBack(batch, 0, first);
  giveBack(batch, cur + 1, batch.count);
  for (let position = first; position <= cur; position++) {
    suspects.push({ job: batch.job, index: indexAt(batch, position) });
  }
}

function blameItem(turn: Turn, job: Job, index: number): void {
  const kills = (job.kills?.get(index) ?? 0) + 1;
  if (kills >= MAX_KILLS) {
    failItem(turn, job, index, "THREAD_LOST");
    return;
  }
  (job.kills ??= new Map()).set(index, kills);
  job.suspects.push(index);
}

/** The thread died while it loaded the job's task, or set it up. */
function blameJob(turn: Turn, { job, count }: Batch): void {
  // A batch that was taken back before it began has nothing to do with it.
  if (job.phase === "settled" || (count === 0 && job.toWarm === undefined)) return;
  job.killsBeforeItems++;
  if (job.killsBeforeItems >= MAX_KILLS_BEFORE_ITEMS) {
    settle(turn, job, { outcome: "failed", fault: { kind: "threads" } });
  }
}

/** Sets the slot's thread aside, which does not come back; false if too many are aside already. */
function setAside(turn: Turn, slot: Slot): boolean {
  const { state, now, out } = turn;
  if (state.setAside >= state.options.threads) {
    slot.phase = "stuck";
    out.push({ type: "capacity-lost", slot: slot.index });
    takeBack(turn, slot);
    return false;
  }
  state.setAside++;
  state.strayCheckAt = now + state.options.graceMs;
  slot.incarnation++;
  slot.phase = "starting";
  out.push({ type: "replace", slot: slot.index, incarnation: slot.incarnation }, { type: "terminate-strays" });
  return true;
}

/** What a thread that may be stuck has not begun need not wait for it. */
export function takeBack({ out }: Turn, { running, behind }: Slot): void {
  for (const batch of [running, behind]) {
    if (batch !== undefined && !isStopped(batch)) out.push({ type: "revoke", batch, keep: 0, least: 0 });
  }
}

/** A thread that was set aside is gone: one that had to wait for that can be set aside now. */
export function onStrayEnded(turn: Turn): void {
  turn.state.setAside--;
  const waiting = turn.state.slots.find((slot) => slot.phase === "stuck" && !hasLookedUp(slot));
  if (waiting === undefined) return;
  const { running, behind } = waiting;
  const isOverdue = [running, behind].every((batch) => !isStopped(batch) && batch?.isUnheeded !== true);
  if (!isOverdue) onStuck(turn, waiting);
  else onOverdue(turn, waiting);
}

/** It was thought to look at nothing, and has begun what could then not be taken back any more. */
function hasLookedUp({ running }: Slot): boolean {
  return running?.isUnheeded === true && running.count > 0;
}

/** The thread has been told to stop, or looks at nothing, and its grace is over. */
export function onStuck(turn: Turn, slot: Slot): void {
  const batches = [slot.running, slot.behind].filter((batch) => batch !== undefined);
  if (!setAside(turn, slot)) return;
  for (const batch of batches) release(turn, batch);
}

/**
 * A handler call has overrun its time limit, and its thread did not come back in the grace after it. If it was the only
 * one in the thread, it has failed; else each that may have been goes alone, where it will show.
 */
export function onOverdue(turn: Turn, slot: Slot): void {
  const batches = [slot.running, slot.behind].filter((batch) => batch !== undefined);
  if (!setAside(turn, slot)) return;
  const suspects: Suspect[] = [];
  let hasSplit = false;
  for (const batch of batches) {
    const { job, seenCur, count } = batch;
    if (job.phase !== "settled") {
      if (job.recipe.kind !== "item" && count > 1 && seenCur >= 0) {
        split(batch);
        hasSplit = true;
      } else takeSuspects(batch, seenCur, suspects);
    }
    detach(turn, batch);
  }
  const [only] = suspects;
  if (suspects.length === 1 && only !== undefined && !hasSplit) {
    const { job, index } = only;
    if (!retryLater(turn, job, index, false, 0)) failItem(turn, job, index, "TASK_TIMEOUT");
  } else {
    for (const { job, index } of suspects) job.suspects.push(index);
  }
  for (const { job } of batches) if (job.phase !== "settled") afterOutcomes(turn, job, undefined);
}

/** What the thread that was set aside held goes to others; its own answer will not count. */
function release(turn: Turn, batch: Batch): void {
  const isLive = batch.job.phase !== "settled";
  if (isLive) giveBack(batch, 0, batch.count);
  detach(turn, batch);
  if (isLive) refresh(turn, batch.job);
}
