/**
 * Who gets which slot: work for idle slots first, then one batch behind each running one, always for the job that
 * has had the least time by its weight.
 */
import { balance, hasten, welcome } from "./balance.js";
import { refresh } from "./life.js";
import { charge } from "./share.js";
import { expectedMs } from "./size.js";
import { type Batch, type Job, NOT_BEGUN, type Slot, heedMs, isStopped } from "./state.js";
import type { Turn } from "./turn.js";
import { pullIfRoom } from "./supply.js";
import { type Work, isNextAlone, takeWork } from "./work.js";

/** Gives out all work that there is a place for. */
export function fill(turn: Turn): void {
  const { state } = turn;
  for (const slot of state.slots) {
    if (canTake(slot) && slot.running === undefined) assignNext(turn, slot);
  }
  for (const slot of state.slots) {
    const { running, behind, reservedFor } = slot;
    if (running === undefined || running.isAlone || behind !== undefined || reservedFor !== undefined) continue;
    if (canTake(slot)) assignNext(turn, slot);
  }
  const lookAt = state.rebalanceAt;
  state.rebalanceAt = Infinity;
  hasten(turn);
  if (state.runnable.size === 0) balance(turn);
  else welcome(turn);
  // A look that is planned already comes soon enough; setting the timer anew at each step would only cost.
  if (lookAt > turn.now && state.rebalanceAt < Infinity) state.rebalanceAt = Math.min(lookAt, state.rebalanceAt);
}

/** A slot whose thread has yet to let go of something, has overrun a time limit or looks at nothing gets nothing new. */
function canTake({ phase, running, behind }: Slot): boolean {
  return phase === "ready" && !mayBeStuck(running) && !mayBeStuck(behind);
}

function mayBeStuck(batch: Batch | undefined): boolean {
  return isStopped(batch) || batch?.isOverdue === true || batch?.isUnheeded === true;
}

function assignNext(turn: Turn, slot: Slot): void {
  const { state, now } = turn;
  for (const warmUp of state.warmUps) {
    if (warmUp.phase === "live" && warmUp.toWarm?.delete(slot)) {
      assign(turn, slot, warmUp, { indices: 0, count: 0, isAlone: false });
      return;
    }
  }
  const { reservedFor } = slot;
  slot.reservedFor = undefined;
  if (reservedFor !== undefined && state.runnable.has(reservedFor)) {
    assign(turn, slot, reservedFor, takeWork(state, reservedFor, now));
    return;
  }
  const passedOver: Job[] = [];
  let job = state.runnable.first;
  // What must be alone cannot go behind another batch: this slot is kept for it, or, if another one is, the next job
  // may go here.
  while (job !== undefined && slot.running !== undefined && isNextAlone(job)) {
    if (!state.slots.some((one) => one.reservedFor === job)) {
      slot.reservedFor = job;
      job = undefined;
      break;
    }
    state.runnable.remove(job);
    passedOver.push(job);
    job = state.runnable.first;
  }
  // Back in line, where they were, before the assignment: if that begins to load their task, they have to wait.
  for (const one of passedOver) state.runnable.put(one);
  if (job !== undefined) assign(turn, slot, job, takeWork(state, job, now));
}

function assign(turn: Turn, slot: Slot, job: Job, work: Work): void {
  const { state, now, out } = turn;
  const isProbe = job.recipe.phase === "unknown";
  // Batches of a slot use the words of their number's parity; the other one may have been answered first.
  const { running } = slot;
  const isTaken = running !== undefined && ((running.number ^ slot.nextBatch) & 1) === 0;
  const number = (slot.nextBatch + (isTaken ? 1 : 0)) | 0;
  const batch: Batch = {
    number,
    job,
    slot,
    indices: work.indices,
    count: work.count,
    isAlone: work.isAlone,
    isNewcomer: !job.hasStarted && job.toWarm === undefined,
    isProbe,
    chargedMs: expectedMs(job.recipe, work.count),
    runningSince: running === undefined ? now : undefined,
    isClaimed: false,
    stoppedAt: undefined,
    seenCur: NOT_BEGUN,
    seenAt: now,
    isOverdue: false,
    isUnheeded: false,
  };
  slot.nextBatch = (number + 1) | 0;
  if (running === undefined) slot.running = batch;
  else slot.behind = batch;
  job.batches.add(batch);
  if (state.heedCheckAt === Infinity) state.heedCheckAt = now + heedMs(state);
  if (!job.hasStarted) {
    job.hasStarted = true;
    state.newcomers.delete(job);
    out.push({ type: "started", job: job.key });
  }
  // This finds its new place in line as well, before anybody else is moved past it.
  charge(turn, job, batch.chargedMs);
  out.push({ type: "assign", batch });
  if (isProbe) {
    job.recipe.phase = "probing";
    for (const other of job.recipe.jobs) refresh(turn, other);
  } else {
    refresh(turn, job);
  }
  pullIfRoom(turn, job);
}
