/**
 * A simple model of jobs: what must be true of each of them after a command, from nothing but the commands. It knows
 * no slots, batches or messages; the simulator judges those.
 */
import { type Fate, type JobView, Violation } from "../simulator/index.js";

/** What one run of one item will come to, by how often it was begun before. */
export type FateOf = (index: number, runsBefore: number) => Fate;

/** One job, as its caller has treated it. */
interface ModelJob {
  readonly view: JobView;
  readonly fateOf: FateOf;
  isPaused: boolean;
  isCancelled: boolean;
  /** The end that has been seen, which must stay as it is. */
  ended: { readonly state: JobView["state"]; readonly delivered: number } | undefined;
  /** Deliveries that have been looked at. */
  readonly delivered: Set<number>;
  /** Begun runs when it was paused: no more may be begun before it is resumed. */
  beginsAtPause: number;
}

export class Model {
  /** Something has happened that may fail a job through no fault of its own items: threads that died or hung. */
  mayLoseThreads = false;
  /** Some thread was lost, or set aside: what it ran is run again. */
  hasLostThreads = false;
  isClosed = false;
  readonly jobs: ModelJob[] = [];

  submitted(view: JobView, fateOf: FateOf): void {
    const delivered = new Set<number>();
    const ended = undefined;
    this.jobs.push({ view, fateOf, isPaused: false, isCancelled: false, ended, delivered, beginsAtPause: 0 });
  }

  cancelled(job: ModelJob): void {
    if (job.ended === undefined) job.isCancelled = true;
  }

  paused(job: ModelJob): void {
    if (job.ended !== undefined || job.isPaused) return;
    job.isPaused = true;
    job.beginsAtPause = beginsOf(job.view);
  }

  resumed(job: ModelJob): void {
    job.isPaused = false;
  }

  /** After each command. */
  check(): void {
    for (const job of this.jobs) {
      this.#checkDeliveries(job);
      const { view, isCancelled, isPaused, ended } = job;
      if (isCancelled && view.state !== "cancelled") fail("S6", view, `was cancelled and is ${view.state}`);
      if (isPaused && beginsOf(view) > job.beginsAtPause) fail("S12", view, "begins items while it is paused");
      if (ended === undefined) {
        if (view.settledAt !== undefined) this.#end(job);
      } else if (view.state !== ended.state) fail("S4", view, `was ${ended.state} and is ${view.state}`);
      else if (view.delivered.length !== ended.delivered) fail("S3", view, "delivers after its end");
    }
  }

  /** When the faults are over and everything has come to rest. */
  checkRest(leftovers: readonly string[]): void {
    for (const { view } of this.jobs) {
      if (view.settledAt === undefined) fail("L1", view, `is ${view.state} for ever`);
      if (view.stoppedAt === undefined) fail("L1", view, "never stops");
    }
    if (leftovers.length > 0) throw new Violation("L2", `left over: ${leftovers.join("; ")}`);
  }

  #checkDeliveries({ view, fateOf, delivered }: ModelJob): void {
    if (view.state === "waiting" && view.delivered.length > 0) fail("S12", view, "delivers before it starts");
    for (let at = delivered.size; at < view.delivered.length; at++) {
      const index = view.delivered[at] ?? -1;
      if (delivered.has(index)) fail("S1", view, `delivers item ${index} twice`);
      if (index < 0 || index >= view.supplied) fail("S2", view, `delivers item ${index}, which does not exist`);
      if (!view.failed.has(index) && (view.begins[index] ?? 0) === 0) fail("S2", view, `delivers item ${index} unrun`);
      delivered.add(index);
      this.#checkOutcome(view, fateOf, index);
    }
  }

  /** Where no thread is lost and no time is up, each outcome follows from the attempts and the handler alone. */
  #checkOutcome(view: JobView, fateOf: FateOf, index: number): void {
    const { rules, task, failed, begins } = view;
    // Items of a batch that fails as a whole are run again for free until the bad ones stand alone.
    if (this.hasLostThreads || rules.timeoutMs > 0 || (task.kind ?? "item") !== "item") return;
    let runs = 0;
    let fate: Fate;
    do fate = fateOf(index, runs++);
    while (fate === "fail" && runs < rules.retry.attempts);
    if (begins[index] !== runs) fail("S9", view, `begins item ${index} ${begins[index]} times instead of ${runs}`);
    const mustFail = fate === "fail" || fate === "fail-final";
    if (mustFail !== failed.has(index)) fail("L6", view, `${mustFail ? "delivers" : "fails"} item ${index}`);
  }

  #end(job: ModelJob): void {
    const { view, delivered, isCancelled } = job;
    const { state, rules, failed } = view;
    job.ended = { state, delivered: view.delivered.length };
    switch (state) {
      case "completed":
        if (delivered.size !== view.total) fail("L6", view, `completes with ${delivered.size} of ${view.total} items`);
        if (view.spec.isWarmUp === true && view.batchCount > 0) fail("L6", view, "completes while threads load");
        if (failed.size > 0 && rules.stopsAtFailure) fail("L6", view, "completes with failures that should end it");
        break;
      case "cancelled":
        if (!isCancelled && !this.isClosed) fail("S6", view, "is cancelled and nobody asked for it");
        break;
      case "failed":
        this.#checkFault(view);
        break;
      case "running":
      case "waiting":
        fail("S4", view, `has settled and is ${state}`);
    }
  }

  #checkFault(view: JobView): void {
    const { fault, rules, failed } = view;
    switch (fault?.kind) {
      case "item":
        if (!rules.stopsAtFailure) fail("L6", view, "ends at a failure though it collects them");
        if (!failed.has(fault.index)) fail("L6", view, `fails for item ${fault.index}, which has not failed`);
        break;
      case "threads":
        if (!this.mayLoseThreads) fail("L6", view, "fails for threads that were not lost");
        break;
      case "source":
        if (view.source?.throwsAt === undefined && view.task.kind !== "columns")
          fail("L6", view, "fails for a source that did not");
        break;
      case "broken":
        if (view.task.import === undefined) fail("L6", view, "fails for a task that could be loaded");
        break;
      case undefined:
        fail("S4", view, "has failed for no reason");
    }
  }
}

function beginsOf({ begins }: JobView): number {
  let sum = 0;
  for (const times of begins) sum += times;
  return sum;
}

function fail(invariant: string, { key }: JobView, what: string): never {
  throw new Violation(invariant, `job ${key} ${what}`);
}
