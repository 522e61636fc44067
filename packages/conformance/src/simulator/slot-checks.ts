/** What must hold for each slot: what it has, what waits there, for whom it is kept, and for how long it may be held. */
import type { Batch, Slot, State } from "@threadmill/engine/internal/scheduler";
import type { JobView } from "./job-view.js";
import type { Sent } from "./sent.js";
import type { Shell } from "./shell.js";
import type { SimulatedThread } from "./simulated-thread.js";
import { blockingCall } from "./threads-by-slot.js";
import { broken } from "./violation.js";

const EPSILON_MS = 1e-6;

export class SlotChecks {
  readonly #shell: Shell;
  readonly #state: State;

  constructor(shell: Shell) {
    this.#shell = shell;
    this.#state = shell.state;
  }

  check(slot: Slot, isTurnOver: boolean): void {
    const { index, running, behind, reservedFor, phase } = slot;
    const state = this.#state;
    if (behind !== undefined && running === undefined) broken("S8", `slot ${index} has a batch behind nothing`);
    if (running !== undefined && (phase === "starting" || phase === "broken")) {
      broken("S8", `slot ${index} has a batch and no thread`);
    }
    if (reservedFor !== undefined && reservedFor.phase === "settled") {
      broken("L3", `slot ${index} is kept for a job that has ended`);
    }
    if (isTurnOver) this.#checkPlaceBehind(slot);
    if (reservedFor !== undefined && reservedFor.suspects.length > 0) {
      this.#shell.counters["suspect kept apart by a reserved slot"]++;
    }
    const thread = this.#shell.threads.at(index);
    if (thread !== undefined) thread.keptFor = reservedFor;
    const held = (running === undefined ? 0 : 1) + (behind === undefined ? 0 : 1);
    if (isTurnOver && (thread?.sent.length ?? 0) !== held) {
      broken("S8", `slot ${index} holds ${held} batches, and its thread ${thread?.sent.length ?? 0}`);
    }
    if ((phase === "stuck") !== this.#shell.threads.stuck.has(index)) broken("S12", `slot ${index} is ${phase}`);
    const mayBeStuck =
      phase === "stuck" || this.#isOverdue(running) || this.#isOverdue(behind) || running?.isUnheeded === true;
    if (mayBeStuck && isTurnOver && thread !== undefined) this.#checkBehindStuck(thread);
    if (phase === "stuck" && running === undefined) broken("L4", `slot ${index} is stuck with nothing`);
    if (phase !== "ready" || running !== undefined) return;
    if (state.runnable.size > 0) broken("L1", `slot ${index} has nothing to do while there is work`);
    for (const job of state.warmUps) {
      if (job.phase === "live" && job.toWarm?.has(slot) === true) broken("L1", `slot ${index} stays cold`);
    }
  }

  /** Whatever could go behind a running batch does; only what must be alone waits, each for a slot that is kept for it. */
  #checkPlaceBehind({ index, phase, running, behind, reservedFor }: Slot): void {
    const { runnable, jobs, slots } = this.#state;
    if (runnable.size === 0 || phase !== "ready" || running === undefined || running.isAlone) return;
    if (behind !== undefined || reservedFor !== undefined) return;
    if (running.stoppedAt !== undefined || running.isOverdue || running.isUnheeded) return;
    for (const job of jobs.values()) {
      if (!runnable.has(job)) continue;
      if (job.suspects.length === 0) broken("L1", `job ${job.key} has work, and nothing waits behind slot ${index}`);
      if (!slots.some((other) => other.reservedFor === job)) broken("L1", `no slot is kept for job ${job.key}`);
    }
  }

  /** A slot that was kept for a job goes to it, and is kept for it no more. */
  onGiven(sent: Sent): void {
    const { slot, job } = sent.batch;
    if (sent.job.spec.isWarmUp === true) return;
    if (slot.reservedFor === job) broken("L5", `slot ${slot.index} is still kept for job ${job.key}, which has got it`);
    const { keptFor } = sent.thread;
    if (keptFor !== undefined && keptFor !== job && this.#state.runnable.has(keptFor)) {
      broken("L5", `slot ${slot.index} is kept for job ${keptFor.key} and goes to job ${job.key}`);
    }
    sent.thread.keptFor = undefined;
  }

  /** Only an item that has had its time is held to be late; with the next one a thread is in time again. */
  #isOverdue(batch: Batch | undefined): boolean {
    if (batch?.isOverdue !== true) return false;
    if (this.#shell.now < batch.seenAt + batch.job.rules.timeoutMs - EPSILON_MS) {
      broken("L4", `batch ${batch.number} of slot ${batch.slot.index} is held to be late, and is not`);
    }
    return true;
  }

  /** A warm-up completes when it has been through all slots but those that were given up. */
  checkWarm({ key, warmed }: JobView): void {
    for (const { index, phase } of this.#state.slots) {
      if (phase !== "broken" && !warmed.has(index)) broken("L6", `warm-up ${key} completes, and slot ${index} is cold`);
    }
  }

  /** What a thread has not begun that is stuck, or may be, need not wait for it. */
  #checkBehindStuck({ slot, rowNumber, sent }: SimulatedThread): void {
    for (const { batch, job } of sent) {
      if (job.isSettled || batch.count <= Math.max(this.#shell.control.cur(rowNumber, batch.number), -1) + 1) continue;
      broken("L4", `batch ${batch.number} waits behind the thread of slot ${slot}, which may be stuck`);
    }
  }

  /** After a tick no slot is held beyond its time, if there is room to set its thread aside. */
  checkHeld(): void {
    const { now, threads, options } = this.#shell;
    for (const { index, phase } of this.#state.slots) {
      const thread = threads.at(index);
      if (phase !== "ready" || thread === undefined) continue;
      const [running] = thread.sent;
      if (running?.stoppedAt !== undefined && now >= running.stoppedAt + options.graceMs + EPSILON_MS) {
        broken("L4", `slot ${index} was stopped at ${running.stoppedAt} and is still held`);
      }
      const call = blockingCall(thread);
      if (call === undefined || call.isAbandoned || call.deadline === Infinity || call.run.sent.stoppedAt !== undefined)
        continue;
      // The call may have begun right after a look, and the next one notes no more than that it has begun.
      const most = call.deadline + call.run.sent.batch.job.rules.timeoutMs + options.graceMs;
      if (now > most + this.#shell.slackMs) broken("L4", `slot ${index} is in one call until ${now}, beyond ${most}`);
    }
  }
}
