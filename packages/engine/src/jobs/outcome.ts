/** How items end, and what a job gives in the end. */
import type { BatchIndices, Column, NumberColumn, TaskError } from "@threadmill/protocol";

/** How one item ended. Exactly one is delivered for every item of a completed job. */
export type Outcome<Value> =
  | {
      readonly index: number;
      readonly status: "completed";
      readonly value: Value;
      /** Which run of the item it was, from 1; 0 if it was not run, because the job's `cache` had its value. */
      readonly attempt: number;
    }
  | { readonly index: number; readonly status: "failed"; readonly error: TaskError; readonly attempt: number };

export interface ItemFailure {
  readonly index: number;
  readonly error: TaskError;
  /** The attempt that was the last. */
  readonly attempt: number;
}

export interface JobStats {
  readonly items: number;
  readonly completed: number;
  readonly failed: number;
  /** Completed items that no thread has seen: their value was in the job's `cache`, or came from one with their key. */
  readonly fromCache: number;
  /** Attempts beyond the first of each item. */
  readonly retries: number;
  readonly batches: number;
  /** From `run` to the end. */
  readonly elapsedMs: number;
  /** Time that the job's batches held their threads, all threads together. */
  readonly threadMs: number;
}

/** What `result` resolves with. */
export interface JobResult<Value, Values = Value[]> {
  readonly jobId: string;
  /**
   * By index; `undefined` where the item failed. Empty for a job that does not collect. Of a columns task: its output, in
   * shared memory, with 0 where an item failed.
   */
  readonly values: Values;
  /** By index, ascending. */
  readonly failures: readonly ItemFailure[];
  readonly stats: JobStats;
}

/**
 * Outcomes that were delivered together, as they lie in memory: a range of indices and the column that holds their
 * values. `Outcome` objects are made of it only for readers that ask for them.
 */
export interface OutcomeRun {
  readonly start: number;
  readonly count: number;
  readonly values: Column | NumberColumn;
  /** Where in `values` the first one is. */
  readonly offset: number;
  readonly failures: ReadonlyMap<number, ItemFailure> | undefined;
  /** Attempts of completed items that took more than one, or {@link NEVER_RUN}. */
  readonly attempts: ReadonlyMap<number, number> | undefined;
}

/** The attempts of a run of items whose values were found in a cache. */
export const NEVER_RUN: ReadonlyMap<number, number> = new Map();

/** A batch that was committed, as the engine hands it to its job. */
export interface CommittedBatch {
  readonly indices: BatchIndices;
  readonly claimed: number;
  readonly values: Column;
  readonly failures: ReadonlyMap<number, ItemFailure> | undefined;
  readonly attempts: ReadonlyMap<number, number> | undefined;
  /** Positions that go again, or were not run. */
  readonly skipped: ReadonlySet<number> | undefined;
}

/** The batch as runs: as few as possible, without what was skipped. */
export function runsOf(batch: CommittedBatch): OutcomeRun[] {
  const { indices, claimed, values, failures, attempts, skipped } = batch;
  if (typeof indices !== "number" || skipped !== undefined) return runsApart(batch);
  return [{ start: indices, count: claimed, values, offset: 0, failures, attempts }];
}

function runsApart({ indices, claimed, values, failures, attempts, skipped }: CommittedBatch): OutcomeRun[] {
  const indexAt = (position: number): number =>
    typeof indices === "number" ? indices + position : (indices[position] as number);
  const runs: OutcomeRun[] = [];
  for (let offset = 0; offset < claimed;) {
    let count = 0;
    const start = indexAt(offset);
    while (offset + count < claimed && !skipped?.has(offset + count) && indexAt(offset + count) === start + count) {
      count++;
    }
    if (count > 0) runs.push({ start, count, values, offset, failures, attempts });
    offset += Math.max(count, 1);
  }
  return runs;
}

/** As many arrays as `concat` is given at once: arguments lie on the stack. */
const MOST_ARGUMENTS = 1_024;

/**
 * The values of all runs, which must cover every index from 0 once, as one array. Whole pieces are joined, which copies
 * memory; setting one value after another into a growing array takes three times as long.
 */
export function valuesOf(runs: readonly OutcomeRun[]): unknown[] {
  const inOrder = runs.toSorted((a, b) => a.start - b.start);
  if (inOrder.every(({ values }) => !Array.isArray(values))) return numbersOf(inOrder);
  let pieces = inOrder.map(pieceOf);
  while (pieces.length > 1) {
    const joined: unknown[][] = [];
    for (let at = 0; at < pieces.length; at += MOST_ARGUMENTS) {
      joined.push(([] as unknown[]).concat(...pieces.slice(at, at + MOST_ARGUMENTS)));
    }
    pieces = joined;
  }
  return pieces[0] ?? [];
}

function pieceOf(run: OutcomeRun): unknown[] {
  const { values, offset, count } = run;
  if (!Array.isArray(values)) return numbersOf([run]);
  return count === values.length ? (values as unknown[]) : values.slice(offset, offset + count);
}

/** Out of blocks of numbers, which cannot be joined but one by one. */
function numbersOf(runs: readonly OutcomeRun[]): unknown[] {
  const length = runs.reduce((sum, { count }) => sum + count, 0);
  // oxlint-disable-next-line unicorn/no-new-array -- of this length, and filled at once: three times as fast as pushing
  const numbers = new Array<unknown>(length);
  let next = 0;
  for (const { values, offset, count } of runs) {
    for (let at = offset; at < offset + count; at++) numbers[next++] = values[at];
  }
  return numbers;
}

function attemptAt(attempts: ReadonlyMap<number, number>, index: number): number {
  return attempts === NEVER_RUN ? 0 : (attempts.get(index) ?? 1);
}

export function outcomeAt(run: OutcomeRun, at: number): Outcome<unknown> {
  const index = run.start + at;
  const failure = run.failures?.get(index);
  if (failure !== undefined) return { index, status: "failed", error: failure.error, attempt: failure.attempt };
  return {
    index,
    status: "completed",
    value: run.values[run.offset + at],
    attempt: run.attempts === undefined ? 1 : attemptAt(run.attempts, index),
  };
}
