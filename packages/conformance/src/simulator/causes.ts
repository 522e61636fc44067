/**
 * Verdicts need a cause. Whoever is blamed for the death of a thread, given up, set aside or failed as a whole must have
 * earned it by what really happened; and whoever has, must be.
 */
import { type Batch, type JobFault, lanesOf } from "@threadmill/engine/internal/scheduler";
import type { JobView } from "./job-view.js";
import type { Sent } from "./sent.js";
import type { Shell } from "./shell.js";
import type { SimulatedThread } from "./simulated-thread.js";
import type { Sometimes } from "./sometimes.js";
import { broken } from "./violation.js";

const MAX_FAILED_STARTS = 3;
const MAX_KILLS_BEFORE_ITEMS = 3;
/** What a claim word says of a batch that has neither claimed an item nor loads its task. */
const NOT_BEGUN = -1;
const LOADING = -2;
/** A thread has so many graces for each of two looks at a batch. */
const HEED_GRACES = 5;
const EPSILON_MS = 1e-6;
/** A claim may lie this long before its begin. */
const CLAIM_GAP_MS = 6;

/** An item that its thread may have been in when it ended. */
interface Suspect {
  readonly job: JobView;
  readonly batch: Batch;
  readonly index: number;
}

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
    const { suspects, split } = this.#suspicionsOf(thread, true);
    this.#noteSplit(split, "columns batch split after a loss");
    for (const { job, batch, index } of suspects) {
      job.suspects.add(index);
      job.losses.set(index, (job.losses.get(index) ?? 0) + 1);
      if (batch.isAlone) job.lossesAlone.set(index, (job.lossesAlone.get(index) ?? 0) + 1);
    }
    const [first] = thread.sent;
    if (suspects.length + split.length > 0 || first === undefined || first.job.isSettled) return undefined;
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

  /**
   * It was told to stop, and then nobody is to blame for what else it had; or an item of it has overrun its time: the only
   * one that was begun has failed, and if there were several, each goes alone.
   */
  onSetAside(thread: SimulatedThread, wasStuck: boolean): void {
    const isStopped = wasStuck
      ? thread.sent.some(({ stoppedAt }) => stoppedAt !== undefined)
      : thread.sent.some((sent, place) => this.#isStuck(thread, sent, place === 0));
    if (isStopped || this.#isDeaf(thread, wasStuck)) return;
    if (!thread.sent.some((sent) => this.#isOverdue(thread, sent))) {
      broken("L4", `the thread of slot ${thread.slot} is set aside before its time`);
    }
    const { suspects, split } = this.#suspicionsOf(thread, false);
    this.#noteSplit(split, "columns batch split after its time limit");
    const [only] = suspects;
    if (suspects.length === 1 && split.length === 0 && only !== undefined) only.job.overdueIndex = only.index;
    else for (const { job, index } of suspects) job.suspects.add(index);
  }

  /**
   * Which items a thread may have been in. A range of a column may be long, and a batch handler that overran its time has
   * begun all that it was given: those are cut in halves instead, until what is to blame stands alone.
   */
  #suspicionsOf(thread: SimulatedThread, isDead: boolean): { readonly suspects: Suspect[]; readonly split: Sent[] } {
    const suspects: Suspect[] = [];
    const split: Sent[] = [];
    for (const sent of thread.sent) {
      const { job, batch } = sent;
      const cur = Math.min(this.#cur(thread, sent), batch.count - 1);
      if (job.isSettled || cur < 0) continue;
      const { kind } = batch.job.recipe;
      if (batch.count > 1 && (kind === "columns" || (kind === "batch" && !isDead))) {
        split.push(sent);
        continue;
      }
      // One item at a time: it is the one that was claimed last.
      const isExact = batch.isAlone || (kind === "item" && lanesOf(batch.job) === 1);
      for (let position = isExact ? cur : 0; position <= cur; position++) {
        suspects.push({ job, batch, index: this.#shell.scheduler.indexAt(batch, position) });
      }
    }
    return { suspects, split };
  }

  #noteSplit(split: readonly Sent[], how: Sometimes): void {
    for (const sent of split) {
      this.onSplit(sent);
      if (sent.hasColumns) this.#shell.counters[how]++;
    }
  }

  /** A batch as a whole is to blame: its items go in halves. */
  onSplit({ batch, job }: Sent): void {
    const most = Math.ceil(batch.count / 2);
    for (let position = 0; position < batch.count; position++) {
      job.halves.set(this.#shell.scheduler.indexAt(batch, position), most);
    }
  }

  #isStuck(thread: SimulatedThread, sent: Sent, isFirst: boolean): boolean {
    const { now, options } = this.#shell;
    const { stoppedAt, batch } = sent;
    if (stoppedAt === undefined) return false;
    const cur = this.#cur(thread, sent);
    // One behind has its grace from when it was last seen to go on, unless it loads and holds the thread by that.
    const since = isFirst || cur === LOADING ? stoppedAt : Math.max(stoppedAt, batch.seenAt);
    return since + options.graceMs <= now + EPSILON_MS && (isFirst || cur !== NOT_BEGUN);
  }

  /** It had time for two looks at what it was given, and has taken none. */
  #isDeaf(thread: SimulatedThread, wasStuck: boolean): boolean {
    const { now, options } = this.#shell;
    const [first] = thread.sent;
    if (first === undefined || !first.batch.isUnheeded) return false;
    // It may have begun to load since there was no room for it.
    if (this.#cur(thread, first) !== NOT_BEGUN && !wasStuck) return false;
    return (first.batch.runningSince ?? now) + 2 * HEED_GRACES * options.graceMs <= now + EPSILON_MS;
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
