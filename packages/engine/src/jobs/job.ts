/** A job as the main thread knows it: its source, what came out so far, and the handles that wait for it. */
import {
  InvalidArgumentError,
  type NumberColumn,
  type SharedColumns,
  createSharedColumn,
  toSharedColumn,
} from "@threadmill/protocol";
import type { Recipe } from "../recipes.js";
import type { IndexRange } from "../scheduler/index.js";
import type { JobHandle } from "./handle.js";
import type { ItemMemo, SortedItems } from "./item-memo.js";
import {
  type CommittedBatch,
  type ItemFailure,
  type JobResult,
  type JobStats,
  NEVER_RUN,
  type OutcomeRun,
  runsOf,
  valuesOf,
} from "./outcome.js";
import { type Progress, ProgressMeter } from "./progress.js";
import type { Feed, FeedEnding } from "./readers.js";
import type { Source } from "./source.js";

export type JobState = "waiting" | "running" | "paused" | "completed" | "failed" | "cancelled";

export type SettledState = "completed" | "failed" | "cancelled";

/** What is kept of a job by its id. */
export interface KeptRun {
  readonly result: JobResult<unknown>;
  readonly attempts: ReadonlyMap<number, number> | undefined;
  readonly found: readonly IndexRange[] | undefined;
}

/** An array that is made longer than this is no list for V8 but a table, which takes ten times as much. */
const MOST_PLACES = 32 * 1024 * 1024;

/** What a job asks of its engine. */
export interface JobOwner {
  /** A throttling loop has read so many outcomes, or they were dropped for want of a loop. */
  onRead(job: Job, count: number): void;
  /** The one loop of a job that does not collect was left. */
  onLeft(job: Job): void;
}

export class Job {
  readonly key: number;
  readonly id: string;
  readonly recipe: Recipe;
  readonly collects: boolean;
  readonly totalHint: number | undefined;
  readonly startedAt: number;
  readonly handles = new Set<JobHandle<unknown, unknown>>();
  observer: JobHandle<unknown, unknown> | undefined;
  hasStarted = false;
  /** Its result goes to the cache: it has an id that a caller gave. */
  isKept = false;
  /** Handles for whose sake the work goes on. */
  holders = 0;
  /** Set right after the job is made: the source's listener needs the job. */
  source!: Source;
  /** Where values of single items are found and kept; undefined without `cache`. */
  memo: ItemMemo | undefined;
  /** What was found and may not be delivered yet. */
  #found: SortedItems[] | undefined;
  fromCache = 0;
  state: JobState = "waiting";
  #failures: Map<number, ItemFailure> | undefined;
  /** Attempts of items that took more than one. */
  #attempts: Map<number, number> | undefined;
  supplied = 0;
  sourceEnded = false;
  completed = 0;
  failed = 0;
  retries = 0;
  batches = 0;
  threadMs = 0;
  endedAt: number | undefined;
  error: unknown;
  isStopped = false;
  detail: unknown;
  /** What a cancel was asked with. */
  cancelReason: unknown;
  sourceError: unknown;
  /** The failures of the last commit: the first final one may end the job. */
  lastFailures: ReadonlyMap<number, ItemFailure> | undefined;
  // Of many thousands of live jobs most have no failure, nobody who waits, and no progress that is looked at.
  #stoppedWaiters: (() => void)[] | undefined;
  #pauseWaiters: (() => void)[] | undefined;
  #meter: ProgressMeter | undefined;
  /** Every run that was committed, for loops that begin at the start; only while the job collects. */
  #log: OutcomeRun[] = [];
  /** The values by index, where it is known from the start how many there will be. */
  #values: unknown[] | undefined;
  /** Runs that the one loop of a job that does not collect has yet to take. */
  #queue: OutcomeRun[] = [];
  #loop: "none" | "open" | "left" = "none";
  #hasDropped = false;
  /** Readers that wait for more. */
  #wakers: Set<() => void> | undefined;
  #result: JobResult<unknown> | undefined;
  readonly #owner: JobOwner | undefined;

  constructor(
    init: {
      key: number;
      id: string;
      recipe: Recipe;
      collects: boolean;
      totalHint: number | undefined;
      /** Undefined for a job that does not run. */
      owner: JobOwner | undefined;
    },
    now: number,
  ) {
    this.key = init.key;
    this.id = init.id;
    this.recipe = init.recipe;
    this.collects = init.collects;
    this.totalHint = init.totalHint;
    this.startedAt = now;
    this.#owner = init.owner;
  }

  /** Where the items and values of a columns task lie; undefined for others, and before a thread has described it. */
  columns: SharedColumns | undefined;

