/** How items end, and what a job gives in the end. */
import type { Column, TaskError } from "@threadmill/protocol";

/** How one item ended. Exactly one is delivered for every item of a completed job. */
export type Outcome<Value> =
  | { readonly index: number; readonly status: "completed"; readonly value: Value; readonly attempt: number }
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
  /** Attempts beyond the first of each item. */
  readonly retries: number;
  readonly batches: number;
  /** From `run` to the end. */
  readonly elapsedMs: number;
  /** Time that the job's batches held their threads, all threads together. */
  readonly threadMs: number;
}

/** What `result` resolves with. */
export interface JobResult<Value> {
  readonly jobId: string;
  /** By index; `undefined` where the item failed. Empty for a job that does not collect. */
  readonly values: Value[];
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
  readonly values: Column;
  /** Where in `values` the first one is. */
  readonly offset: number;
  readonly failures: ReadonlyMap<number, ItemFailure> | undefined;
  /** Attempts of completed items that took more than one. */
  readonly attempts: ReadonlyMap<number, number> | undefined;
}

export function outcomeAt(run: OutcomeRun, at: number): Outcome<unknown> {
  const index = run.start + at;
  const failure = run.failures?.get(index);
  if (failure !== undefined) return { index, status: "failed", error: failure.error, attempt: failure.attempt };
  return {
    index,
    status: "completed",
    value: run.values[run.offset + at],
    attempt: run.attempts?.get(index) ?? 1,
  };
}
