/**
 * The answer to a batch: values packed for the way, and the post that cannot kill the thread. Piscina posts what a
 * handler returns outside of any `try`, so that one function in a result ends the thread; we post ourselves.
 */
import type { MessagePort, Transferable } from "node:worker_threads";
import {
  type Column,
  type DoneMessage,
  type ErrorCode,
  type FromThread,
  type PositionFailure,
  packColumn,
  toErrorRecord,
} from "@threadmill/protocol";
import type { BatchRun } from "./batch-run.js";

/** Posts the answer to a batch of which all claimed items have settled. */
export function postDone(port: MessagePort, run: BatchRun, elapsedMs: number): void {
  try {
    const column = packColumn(run.values);
    const transfers: Transferable[] = [...run.transfers];
    if (column instanceof Float64Array) transfers.push(column.buffer as ArrayBuffer);
    const message: DoneMessage = ["done", run.number, run.next, column, run.failures, elapsedMs];
    port.postMessage(message, transfers);
  } catch (error) {
    postWithoutCulprits(port, run, elapsedMs, error);
  }
}

/** Something in the answer cannot be cloned: find what, fail those items, and send the rest. */
function postWithoutCulprits(port: MessagePort, run: BatchRun, elapsedMs: number, error: unknown): void {
  const failures: PositionFailure[] = [...(run.failures ?? [])];
  const fail = (position: number, reason: unknown): void => {
    const { message } = toErrorRecord(reason);
    failures.push([
      position,
      "NOT_CLONEABLE" satisfies ErrorCode,
      {
        name: "NotCloneableError",
        message: `the result of item ${run.indexOf(position)} cannot travel between threads: ${message}`,
        cause: toErrorRecord(reason),
        final: true,
      },
    ]);
  };
  const values = run.values.map((value, position) => {
    try {
      structuredClone(value);
      return value;
    } catch (reason) {
      fail(position, reason);
      return undefined;
    }
  });
  const done = (column: Column): FromThread => ["done", run.number, run.next, column, failures, elapsedMs];
  try {
    port.postMessage(done(values), [...run.transfers]);
  } catch {
    // Each value can travel, so it is the list of what to move: the same buffer for two items, or one that is pinned.
    try {
      port.postMessage(done(values));
    } catch {
      for (let position = 0; position < values.length; position++) fail(position, error);
      port.postMessage(done(values.map(() => undefined)));
    }
  }
}