  /**
   * Makes the columns, unless they are there already.
   *
   * @throws {InvalidArgumentError} the items are no array of numbers in memory.
   */
  shareColumns(): void {
    const { output } = this.recipe;
    if (output === undefined || this.columns !== undefined) return;
    const { column } = this.source;
    if (column === undefined) {
      throw new InvalidArgumentError("a columns task takes a typed array of numbers, without weigh or cache");
    }
    this.columns = { input: toSharedColumn(column), output: createSharedColumn(output, column.length) };
  }

  get isSettled(): boolean {
    return this.endedAt !== undefined;
  }

  /** Takes a committed batch in. */
  commit(batch: CommittedBatch): void {
    const { claimed, failures, attempts, skipped } = batch;
    if (this.collects) {
      for (const failure of failures?.values() ?? []) this.#noteFailure(failure);
      for (const [index, attempt] of attempts ?? []) (this.#attempts ??= new Map()).set(index, attempt);
    }
    const delivered = claimed - (skipped?.size ?? 0);
    this.failed += failures?.size ?? 0;
    this.completed += delivered - (failures?.size ?? 0);
    for (const run of runsOf(batch))
      this.#deliver(this.columns === undefined ? run : inColumn(run, this.columns.output));
    this.wake();
  }

  /** Items have come whose values were found. They are delivered when the scheduler says so. */
  noteFound(sorted: SortedItems): void {
    if (sorted.found.length > 0) (this.#found ??= []).push(sorted);
  }

  deliverFound(): void {
    const sorted = this.#found;
    this.#found = undefined;
    for (const { found, values } of sorted ?? []) {
      this.completed += values.length;
      this.fromCache += values.length;
      let offset = 0;
      for (const { start, count } of found) {
        this.#deliver({ start, count, values, offset, failures: undefined, attempts: NEVER_RUN });
        offset += count;
      }
    }
    this.wake();
  }

  /** An item failed without an answer that says so. */
  failItem(failure: ItemFailure): void {
    const { index } = failure;
    if (this.collects) this.#noteFailure(failure);
    this.failed++;
    const failures = new Map([[index, failure]]);
    this.#deliver({ start: index, count: 1, values: [undefined], offset: 0, failures, attempts: undefined });
    this.wake();
  }

  #noteFailure(failure: ItemFailure): void {
    (this.#failures ??= new Map()).set(failure.index, failure);
  }

  #deliver(run: OutcomeRun): void {
    if (this.collects) {
      this.source.release(run.start, run.count);
      this.#log.push(this.#place(run));
    } else if (this.#loop === "open") {
      this.#queue.push(run);
    } else {
      this.#hasDropped = true;
      this.#pass(run);
    }
  }

  /** Joining a million values in the end would hold up everybody: they are put in their places as they come. */
  #place(run: OutcomeRun): OutcomeRun {
    const { start, count, values, offset, failures, attempts } = run;
    const { length } = this.source;
    if (this.columns !== undefined || length === undefined || length === count || length > MOST_PLACES) return run;
    // oxlint-disable-next-line unicorn/no-new-array -- of this length, whatever comes first
    const places = (this.#values ??= new Array<unknown>(length));
    for (let at = 0; at < count; at++) places[start + at] = values[offset + at];
    return { start, count, values: places, offset: start, failures, attempts };
  }

  /** The outcomes have left the job: there is room for others. */
  #pass(run: OutcomeRun): void {
    this.source.release(run.start, run.count);
    this.#owner?.onRead(this, run.count);
  }

  settle(state: SettledState, error: unknown, now: number): void {
    this.state = state;
    this.error = error;
    this.endedAt = now;
    // No batch of an empty column was ever sent, for which it would have been shared.
    if (state === "completed" && this.source.column?.length === 0) this.shareColumns();
    this.source.close();
    this.#found = undefined;
    if (state === "cancelled") this.#dropOutcomes();
    this.wake();
  }

