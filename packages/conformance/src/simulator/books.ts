/**
 * What the shell checks as it performs effects: the promises of design section 11, item by item. Each function takes
 * one act of the scheduler or of a thread into the job's books, and refuses what no scheduler may do.
 */
import type { Batch, Effect } from "@threadmill/engine/internal/scheduler";
import { AWAITING, ENDED, FOUND, HOME, type JobView } from "./job-view.js";
import type { SchedulerUnderTest } from "./scheduler-under-test.js";
import type { Sent } from "./sent.js";
import type { SimulatedThread } from "./simulated-thread.js";
import { type BatchInThread, Position } from "./thread-world.js";
import { broken } from "./violation.js";

/** Rounding errors of sums of times. */
const EPSILON_MS = 1e-6;

export type EffectOf<Type extends Effect["type"]> = Extract<Effect, { type: Type }>;

/** What the shell knows of an answer while its event is handled. */
export interface Answer {
  readonly sent: Sent;
  readonly claimed: number;
  readonly faults: readonly { readonly position: number; readonly code: string; readonly isFinal: boolean }[];
  /** The handler was not called: the items could not be sent. */
  readonly isUnsent: boolean;
}

/** The job that an effect is about, which must not have ended (S3, S7). */
export function liveJob(jobs: ReadonlyMap<number, JobView>, key: number, effect: string): JobView {
  const job = jobs.get(key);
  if (job === undefined) return broken("S3", `${effect} for job ${key}, which never was`);
  if (job.settledAt !== undefined) return broken("S3", `${effect} for job ${key}, which has settled`);
  return job;
}

export function noteAssigned(job: JobView, sent: Sent, now: number, { indexAt }: SchedulerUnderTest): void {
  const { batch, serial, count } = sent;
  const { places } = job;
  if (job.isPaused && count > 0) broken("S9", `job ${job.key} is paused and gets a batch`);
  let before = -1;
  for (let position = 0; position < count; position++) {
    const index = indexAt(batch, position);
    if (index <= before) broken("S8", `a batch of job ${job.key} has item ${index} after item ${before}`);
    before = index;
    const place = places[index];
    if (place === HOME) places[index] = serial;
    else if (place === undefined) broken("S2", `item ${index} of job ${job.key} does not exist`);
    else if (place === ENDED) broken("S1", `item ${index} of job ${job.key} goes again after it has ended`);
    else if (place === FOUND) broken("S1", `item ${index} of job ${job.key} was found and goes to a thread`);
    else if (place === AWAITING) broken("S1", `item ${index} of job ${job.key} waits for another and goes to a thread`);
    else broken("S8", `item ${index} of job ${job.key} is in two batches`);
    if (job.dueAt.size > 0) {
      const dueAt = job.dueAt.get(index);
      if (dueAt !== undefined) {
        if (dueAt > now + EPSILON_MS) broken("S9", `item ${index} of job ${job.key} goes before its backoff is over`);
        job.dueAt.delete(index);
      }
    }
    if (batch.isAlone !== (job.suspects.size > 0 && job.suspects.has(index))) {
      if (batch.isAlone) broken("S9", `item ${index} of job ${job.key} goes alone and has harmed nobody`);
      broken("S8", `item ${index} of job ${job.key} must be alone and goes with others`);
    }
    if (job.halves.size > 0) {
      const most = job.halves.get(index) ?? Infinity;
      if (count > most) broken("S9", `item ${index} of job ${job.key} goes with ${count - 1} others, not in a half`);
      job.halves.delete(index);
    }
    if (batch.isAlone && (job.lossesAlone.get(index) ?? 0) >= 2) {
      broken("S9", `item ${index} of job ${job.key} has killed two threads alone and goes again`);
    }
  }
  job.outCount += count;
  job.batchCount++;
}

