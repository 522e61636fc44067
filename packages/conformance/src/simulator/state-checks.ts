/**
 * What must hold after each step, whatever happened: the scheduler's own state against itself and against the shell's
 * books. Small states are checked whole; what costs more is looked at now and then.
 */
import type { Batch, Job, SchedulerEvent, State } from "@threadmill/engine/internal/scheduler";
import type { JobView } from "./job-view.js";
import type { Shell } from "./shell.js";
import { Position } from "./thread-world.js";
import { blockingCall } from "./threads-by-slot.js";
import { broken } from "./violation.js";

const EPSILON_MS = 1e-6;
/** Every so many steps progress is looked at, as a caller does who asks for it. */
const PROGRESS_EVERY = 8;

export class StateChecks {
  readonly #shell: Shell;
  readonly #state: State;
  /** Batches of a job that was paused in this turn, and their last claims then. */
  readonly #pausedBatches: { readonly batch: Batch; readonly cur: number }[] = [];

  constructor(shell: Shell) {
    this.#shell = shell;
    this.#state = shell.state;
  }

  afterStep(event: SchedulerEvent, isTurnOver: boolean): void {
    this.#onEvent(event);
    for (const slot of this.#state.slots) this.#shell.slots.check(slot, isTurnOver);
    let live = 0;
    for (const job of this.#state.jobs.values()) {
      live++;
      this.#checkJob(job, isTurnOver);
    }
    this.#checkWhole(live, isTurnOver);
    if (isTurnOver && this.#pausedBatches.length > 0) {
      for (const { batch, cur } of this.#pausedBatches) {
        if (batch.count > Math.max(cur, -1) + 1)
          broken("S12", `a pause leaves slot ${batch.slot.index} what it has not begun`);
      }
      this.#pausedBatches.length = 0;
    }
    if (isTurnOver && this.#shell.pendingTicks === 0) this.#checkTimer(event);
    if (event.type === "tick" && isTurnOver) this.#shell.slots.checkHeld();
    if (this.#shell.steps % PROGRESS_EVERY === 0 && isTurnOver) this.#checkProgress();
  }

  #onEvent(event: SchedulerEvent): void {
    const shell = this.#shell;
    if (event.type === "recipe-forgotten" && this.#state.recipes.has(event.recipe)) {
      broken("L3", `recipe ${event.recipe} is kept though nobody refers to it`);
    }
    if (event.type === "pause-asked") this.#checkPaused(event.job);
    else if (event.type === "stop-asked" && shell.jobs.get(event.job)?.settledAt === undefined) {
      broken("S6", `job ${event.job} was cancelled and has not settled in that step`);
    }
  }

  /** A pause leaves threads no more than they have begun. */
  #checkPaused(key: number): void {
    const { threads, control } = this.#shell;
    for (const { index } of this.#state.slots) {
      const thread = threads.at(index);
      for (const { job, batch } of thread?.sent ?? []) {
        if (job.key !== key || job.isSettled || thread === undefined) continue;
        this.#pausedBatches.push({ batch, cur: control.cur(thread.rowNumber, batch.number) });
      }
    }
  }

  /** No item is lost or doubled, and a job that has something to assign is known to have it. */
  #checkJob(job: Job, isTurnOver: boolean): void {
    const { key, fresh, supplied, returned, suspects, retries, pieces } = job;
    let held = supplied - fresh + returned.size + suspects.length + retries.size + job.completed + job.failed;
    held += job.found + (this.#shell.jobs.get(key) as JobView).waitingCount;
    for (const piece of pieces) held += piece.count;
    let out = 0;
    for (const batch of job.batches) out += batch.count;
    held += out;
    if (held !== supplied) broken("L6", `job ${key} has ${supplied} items, and accounts for ${held}`);
    if (!(job.share >= -EPSILON_MS && job.share < Infinity)) broken("L5", `job ${key} has had ${job.share} ms`);
    const view = this.#shell.jobs.get(key) as JobView;
    if (view.settledAt !== undefined) broken("L3", `job ${key} has settled and is kept`);
    if (view.overdueIndex !== undefined) {
      broken("S9", `item ${view.overdueIndex} of job ${key} has overrun its time, and that costs no attempt`);
    }
    if (isTurnOver) this.#compare(job, view, out);
    const isRunnable = this.#state.runnable.has(job);
    this.#shell.shares.checkJob(job, view, isRunnable);
    const isWaiting = fresh < supplied || returned.size > 0 || suspects.length > 0 || pieces.length > 0;
    const canGo = job.phase === "live" && job.recipe.phase !== "probing" && isWaiting;
    if (canGo && !isRunnable && job.toWarm === undefined) broken("L1", `job ${key} has work that is forgotten`);
    if (isRunnable && !canGo && retries.size === 0) broken("L1", `job ${key} has no work to give`);
  }

  #compare(job: Job, view: JobView, out: number): void {
    const { key } = job;
    if (job.completed + job.failed !== view.delivered.length || job.failed !== view.failed.size) {
      broken("S5", `job ${key} counts ${job.completed} and ${job.failed} failed of ${view.delivered.length} delivered`);
    }
    if (out !== view.outCount) broken("L6", `job ${key} has ${out} items out, and ${view.outCount} are`);
    if (job.batches.size !== view.batchCount) {
      broken("S8", `job ${key} counts ${job.batches.size} batches, ${view.batchCount} are out`);
    }
    if (job.found !== view.found.length) broken("S5", `job ${key} has found ${view.found.length}, not ${job.found}`);
    if (job.found > 0 && !view.isPaused) broken("L1", `job ${key} has found items and does not deliver them`);
    if (job.supplied !== view.supplied) broken("S10", `job ${key} has ${view.supplied} items, not ${job.supplied}`);
    if ((job.phase === "paused") !== view.isPaused) broken("S12", `job ${key} is ${job.phase}`);
    if (view.isPaused && view.batchCount === 0 && !view.pauseSaid) {
      broken("S12", `job ${key} has all handed back, and nobody says that it is paused`);
    }
    if (view.spec.isThrottled === true && job.unread !== view.unread) {
      broken("S10", `job ${key} has ${view.unread} outcomes to read, not ${job.unread}`);
    }
    // What is remembered of items goes with them.
    const open = job.supplied - view.delivered.length;
    if ((job.attempts?.size ?? 0) > open || (job.kills?.size ?? 0) > open)
      broken("S10", `job ${key} remembers items that have ended`);
    if (view.source !== undefined) this.#shell.sizes.checkSupply(job, view);
    const { maxInFlight } = view.rules;
    // What is found takes no room where no reader sets the pace, and only a pause can hold it back.
    const inFlight = view.inFlight - (view.spec.isThrottled === true ? 0 : view.found.length);
    if (maxInFlight > 0 && view.source !== undefined && inFlight > maxInFlight) {
      broken("S10", `job ${key} has ${inFlight} items in flight, ${maxInFlight} may be`);
    }
  }