  /** Nobody can read them any more, however long a handle is kept. */
  #dropOutcomes(): void {
    this.#log = [];
    this.#queue = [];
    this.#values = undefined;
    this.#failures = undefined;
    this.#attempts = undefined;
  }

  /** Resolves when no thread touches the job any more. */
  whenStopped(): Promise<void> {
    if (this.isStopped) return Promise.resolve();
    return new Promise((resolve) => (this.#stoppedWaiters ??= []).push(resolve));
  }

  noteStopped(): void {
    this.isStopped = true;
    for (const resolve of this.#stoppedWaiters?.splice(0) ?? []) resolve();
    this.notePaused();
  }

  /** Resolves when the threads have handed back what they had of a job that is to pause, or when it is over. */
  whenPaused(): Promise<void> {
    return new Promise((resolve) => (this.#pauseWaiters ??= []).push(resolve));
  }

  notePaused(): void {
    for (const resolve of this.#pauseWaiters?.splice(0) ?? []) resolve();
  }

  wake(): void {
    const wakers = this.#wakers;
    this.#wakers = undefined;
    for (const waker of wakers ?? []) waker();
  }

  /** Why the one loop of a job that does not collect cannot be opened now; undefined if it can. */
  get loopRefusal(): string | undefined {
    if (this.collects) return undefined;
    if (this.#loop !== "none") return "a job with collect: false can be read by one loop only";
    if (this.#hasDropped) {
      return "outcomes were dropped before this loop began; with collect: false, open it in the tick of run";
    }
    return undefined;
  }

  openFeed(ending: () => FeedEnding): Feed {
    const wait = (wake: () => void): void => {
      (this.#wakers ??= new Set()).add(wake);
    };
    if (this.collects) {
      let next = 0;
      return {
        take: () => this.#log[next++] ?? (next--, undefined),
        onRead: () => undefined,
        ending,
        wait,
        leave: () => undefined,
      };
    }
    this.#loop = "open";
    let head = 0;
    return {
      take: () => {
        const run = this.#queue[head];
        if (run === undefined) return undefined;
        head++;
        if (head * 2 >= this.#queue.length) {
          this.#queue = this.#queue.slice(head);
          head = 0;
        }
        return run;
      },
      onRead: (run) => this.#pass(run),
      ending,
      wait,
      leave: () => {
        this.#loop = "left";
        this.#queue = [];
        this.#owner?.onLeft(this);
      },
    };
  }

  /** Attempts of items that took more than one; empty for a job that does not collect. */
  get attempts(): ReadonlyMap<number, number> | undefined {
    return this.#attempts;
  }

  /** What was found in the cache of single items, for a job that collects. */
  get found(): IndexRange[] | undefined {
    if (this.fromCache === 0) return undefined;
    return this.#log.filter(({ attempts }) => attempts === NEVER_RUN).map(({ start, count }) => ({ start, count }));
  }

  /** Makes this the settled job that had this result, without having run. */
  restore({ result, attempts, found }: KeptRun, now: number): void {
    this.#result = result;
    this.completed = result.values.length;
    this.supplied = result.values.length;
    this.sourceEnded = true;
    if (this.supplied > 0) {
      const { values } = result;
      const whole = { start: 0, count: this.supplied, values, offset: 0, failures: undefined, attempts };
      this.#log = found === undefined ? [whole] : splitAt(whole, found);
    }
    this.settle("completed", undefined, now);
    this.noteStopped();
  }

  get total(): number | undefined {
    if (this.sourceEnded) return this.supplied;
    const known = this.source.length ?? this.totalHint;
    return known === undefined ? undefined : Math.max(known, this.supplied);
  }

  progress(now: number, seen: number): Progress {
    const { completed, failed, total } = this;
    this.#meter ??= new ProgressMeter(this.startedAt);
    if (this.endedAt !== undefined) this.#meter.end(this.endedAt);
    return this.#meter.snapshot({ completed, failed, seen, total }, now, this.detail);
  }

  stats(now: number): JobStats {
    const { completed, failed, fromCache, retries, batches, threadMs } = this;
    const elapsedMs = (this.endedAt ?? now) - this.startedAt;
    return { items: completed + failed, completed, failed, fromCache, retries, batches, elapsedMs, threadMs };
  }

  /** Made once, when it is first asked for, and shared by all handles. */
  result(now: number): JobResult<unknown> {
    return (this.#result ??= this.#makeResult(now));
  }

  #makeResult(now: number): JobResult<unknown> {
    // Columns are the result as they lie there.
    const values = (this.columns?.output ?? this.#values ?? valuesOf(this.#log)) as unknown[];
    // The answers need not be kept beside the array that was made of them.
    this.#log = this.#log.map((run) => (run.values === values ? run : { ...run, values, offset: run.start }));
    const failures = [...(this.#failures?.values() ?? [])].toSorted((a, b) => a.index - b.index);
    return { jobId: this.id, values, failures, stats: this.stats(now) };
  }
}

/** Values that are in a column already lie at their indices there. */
function inColumn(run: OutcomeRun, column: NumberColumn): OutcomeRun {
  return { ...run, values: column, offset: run.start };
}

/** All items of a job, with those apart that were never run. */
function splitAt(whole: OutcomeRun, found: readonly IndexRange[]): OutcomeRun[] {
  const runs: OutcomeRun[] = [];
  let next = 0;
  const runUntil = (end: number): void => {
    if (end > next) runs.push({ ...whole, start: next, count: end - next, offset: next });
  };
  for (const { start, count } of found.toSorted((a, b) => a.start - b.start)) {
    runUntil(start);
    runs.push({ ...whole, start, count, offset: start, attempts: NEVER_RUN });
    next = start + count;
  }
  runUntil(whole.count);
  return runs;
}
