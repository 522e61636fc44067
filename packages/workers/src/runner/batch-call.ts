/** A batch as a whole, given to a vectorised handler. */
import { toErrorRecord } from "@threadmill/protocol";
import type { BatchDefinition } from "../define-task.js";
import type { BatchRun } from "./batch-run.js";
import type { Lanes } from "./lanes.js";
import { CallContext, type ContextHost, isThenable, timeoutError } from "./task-context.js";

type AnyBatchDefinition = BatchDefinition<unknown, unknown, unknown, unknown>;

/** Claims all that the limit leaves, and calls the handler. A failure spoils the batch: the main thread splits it. */
export function callBatch(
  run: BatchRun,
  definition: AnyBatchDefinition,
  resource: unknown,
  lanes: Lanes,
  host: ContextHost,
): void {
  run.exhausted = true;
  const claimed = run.row.claimTo(run.number, 0, run.count);
  run.next = claimed;
  if (claimed === 0) return;
  const ctx = new CallContext(run, host, resource);
  ctx.position = claimed;
  if (run.timeoutMs > 0) ctx.deadline = host.now() + run.timeoutMs;
  const spoil = (error: unknown): void => {
    if (ctx.isLate) expired();
    else run.spoilt = ["TASK_FAILED", toErrorRecord(error)];
  };
  const expired = (): void => {
    run.spoilt = ["TASK_TIMEOUT", toErrorRecord(timeoutError(run.timeoutMs))];
  };
  const take = (value: unknown): void => {
    if (!Array.isArray(value) || value.length !== claimed) {
      const got = Array.isArray(value) ? `${value.length} results` : `no array (${typeof value})`;
      throw new TypeError(`a batch handler must return as many results as items: ${got} for ${claimed} items`);
    }
    for (let position = 0; position < claimed; position++) run.values.set(position, value[position]);
  };
  const fulfilled = (value: unknown): void => {
    if (ctx.isLate) {
      expired();
      return;
    }
    try {
      // What passes for an array may be a proxy, which can throw at every look.
      take(value);
    } catch (error) {
      spoil(error);
    }
  };
  let result: unknown;
  let waits: boolean;
  try {
    result = definition.batch(Array.from(run.items.slice(0, claimed)), ctx);
    waits = isThenable(result);
  } catch (error) {
    ctx.end();
    spoil(error);
    return;
  }
  if (waits) {
    lanes.hold(run, ctx, result, { fulfilled, rejected: spoil, expired });
    return;
  }
  ctx.end();
  fulfilled(result);
}
