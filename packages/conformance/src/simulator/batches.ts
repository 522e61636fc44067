/** The effects that are about one batch: sent to a thread, taken back from it, stopped. */
import type { Batch, SchedulerEvent } from "@threadmill/engine/internal/scheduler";
import { type EffectOf, isLast, liveJob, noteAssigned } from "./books.js";
import type { JobView } from "./job-view.js";
import type { Sent } from "./sent.js";
import type { Shell } from "./shell.js";
import { broken } from "./violation.js";

export class Batches {
  readonly #shell: Shell;
  #serial = 1;

  constructor(shell: Shell) {
    this.#shell = shell;
  }

  assign(batch: Batch): void {
    const { slot, number } = batch;
    const thread = this.#shell.threads.at(slot.index);
    if (thread === undefined || slot.phase !== "ready") {
      return broken("S8", `slot ${slot.index} gets a batch and has no thread`);
    }
    if (thread.isEnding) broken("S8", `slot ${slot.index} gets a batch while the last words of its thread are read`);
    if (thread.incarnation !== slot.incarnation) broken("S8", "a batch for an earlier life of its slot");
    const job = liveJob(this.#shell.jobs, batch.job.key, "a batch");
    if (job.state !== "running") broken("S12", `job ${job.key} has a batch before it has started`);
    const [first] = thread.sent;
    if (thread.sent.length >= 2) broken("S8", `a third batch in slot ${slot.index}`);
    if (first !== undefined) {
      if ((first.batch.number & 1) === (number & 1)) broken("S8", `batches of slot ${slot.index} share their words`);
      if (first.batch.isAlone || batch.isAlone) broken("S8", "an item that must be alone has company");
      if (first.stoppedAt !== undefined) broken("S8", "a batch goes behind one that was stopped");
      if (first.batch.isOverdue) broken("L4", "a batch goes behind one that has overrun its time");
      if (first.batch.isUnheeded) broken("L4", "a batch goes behind one that its thread does not look at");
    }
    const sent: Sent = {
      serial: this.#serial++,
      batch,
      job,
      thread,
      count: batch.count,
      attempts: this.#shell.scheduler.attemptsOf(batch),
      hasColumns: batch.job.recipe.kind === "columns" && batch.count > 0,
      isUnreadable: job.spec.travels !== undefined && this.#holds(job, batch, "unreadable"),
      runningSince: first === undefined ? this.#shell.now : undefined,
      stoppedAt: undefined,
      begunAt: Infinity,
      run: undefined,
    };
    noteAssigned(job, sent, this.#shell.now, this.#shell.scheduler);
    if (sent.hasColumns) this.#shareColumns(job, batch);
    this.#shell.sizes.onAssigned(sent);
    if (first === undefined) this.#shell.slots.onGiven(sent);
    if (typeof batch.indices !== "number" && batch.job.isSparse && (batch.job.attempts?.size ?? 0) === 0) {
      this.#shell.counters["batch of items that lie apart"]++;
    }
    thread.sent.push(sent);
    if (batch.isAlone) this.#shell.counters["suspects going alone"]++;
    this.#shell.control.assign(thread.rowNumber, number, batch.count);
    if (job.spec.travels !== undefined && this.#holds(job, batch, "uncloneable")) this.#refuse(sent);
    else this.#post(sent);
  }

  #post(sent: Sent): void {
    const { thread, job } = sent;
    const { threads, counters } = this.#shell;
    const introduces = thread.link.use(job.recipe);
    threads.post(thread, { type: "batch", sent, introduces });
    if (thread.link.count <= this.#shell.keepWarm) return;
    const isInUse = (recipe: number): boolean => thread.sent.some((one) => one.job.recipe === recipe);
    for (const recipe of thread.link.forgetBeyond(this.#shell.keepWarm, isInUse)) {
      counters["recipe forgotten by its thread"]++;
      threads.post(thread, { type: "forget", recipe });
    }
  }

  /** An input that is no column fails its job. The batch is on its way all the same. */
  #shareColumns(job: JobView, batch: Batch): void {
    if (batch.count > this.#shell.options.maxBatchItems)
      this.#shell.counters["columns batch beyond the engine's bound"]++;
    if (job.source === undefined) return;
    this.#shell.counters["columns task without a column"]++;
    this.#shell.dispatch({ type: "source-failed", job: job.key });
  }

  #holds(job: JobView, batch: Batch, how: "uncloneable" | "unreadable"): boolean {
    for (let position = 0; position < batch.count; position++) {
      if (job.spec.travels?.(this.#shell.scheduler.indexAt(batch, position)) === how) return true;
    }
    return false;
  }

  /** Nothing was sent: answered on the spot, with the others put back. */
  #refuse(sent: Sent): void {
    const { batch, job, thread } = sent;
    this.#shell.counters["item that cannot be sent"]++;
    const faults = Array.from({ length: sent.count }, (_, position) => {
      const isCulprit = job.spec.travels?.(this.#shell.scheduler.indexAt(batch, position)) === "uncloneable";
      return { position, code: isCulprit ? ("NOT_CLONEABLE" as const) : ("unrun" as const), isFinal: isCulprit };
    });
    this.#shell.threads.inbox.answered(sent);
    const { slot, incarnation } = thread;
    const claimed = sent.count;
    this.#shell.dispatch(
      { type: "done", slot, incarnation, batch: batch.number, claimed, faults, elapsedMs: 0, mainMs: 0, luck: 0 },
      { sent, claimed, faults, isUnsent: true },
    );
  }

  revoke({ batch, keep, least }: EffectOf<"revoke">, event: SchedulerEvent): void {
    const thread = this.#shell.threads.at(batch.slot.index);
    const sent = thread?.sent.find((one) => one.batch === batch);
    if (thread === undefined || sent === undefined || batch.stoppedAt !== undefined) return;
    const lowered = this.#shell.control.revoke(thread.rowNumber, batch.number, keep, least);
    const from = thread.claims.duringRevoke(batch.number, lowered);
    if (from < 0) broken("S8", `a revoke of batch ${batch.number} answers ${from}`);
    if (from >= batch.count) this.#shell.counters["revocation that came too late"]++;
    if (thread.claims.isUnderWay) this.#shell.counters["revocation between a claim and its look at the limit"]++;
    if (thread.sent.some(({ stoppedAt }) => stoppedAt !== undefined))
      this.#shell.counters["revocation during a cancel"]++;
    if (sent.hasColumns && from > 0 && from < batch.count)
      this.#shell.counters["columns batch taken back in the middle"]++;
    if (event.type === "pause-asked" && from > 0) this.#shell.counters["pause while an item is claimed"]++;
    if (least === 1) {
      if (batch.slot.reservedFor === undefined) this.#shell.counters["newcomer hastened"]++;
      else this.#shell.counters["way given to a newcomer"]++;
    }
    sent.job.takeBack(sent, from, this.#shell.scheduler.indexAt);
    const { slot, incarnation } = thread;
    this.#shell.dispatch({ type: "revoked", slot, incarnation, batch: batch.number, from });
  }

  stop(batch: Batch): void {
    const thread = this.#shell.threads.at(batch.slot.index);
    const sent = thread?.sent.find((one) => one.batch === batch);
    if (thread === undefined || sent === undefined) {
      return broken("S8", `batch ${batch.number} is stopped and its slot does not hold it`);
    }
    sent.stoppedAt = this.#shell.now;
    if (isLast(batch)) this.#shell.counters["cancel during the last batch"]++;
    this.#noteStep(sent);
    this.#shell.threads.stop(thread, batch.number);
  }

  /** What its thread is doing for it, if it waits there for its task. */
  #noteStep(sent: Sent): void {
    const run = sent.thread.runs.find((one) => one.sent === sent);
    if (run?.waiting === undefined) return;
    if (run.recipe.step?.does === "sets up") this.#shell.counters["cancel during its setup"]++;
    else if (run.recipe.step?.does === "reads") this.#shell.counters["cancel while its module is read"]++;
    else this.#shell.counters["cancel while its module is evaluated"]++;
  }
}
