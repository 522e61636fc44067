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
import { KeptOutcomes } from "./kept-outcomes.js";
import {
  type CommittedBatch,
  type ItemFailure,
  type JobResult,
  type JobStats,
  NEVER_RUN,
  type OutcomeRun,
  runsOf,
} from "./outcome.js";
import { type Progress, ProgressMeter } from "./progress.js";
import type { Feed, FeedEnding } from "./readers.js";
import type { Source } from "./source.js";
import { StreamedOutcomes } from "./streamed-outcomes.js";

export type JobState = "waiting" | "running" | "paused" | "completed" | "failed" | "cancelled";

export type SettledState = "completed" | "failed" | "cancelled";

/** What is kept of a job by its id. */
export interface KeptRun {
  readonly result: JobResult<unknown>;
  readonly attempts: ReadonlyMap<number, number> | undefined;
  readonly found: readonly IndexRange[] | undefined;
}

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
  readonly #outcomes: KeptOutcomes | StreamedOutcomes;
  #result: JobResult<unknown> | undefined;

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
    const { owner } = init;
    this.#outcomes = init.collects
      ? new KeptOutcomes()
      : new StreamedOutcomes({ onPassed: (run) => this.#pass(run, owner), onLeft: () => owner?.onLeft(this) });
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
    for (const index of failures?.keys() ?? []) this.memo?.noteFailed(index);
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

  /** What has become of items that waited for others with their key; undefined if no wait has ended. */
  takeAwaited(): SortedItems | undefined {
    const sorted = this.isSettled ? undefined : this.memo?.takeSorted();
    if (sorted === undefined || sorted.found.length + sorted.toRun.length === 0) return undefined;
    this.noteFound(sorted);
    return sorted;
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
    this.memo?.noteFailed(index);
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
    if (this.#outcomes instanceof StreamedOutcomes) {
      this.#outcomes.add(run);
      return;
    }
    this.source.release(run.start, run.count);
    this.#outcomes.add(run, this.columns === undefined ? this.source.length : undefined);
  }

  /** The outcomes have left the job: there is room for others. */
  #pass(run: OutcomeRun, owner: JobOwner | undefined): void {
    this.source.release(run.start, run.count);
    owner?.onRead(this, run.count);
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
    this.#outcomes.drop();
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
    this.#outcomes.wakers.wakeAll();
  }

  /** Why no loop can be opened now; undefined if one can. */
  get loopRefusal(): string | undefined {
    return this.#outcomes.loopRefusal;
  }

  openFeed(ending: () => FeedEnding): Feed {
    return this.#outcomes.openFeed(ending);
  }

  /** Attempts of items that took more than one; empty for a job that does not collect. */
  get attempts(): ReadonlyMap<number, number> | undefined {
    return this.#attempts;
  }

  /** What was found in the cache of single items, for a job that collects. */
  get found(): IndexRange[] | undefined {
    return this.fromCache === 0 ? undefined : this.#outcomes.found();
  }

  /** Makes this the settled job that had this result, without having run. */
  restore({ result, attempts, found }: KeptRun, now: number): void {
    this.#result = result;
    this.completed = result.values.length;
    this.supplied = result.values.length;
    this.sourceEnded = true;
    if (this.#outcomes instanceof KeptOutcomes) this.#outcomes.restore(result.values, attempts, found);
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
    const values = this.#outcomes.join(this.columns?.output) as unknown[];
    const failures = [...(this.#failures?.values() ?? [])].toSorted((a, b) => a.index - b.index);
    return { jobId: this.id, values, failures, stats: this.stats(now) };
  }
}

/** Values that are in a column already lie at their indices there. */
function inColumn(run: OutcomeRun, column: NumberColumn): OutcomeRun {
  return { ...run, values: column, offset: run.start };
}
