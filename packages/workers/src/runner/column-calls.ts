/** A batch as ranges of shared columns: claimed a piece at a time, so that the rest can be taken back. */
import { type NumberColumn, toErrorRecord } from "@threadmill/protocol";
import type { ColumnsDefinition } from "../define-task.js";
import type { BatchRun } from "./batch-run.js";
import { CallContext, type ContextHost, isThenable, promiseOf, timeoutError } from "./task-context.js";

type AnyColumnsDefinition = ColumnsDefinition<NumberColumn, NumberColumn, unknown, unknown>;

/** Elements in one call at the most: enough that the call costs nothing, few enough that a cancel is seen soon. */
const MAX_PIECE = 16_384;
/** A batch is cut into at least so many pieces: it takes about `batchMs`, however slow the handler is. */
const MIN_PIECES = 8;

/** Claims and runs piece after piece, until nothing is left for this thread. A failure spoils the batch. */
export function callColumns(
  run: BatchRun,
  definition: AnyColumnsDefinition,
  resource: unknown,
  host: ContextHost,
): void {
  run.exhausted = true;
  // Sent before the main thread knew what kind of task this is: it will come again.
  if (run.columns === undefined) return;
  const { row, count, number } = run;
  const { input, output } = run.columns;
  const most = Math.min(MAX_PIECE, Math.ceil(count / MIN_PIECES));
  while (run.next < count && run.spoilt === undefined) {
    const first = run.next;
    const length = row.claimTo(number, first, run.rangeEnd(first, Math.min(first + most, count)));
    if (length === 0) return;
    run.next = first + length;
    const start = run.indexOf(first);
    const ctx = new CallContext(run, host, resource);
    ctx.position = first;
    if (run.timeoutMs > 0) ctx.deadline = host.now() + run.timeoutMs;
    try {
      const result: unknown = definition.columns(
        input.subarray(start, start + length),
        output.subarray(start, start + length),
        ctx,
      );
      if (isThenable(result)) {
        // Its rejection would be nobody's, and end the thread.
        promiseOf(result).catch(() => undefined);
        throw new TypeError("a columns handler must be synchronous; this one returned a promise");
      }
      if (ctx.isLate) throw timeoutError(run.timeoutMs);
    } catch (error) {
      run.spoilt = [ctx.isLate ? "TASK_TIMEOUT" : "TASK_FAILED", toErrorRecord(error)];
    }
    ctx.end();
  }
}
