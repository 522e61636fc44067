/** A job as its caller sees it, and the books that the shell keeps on its items: where each is and what it is due. */
import type { JobFault, JobRules } from "@threadmill/engine/internal/scheduler";
import type { Sent } from "./sent.js";
import type { SimulatedThread } from "./simulated-thread.js";
import { DEFAULT_RULES, type SimulatedJobSpec, type SimulatedSource, type SimulatedTask } from "./spec.js";

/** Where an item is, beside the serial number of the batch that it is in. */
export const HOME = 0;
export const ENDED = -1;
/** Its value is known, and it has to wait for nothing but its delivery. */
export const FOUND = -2;
/** Another item has its key, and is on its way. */
export const AWAITING = -3;

export class JobView {
  readonly key: number;
  readonly spec: SimulatedJobSpec;
  readonly task: SimulatedTask;
  readonly recipe: number;
  readonly rules: JobRules;
  /** Items in all; Infinity where the source has no end. */
  readonly total: number;
  readonly source: SimulatedSource | undefined;
  state: "waiting" | "running" | "completed" | "cancelled" | "failed" = "waiting";
  isPaused = false;
  /** Since the last pause was asked for, its threads have handed all back. */
  pauseSaid = false;
  settledAt: number | undefined;
  stoppedAt: number | undefined;
  fault: JobFault | undefined;
  supplied = 0;
  sourceEnded = false;
  /** What the scheduler has asked the source for and not got; 0 when no question is open. */
  wanted = 0;
  isPulling = false;
  /** Indices that have ended, in the order of their commits. */
  readonly delivered: number[] = [];
  readonly failed = new Map<number, string>();
  readonly retried: { readonly index: number; readonly attempt: number; readonly delayMs: number }[] = [];
  /** Items that were found and are not delivered yet, in their order. */
  found: number[] = [];
  /** The keys of items that are on their way, and who waits for those. */
  readonly waiting = new Map<number, number[]>();
  /** How many wait, as far as the scheduler has heard. */
  waitingCount = 0;
  /** Where each item is: {@link HOME}, {@link ENDED}, {@link FOUND}, {@link AWAITING}, or a batch. */
  readonly places: number[] = [];
  /** How often each item was begun in any thread. */
  readonly begins: number[] = [];
  /** Which run of the item is next, where it is not the first. */
  readonly attempts = new Map<number, number>();
  /** When items that back off may go again. */
  readonly dueAt = new Map<number, number>();
  /** How often a thread died that may have been in the item. */
  readonly losses = new Map<number, number>();
  /** How often it died with the item in a batch that was alone. */
  readonly lossesAlone = new Map<number, number>();
  /** Items that had to be alone, and have not shown since that they need not. */
  readonly suspects = new Set<number>();
  /** How many may go together at most, of items whose batch was to blame as a whole. */
  readonly halves = new Map<number, number>();
  /** An item that has just overrun its time limit, with nobody else to blame. */
  overdueIndex: number | undefined;
  /** Slot time that it has had by its weight, or what stands for that since it had nothing to do. */
  hadMs = 0;
  /** After the step before: whether it stood in line, and how many batches it had. */
  wasRunnable = false;
  batchesBefore = 0;
  /** Slots that a warm-up has been through, or that were given up meanwhile. */
  readonly warmed = new Set<number>();
  /** Threads that died in a row before they had begun an item of it. */
  lossesInLoad = 0;
  /** The thread that runs the item, if one does. */
  readonly runners: (SimulatedThread | undefined)[] = [];
  /** Items in batches. */
  outCount = 0;
  /** Batches in threads. */
  batchCount = 0;
  /** How often the job's threads have handed all back after a pause. */
  pauses = 0;
  unread = 0;
  isReading = false;
  /** The most items that were between source and reader at once. */
  mostInFlight = 0;
  /** Batches of other jobs that were sent since this one could have been, for the bound of fairness. */
  passedOver = 0;
  submittedAt = 0;
  firstBegunAt: number | undefined;

  constructor(key: number, spec: SimulatedJobSpec, now: number) {
    this.key = key;
    this.spec = spec;
    this.task = spec.task;
    this.recipe = spec.recipe ?? 1_000 + key;
    this.rules = spec.rules === undefined ? DEFAULT_RULES : { ...DEFAULT_RULES, ...spec.rules };
    const { pulledBy } = spec;
    this.source = typeof pulledBy === "number" ? { chunk: pulledBy } : pulledBy;
    this.total = this.source?.isEndless === true ? Infinity : (spec.items ?? 0);
    this.submittedAt = now;
    if (this.source === undefined) {
      this.sourceEnded = true;
      this.supply(this.total);
    }
  }

  get isSettled(): boolean {
    return this.settledAt !== undefined;
  }

  /** Items between source and reader. */
  get inFlight(): number {
    return this.supplied - this.delivered.length + this.unread;
  }

  supply(count: number): void {
    for (let added = 0; added < count; added++) {
      const index = this.supplied++;
      const place = this.#placeOfNew(index);
      if (place === FOUND) this.found.push(index);
      if (place === AWAITING) this.waitingCount++;
      this.places.push(place);
      this.begins.push(0);
    }
  }

  #placeOfNew(index: number): number {
    if (this.source?.isFound?.(index) === true) return FOUND;
    const key = this.source?.keyOf?.(index);
    if (key === undefined) return HOME;
    const waiting = this.waiting.get(key);
    if (waiting === undefined) this.waiting.set(key, []);
    else waiting.push(index);
    return waiting === undefined ? HOME : AWAITING;
  }

  /** An item has ended: those that have waited for it have its value, or have to be run. */
  release(index: number, hasFailed: boolean): readonly number[] {
    const key = this.source?.keyOf?.(index);
    const waiting = key === undefined ? undefined : this.waiting.get(key);
    if (key === undefined || waiting === undefined) return [];
    this.waiting.delete(key);
    for (const other of waiting) this.places[other] = hasFailed ? HOME : FOUND;
    if (!hasFailed) this.found.push(...waiting);
    return waiting;
  }

  /** How often each item was begun; only those that were. */
  get begun(): ReadonlyMap<number, number> {
    const begun = new Map<number, number>();
    for (const [index, times] of this.begins.entries()) if (times > 0) begun.set(index, times);
    return begun;
  }

  /** The items that are in some thread's batch. */
  get out(): ReadonlySet<number> {
    return new Set([...this.places.keys()].filter((index) => (this.places[index] as number) > HOME));
  }

  /** Puts what a batch still holds from this position on back home. */
  takeBack(sent: Sent, from: number, indexAt: (batch: Sent["batch"], position: number) => number): void {
    const { places } = this;
    for (let position = from; position < sent.count; position++) {
      const index = indexAt(sent.batch, position);
      if (places[index] !== sent.serial) continue;
      places[index] = HOME;
      this.outCount--;
      this.halves.delete(index);
    }
  }
}
