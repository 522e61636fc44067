/**
 * Who has had how much. Jobs share the slots by weight, in slot time: each has a share, the time that it has had by its
 * weight, and whoever has the least is next. The share that everybody should have by now, the fair share, grows with
 * all the time that is used; it is where newcomers begin, so that they neither wait for what others had before
 * them nor keep others waiting for what they have missed.
 *
 * After start-time fair queueing (Goyal, Vin, Cheng 1996), with slots in place of a link.
 */
import type { Job } from "./state.js";
import type { Turn } from "./turn.js";

/** The job takes part from now on. */
export function enter({ state }: Turn, job: Job): void {
  state.sharers++;
  state.weights += job.rules.weight;
}

/** It has ended, or is paused. */
export function leave({ state }: Turn, job: Job): void {
  state.sharers--;
  // Fractions that are taken off again leave a remainder, and time must not be divided by that.
  state.weights = state.sharers === 0 ? 0 : state.weights - job.rules.weight;
}

/** Adds slot time to what the job has had, or takes it off: a batch is paid for in advance, at a guess. */
export function charge({ state }: Turn, job: Job, ms: number): void {
  job.share += ms / job.rules.weight;
  job.advanceMs += ms;
  if (state.runnable.has(job)) state.runnable.put(job);
}

/** The job has really had so much, for a batch for which it was charged at a guess. */
export function settleCharge(turn: Turn, job: Job, occupiedMs: number, chargedMs: number): void {
  const { state } = turn;
  charge(turn, job, occupiedMs - chargedMs);
  job.advanceMs -= occupiedMs;
  if (state.weights > 0) state.fairShare += occupiedMs / state.weights;
}

/**
 * Whoever is new, or had no thread for a while, does not get the time that it has not used: it begins at the fair share,
 * or at the least of those it has to do with, where all are beyond that.
 */
export function catchUp({ state, now }: Turn, job: Job): void {
  let least = shareHad(state.runnable.first);
  let underwayMs = 0;
  for (const { running, behind } of state.slots) {
    underwayMs += running === undefined ? 0 : now - (running.runningSince ?? now);
    for (const batch of [running, behind]) {
      if (batch === undefined || batch.job === job || batch.job.phase !== "live") continue;
      least = Math.min(least, shareHad(batch.job));
    }
  }
  const fairShare = state.fairShare + (state.weights > 0 ? underwayMs / state.weights : 0);
  job.share = Math.max(job.share, fairShare, least === Infinity ? 0 : least);
}

/**
 * Without what was charged in advance, part of which may be given back: for a job of little weight a batch is a long
 * time, by which newcomers would be apart from one another, whichever of them came before it was given back.
 */
function shareHad(job: Job | undefined): number {
  return job === undefined ? Infinity : job.share - job.advanceMs / job.rules.weight;
}