/** A thread begins an item: it must own it, alone, and know which run this is (S2, S8, S9). */
export function noteBegun(
  run: BatchInThread,
  thread: SimulatedThread,
  position: number,
  index: number,
  now: number,
): void {
  const { sent } = run;
  const { job } = sent;
  if (thread.isStray) broken("S8", `a thread that was set aside begins item ${index} of job ${job.key}`);
  if (job.places[index] !== sent.serial) {
    broken("S8", `item ${index} of job ${job.key} runs in slot ${thread.slot} after it was taken back`);
  }
  if (job.settledAt !== undefined) broken("S7", `item ${index} begins after its job ${job.key} has settled`);
  const other = job.runners[index];
  if (other !== undefined && other.isAlive && !other.isStray) {
    broken("S8", `item ${index} of job ${job.key} runs in two threads`);
  }
  job.runners[index] = thread;
  sent.begunAt = now;
  const attempt = sent.attempts?.[position] ?? 1;
  if (attempt !== (job.attempts.get(index) ?? 1) || attempt > job.rules.retry.attempts) {
    broken("S9", `item ${index} of job ${job.key} runs as attempt ${attempt}`);
  }
}

export function noteRetry(
  job: JobView,
  { index, attempt, delayMs }: EffectOf<"retry">,
  answer: Answer | undefined,
  now: number,
  { indexAt }: SchedulerUnderTest,
): void {
  const fault = answer?.faults.find(({ position }) => indexAt(answer.sent.batch, position) === index);
  if (fault?.isFinal === true) broken("S9", `item ${index} of job ${job.key} is retried after a final failure`);
  const before = job.attempts.get(index) ?? 1;
  const { attempts, backoffMs, maxBackoffMs, jitter } = job.rules.retry;
  if (attempt !== before + 1 || attempt > attempts) {
    broken("S9", `item ${index} of job ${job.key} is retried as attempt ${attempt} after ${before} of ${attempts}`);
  }
  const most = Math.min(backoffMs * 2 ** (before - 1), maxBackoffMs);
  if (!(delayMs <= most && delayMs >= most * (1 - jitter) - EPSILON_MS)) {
    broken("S9", `item ${index} of job ${job.key} backs off for ${delayMs} ms instead of ${most}`);
  }
  if (job.places[index] !== HOME) broken("S9", `item ${index} of job ${job.key} is retried while it is elsewhere`);
  if (answer === undefined && job.overdueIndex !== index) {
    broken("S9", `item ${index} of job ${job.key} is retried and has not failed`);
  }
  job.overdueIndex = undefined;
  job.suspects.delete(index);
  job.attempts.set(index, attempt);
  job.dueAt.set(index, now + delayMs);
  job.retried.push({ index, attempt, delayMs });
}

/** Takes an answer in: each position once, run to its end in a thread that lived (S1, S2). */
export function noteCommit(
  job: JobView,
  { batch, claimed, retried }: EffectOf<"commit">,
  answer: Answer | undefined,
  { indexAt }: SchedulerUnderTest,
): void {
  if (answer === undefined || answer.sent.batch !== batch) {
    return broken("S2", `a commit for job ${job.key} that no live answer has brought`);
  }
  if (claimed > answer.claimed) broken("S2", `job ${job.key} takes in more than was run: ${claimed}`);
  const { run, serial } = answer.sent;
  const deliveredBefore = job.delivered.length;
  for (let position = 0; position < claimed; position++) {
    const index = indexAt(batch, position);
    const fault = answer.faults.length === 0 ? undefined : answer.faults.find((one) => one.position === position);
    if (retried?.has(position) === true) {
      if (fault === undefined) broken("L6", `item ${index} of job ${job.key} has a value and goes again`);
      continue;
    }
    if (fault === undefined && run?.positions[position] !== Position.DONE) {
      broken("S2", `item ${index} of job ${job.key} is delivered and was not run to its end`);
    }
    if (fault?.code === "unrun") broken("S2", `item ${index} of job ${job.key} was left alone and is delivered`);
    if (fault !== undefined && !fault.isFinal && (job.attempts.get(index) ?? 1) < job.rules.retry.attempts) {
      broken("S9", `item ${index} of job ${job.key} fails with attempts left`);
    }
    if (job.places[index] !== HOME && job.places[index] !== serial) {
      broken("S1", `item ${index} of job ${job.key} is delivered while it is elsewhere, or twice`);
    }
    deliver(job, index, fault?.code);
  }
  if (job.delivered.length === deliveredBefore) broken("S12", `job ${job.key} takes an answer in that brings nothing`);
}

