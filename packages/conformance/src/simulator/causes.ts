/**
 * Verdicts need a cause. Whoever is blamed for the death of a thread, given up, set aside or failed as a whole must have
 * earned it by what really happened; and whoever has, must be.
 */
import { type JobFault, lanesOf } from "@threadmill/engine/internal/scheduler";
import type { JobView } from "./job-view.js";
import type { Sent } from "./sent.js";
import type { Shell } from "./shell.js";
import type { SimulatedThread } from "./simulated-thread.js";
import { broken } from "./violation.js";

const MAX_FAILED_STARTS = 3;
const MAX_KILLS_BEFORE_ITEMS = 3;
/** What a claim word says of a batch that has neither claimed an item nor loads its task. */
const NOT_BEGUN = -1;
/** A claim may lie this long before its begin. */
const CLAIM_GAP_MS = 6;

export class Causes {
  readonly #shell: Shell;
  /** Starts of each slot that failed in a row. */
  readonly #failedStarts: number[] = [];

  constructor(shell: Shell) {
    this.#shell = shell;
  }

  // ——— starts

  onStarted(slot: number): void {
    this.#failedStarts[slot] = 0;
  }

  /** After the scheduler was told: a slot is given up after three starts that failed in a row, and not before. */
  afterFailedStart(slot: number): void {
    const failed = (this.#failedStarts[slot] ?? 0) + 1;
    const isBroken = this.#shell.state.slots[slot]?.phase === "broken";
    if (isBroken !== failed >= MAX_FAILED_STARTS)
      broken("L1", `slot ${slot} is given up after ${failed} failed starts`);
    this.#failedStarts[slot] = isBroken ? 0 : failed;
  }

  // ——— deaths

  /** A thread has died: what it may have been running goes alone from now on; a load is blamed on its job. */
  onDeath(thread: SimulatedThread): JobView | undefined {
    let suspects = 0;
    for (const sent of thread.sent) {
      const { job, batch } = sent;
      if (job.isSettled) continue;
      const cur = Math.min(this.#cur(thread, sent), batch.count - 1);
      // One item at a time: it is the one that was claimed last.
      const isExact = batch.isAlone || (batch.job.recipe.kind === "item" && lanesOf(batch.job) === 1);
      for (let position = isExact ? cur : 0; cur >= 0 && position <= cur; position++) {
        job.suspects.add(this.#shell.scheduler.indexAt(batch, position));
        suspects++;
      }
    }
    const [first] = thread.sent;
    if (suspects > 0 || first === undefined || first.job.isSettled) return undefined;
    if (first.batch.count === 0 && first.job.spec.isWarmUp !== true) return undefined;
    first.job.lossesInLoad++;
    return first.job;
  }

  afterDeath(blamed: JobView | undefined): void {
    if (blamed === undefined || blamed.lossesInLoad < MAX_KILLS_BEFORE_ITEMS || blamed.isSettled) return;
    broken("S9", `job ${blamed.key} has killed ${blamed.lossesInLoad} threads in a row before an item and goes on`);
  }

  /** An item was run: the deaths before it were not the load's. */
  onRun(job: JobView): void {
    job.lossesInLoad = 0;
  }

  onFault(job: JobView, fault: JobFault): void {
    if (fault.kind !== "threads" || job.lossesInLoad >= MAX_KILLS_BEFORE_ITEMS) return;
    if (this.#shell.state.slots.every(({ phase }) => phase === "broken")) return;
    broken("L6", `job ${job.key} fails for threads, of which it has lost ${job.lossesInLoad} in a row`);
  }

  // ——— threads that do not come back

  onSetAside(thread: SimulatedThread): void {
    if (thread.sent.some((sent, place) => this.#isStuck(thread, sent, place === 0) || this.#isOverdue(thread, sent))) {
      return;
    }
    broken("L4", `the thread of slot ${thread.slot} is set aside before its time`);
  }

  #isStuck(thread: SimulatedThread, sent: Sent, isFirst: boolean): boolean {
    if (sent.stoppedAt === undefined || sent.stoppedAt + this.#shell.options.graceMs > this.#shell.now + 1e-6)
      return false;
    return isFirst || this.#cur(thread, sent) !== NOT_BEGUN;
  }

  #isOverdue(thread: SimulatedThread, sent: Sent): boolean {
    const { job, batch, begunAt } = sent;
    if (batch.count === 0) return false;
    const { timeoutMs } = job.rules;
    // A thread that was put to sleep between its claim and the begin of the item looks the same from outside.
    if (begunAt === Infinity) return timeoutMs > 0 && this.#cur(thread, sent) >= 0;
    return timeoutMs > 0 && begunAt + timeoutMs + this.#shell.options.graceMs <= this.#shell.now + CLAIM_GAP_MS;
  }

  #cur(thread: SimulatedThread, { batch }: Sent): number {
    return this.#shell.control.cur(thread.rowNumber, batch.number);
  }
}
