/**
 * The answer to a batch: values packed for the way, and the post that cannot kill the thread. Piscina posts what a
 * handler returns outside of any `try`, so that one function in a result ends the thread; we post ourselves.
 */
import type { MessagePort, Transferable } from "node:worker_threads";
import { type Column, type DoneMessage, toErrorRecord } from "@threadmill/protocol";
import type { BatchRun } from "./batch-run.js";

const MIN_MEASURED = 32;

/** Posts the answer to a batch of which all claimed items have settled. */
export function postDone(port: MessagePort, run: BatchRun, elapsedMs: number, now: () => number): void {
  const { recipe, next } = run;
  const startedAt = now();
  write(port, run, elapsedMs);
  // Of a short list it would be the cost of the message, not of the values.
  if (next >= MIN_MEASURED) recipe.writeMsPerItem = (now() - startedAt) / next;
}

function write(port: MessagePort, run: BatchRun, elapsedMs: number): void {
  // The place of an item that failed is ignored, whatever a batch handler put there.
  if (run.columns !== undefined) {
    port.postMessage(answer(run, undefined, elapsedMs));
    return;
  }
  for (const position of run.failures.keys()) run.values.set(position, undefined);
  try {
    port.postMessage(answer(run, run.values.column(run.next), elapsedMs), transfersOf(run));
  } catch (error) {
    postWithoutCulprits(port, run, elapsedMs, error);
  }
  run.values.release();
}

function answer(run: BatchRun, column: Column | undefined, elapsedMs: number): DoneMessage {
  const failures = run.failures.size === 0 ? undefined : [...run.failures.values()];
  return ["done", run.number, run.next, column, failures, elapsedMs, run.next * run.recipe.writeMsPerItem];
}

/** An empty buffer has nothing to move, and one that was moved before is empty: it would make the answer unreadable. */
function transfersOf(run: BatchRun): Transferable[] {
  return [...run.transfers].filter((buffer) => buffer.byteLength > 0);
}

/** Something in the answer cannot be cloned: find what, fail those items, and send the rest. */
function postWithoutCulprits(port: MessagePort, run: BatchRun, elapsedMs: number, error: unknown): void {
  const values = run.values.list(run.next);
  const fail = (position: number, reason: unknown): void => {
    const cause = toErrorRecord(reason);
    const message = `the result of item ${run.indexOf(position)} cannot travel between threads: ${cause.message}`;
    run.failWith(position, "NOT_CLONEABLE", { name: "NotCloneableError", message, cause, final: true });
    values[position] = undefined;
  };
  for (const [position, value] of values.entries()) {
    try {
      structuredClone(value);
    } catch (reason) {
      fail(position, reason);
    }
  }
  try {
    port.postMessage(answer(run, values, elapsedMs), transfersOf(run));
  } catch {
    // Each value can travel, so it is the list of what to move that cannot: a buffer that is pinned.
    try {
      port.postMessage(answer(run, values, elapsedMs));
    } catch {
      for (let position = 0; position < values.length; position++) fail(position, error);
      port.postMessage(answer(run, values, elapsedMs));
    }
  }
}