export function noteFailedItem(job: JobView, { index, code, attempt }: EffectOf<"fail-item">): void {
  if (job.places[index] !== HOME) broken("S1", `item ${index} of job ${job.key} fails while it is elsewhere, or twice`);
  if (attempt !== (job.attempts.get(index) ?? 1)) broken("S9", `item ${index} fails as attempt ${attempt}`);
  const losses = job.losses.get(index) ?? 0;
  if (code === "THREAD_LOST" && losses < 2) {
    broken("S9", `item ${index} of job ${job.key} fails as THREAD_LOST after ${losses} threads`);
  }
  if (code === "TASK_TIMEOUT" && (job.overdueIndex !== index || attempt < job.rules.retry.attempts)) {
    broken("S9", `item ${index} of job ${job.key} fails as TASK_TIMEOUT without cause`);
  }
  job.overdueIndex = undefined;
  deliver(job, index, code);
}

/** Items with known values are delivered: all that have come, once, and none while the job is paused. */
export function noteFound(job: JobView, { count }: EffectOf<"deliver-found">): void {
  if (job.isPaused) broken("S12", `job ${job.key} is paused and delivers what was found`);
  if (count !== job.found.length || count === 0) {
    broken("S1", `job ${job.key} delivers ${count} items that were found, and ${job.found.length} wait for that`);
  }
  for (const index of job.found) deliver(job, index, undefined);
  job.found = [];
}

function deliver(job: JobView, index: number, code: string | undefined): void {
  job.places[index] = ENDED;
  job.delivered.push(index);
  if (code !== undefined) job.failed.set(index, code);
  if (job.spec.isThrottled === true) job.unread++;
}

/** A job ends: once, and as what happened to it says (S4, S5, L6). */
export function noteSettled(
  job: JobView,
  effect: EffectOf<"settle">,
  answer: Answer | undefined,
  now: number,
  { indexAt }: SchedulerUnderTest,
): void {
  const { key, delivered, failed, rules } = job;
  job.state = effect.outcome;
  job.settledAt = now;
  job.dueAt.clear();
  if (effect.outcome === "completed") {
    if (job.spec.isWarmUp === true && job.batchCount > 0) broken("L6", `job ${key} completes while threads load`);
    if (!job.sourceEnded) broken("L6", `job ${key} completes before its source has ended`);
    if (delivered.length !== job.supplied) {
      broken("L6", `job ${key} completes with ${delivered.length} of ${job.supplied} items`);
    }
    if (failed.size > 0 && rules.stopsAtFailure) broken("L6", `job ${key} completes with failed items`);
  } else if (effect.outcome === "failed") {
    job.fault = effect.fault;
    if (effect.fault.kind === "item" && (!rules.stopsAtFailure || !failed.has(effect.fault.index))) {
      broken("S4", `job ${key} fails for item ${effect.fault.index}, which has not failed it`);
    }
    if (effect.fault.kind === "item" && answer !== undefined) {
      const first = answer.faults.find(({ position }) => failed.has(indexAt(answer.sent.batch, position)));
      if (first !== undefined && indexAt(answer.sent.batch, first.position) !== effect.fault.index) {
        broken("S4", `job ${key} fails for item ${effect.fault.index}, which was not the first to fail`);
      }
    }
  }
}

export function isLast(batch: Batch): boolean {
  const { job } = batch;
  return job.sourceEnded && job.completed + job.failed + batch.count === job.supplied;
}