  #checkWhole(live: number, isTurnOver: boolean): void {
    const state = this.#state;
    const shell = this.#shell;
    shell.shares.checkWhole();
    if (state.setAside !== shell.threads.strays.size) broken("L4", "the count of threads set aside is wrong");
    if (state.setAside > shell.options.threads) broken("S10", "more threads are set aside than may be");
    for (const { id, phase, jobs } of state.recipes.values()) {
      if (phase !== "known" && this.#shell.sizes.isDescribed(id))
        broken("L1", `recipe ${id} was described, and is ${phase}`);
      if (isTurnOver && phase === "probing" && !this.#hasProbe(id)) {
        broken("L1", `${jobs.size} jobs wait for a description of recipe ${id} that nobody will bring`);
      }
    }
    let lingering = 0;
    for (const slot of state.slots) if (isEnded(slot.running) || isEnded(slot.behind)) lingering++;
    if (lingering > 0 !== state.lingering > 0) broken("L3", `${state.lingering} jobs linger, and ${lingering} slots`);
    if (state.isIdle !== shell.isIdle) broken("S12", "idle was not said");
    if (state.isIdle !== (live === 0 && lingering === 0))
      broken("S12", `idle is ${state.isIdle} with ${live} live jobs`);
  }

  #hasProbe(recipe: number): boolean {
    for (const { running, behind } of this.#state.slots) {
      if (isProbeOf(running, recipe) || isProbeOf(behind, recipe)) return true;
    }
    return false;
  }

  /** The timer rings no later than the first thing that is due, as the shell knows it. */
  #checkTimer(event: SchedulerEvent): void {
    const { now, threads, options } = this.#shell;
    const armedAt = this.#shell.armedAt ?? Infinity;
    if (armedAt < now - EPSILON_MS && event.type === "tick") broken("L2", `the timer is set to the past: ${armedAt}`);
    for (const job of this.#state.jobs.values()) {
      // While its task is being described a job cannot go on, and will be looked at when it is.
      if (job.phase !== "live" || job.retries.size === 0 || job.recipe.phase === "probing") continue;
      const { dueAt } = this.#shell.jobs.get(job.key) as JobView;
      if (this.#state.runnable.has(job)) continue;
      for (const at of dueAt.values()) this.#mustRing(armedAt, at, `a retry of job ${job.key}`);
    }
    if (this.#state.rebalanceAt < Infinity) this.#mustRing(armedAt, this.#state.rebalanceAt, "a look at the balance");
    if (threads.strays.size > 0) {
      this.#mustRing(armedAt, threads.strayCheckAt + options.graceMs, "threads that were set aside");
    }
    for (const { index, phase } of this.#state.slots) {
      if (phase !== "ready") continue;
      const [running, behind] = threads.at(index)?.sent ?? [];
      if (running !== undefined) {
        if (running.stoppedAt !== undefined) {
          this.#mustRing(armedAt, running.stoppedAt + options.graceMs, `slot ${index}, which was stopped`);
        } else if (running.job.rules.timeoutMs > 0 && running.batch.count > 0) {
          const graceMs = running.batch.isOverdue ? options.graceMs : 0;
          this.#mustRing(armedAt, now + running.job.rules.timeoutMs + graceMs, `the time limit in slot ${index}`);
        }
      }
      if (behind?.stoppedAt !== undefined)
        this.#mustRing(armedAt, now + options.graceMs, `the batch behind in ${index}`);
    }
  }

  #mustRing(armedAt: number, at: number, what: string): void {
    if (armedAt > at + EPSILON_MS) broken("L2", `the timer is set to ${armedAt}, and ${what} is due at ${at}`);
  }

  /** What a caller sees who asks for progress now: never more than there is (S5). */
  #checkProgress(): void {
    const { threads, control } = this.#shell;
    const { lanesOf } = this.#shell.scheduler;
    for (const { index } of this.#state.slots) {
      const thread = threads.at(index);
      if (thread === undefined) continue;
      for (const { batch, job, serial } of thread.sent) {
        if (job.isSettled || batch.job.recipe.kind !== "item") continue;
        const cur = Math.min(control.cur(thread.rowNumber, batch.number), batch.count - 1);
        const seen = cur + 1 - lanesOf(batch.job) - control.faults(thread.rowNumber, batch.number);
        if (seen <= 0) continue;
        const run = thread.runs.find(({ sent }) => sent.serial === serial);
        // Answered already, and the answer is on its way.
        if (run === undefined) continue;
        let done = 0;
        for (const position of run.positions) if (position === Position.DONE) done++;
        if (seen > done)
          broken("S5", `progress of job ${job.key} shows ${seen} items that a thread has done, ${done} are`);
      }
    }
  }

  /** What is left over when nothing is to be done; empty if all is as it should be. */
  leftovers(): string[] {
    const state = this.#state;
    const shell = this.#shell;
    const left: string[] = [];
    if (state.jobs.size > 0) left.push(`jobs kept: ${[...state.jobs.keys()].join(", ")}`);
    for (const { index, running, behind, reservedFor, phase } of state.slots) {
      if (running !== undefined || behind !== undefined) left.push(`a batch in slot ${index}`);
      if (reservedFor !== undefined) left.push(`slot ${index} is kept for a job`);
      if (phase !== "ready" && phase !== "broken") left.push(`slot ${index} is ${phase}`);
      const thread = shell.threads.at(index);
      // One that computes what nobody waits for shows only when it does not look at the next batch.
      const isBlocked = thread?.blockedBy !== undefined && blockingCall(thread)?.isAbandoned !== true;
      if (phase === "ready" && (thread === undefined || !thread.isAlive || isBlocked)) {
        left.push(`slot ${index} has no thread that could work`);
      }
    }
    for (const { id, jobs } of state.recipes.values()) if (jobs.size > 0) left.push(`jobs in recipe ${id}`);
    if (state.runnable.size > 0) left.push("runnable jobs");
    if (state.backingOff.size > 0) left.push("jobs that back off");
    if (state.warmUps.size > 0) left.push("warm-ups");
    if (state.newcomers.size > 0) left.push("newcomers");
    if (state.lingering !== 0) left.push(`lingering: ${state.lingering}`);
    if (shell.armedAt !== undefined) left.push(`the timer is on, for ${shell.armedAt}`);
    if (!state.isIdle) left.push("idle was not said");
    if (shell.threads.strays.size > 0) left.push(`threads set aside: ${shell.threads.strays.size}`);
    for (const job of shell.jobs.values()) {
      if (job.settledAt === undefined) left.push(`job ${job.key} has not settled`);
      else if (job.stoppedAt === undefined) left.push(`job ${job.key} has not stopped`);
    }
    return left;
  }
}

/** One that was taken back whole brings no description, unless it is a warm-up. */
function isProbeOf(batch: Batch | undefined, recipe: number): boolean {
  if (batch === undefined || !batch.isProbe || batch.job.recipe.id !== recipe) return false;
  return batch.count > 0 || batch.job.toWarm !== undefined;
}

function isEnded(batch: Batch | undefined): boolean {
  return batch !== undefined && batch.job.phase === "settled";
}
