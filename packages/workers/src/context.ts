/** What a handler is given beside its items. */

/** Common to item and batch handlers. */
export interface TaskContext<Resource = undefined, Options = undefined> {
  /** What `setup` returned in this thread. */
  readonly resource: Resource;
  /** The job's options, as the caller gave them. */
  readonly options: Options;
  readonly jobId: string;
  /**
   * Aborts when the job is cancelled or the handler's time is over. It wakes handlers that await; a handler that
   * computes must look at `cancelled`, since no event arrives while it holds the thread.
   */
  readonly signal: AbortSignal;
  /** Whether the work is no longer wanted: one atomic load, cheap enough for an inner loop. */
  readonly cancelled: boolean;
  /** Throws the signal's reason (an `AbortError`, or a `TaskTimeoutError`) when the work is no longer wanted. */
  throwIfCancelled(): void;
  /** Sends a value to the job's `detail` listeners. Coalesced: only the newest of a burst arrives. */
  detail(value: unknown): void;
  /**
   * Marks a buffer, or a view of one, to be moved rather than copied to the main thread, and returns it. The thread
   * must not use it afterwards. A view that shares a larger buffer is copied all the same.
   */
  transfer<Value>(value: Value): Value;
  /** Runs `fn` as native code: its thread is not terminated before it has returned. */
  native<Result>(fn: () => Result): Result;
}

export interface ItemContext<Resource = undefined, Options = undefined> extends TaskContext<Resource, Options> {
  /** The item's place in the job's input, from 0. */
  readonly index: number;
  /** Which run of this item it is, from 1. */
  readonly attempt: number;
}

export interface ColumnsContext<Resource = undefined, Options = undefined> extends TaskContext<Resource, Options> {
  /** Where the views begin in the job's columns. */
  readonly index: number;
  /** Which run of the first element it is, from 1. */
  readonly attempt: number;
}

export interface BatchContext<Resource = undefined, Options = undefined> extends TaskContext<Resource, Options> {
  readonly indices: readonly number[];
  readonly attempts: readonly number[];
  /** Fails the item at `position` of this batch, and only it. Its place in the returned array is ignored. */
  fail(position: number, error: unknown): void;
}
