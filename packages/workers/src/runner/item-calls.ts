/** Items one at a time: claimed, called, their values and failures noted. The hottest loop of a thread. */
import type { ItemDefinition } from "../define-task.js";
import type { BatchRun } from "./batch-run.js";
import type { Lanes } from "./lanes.js";
import { CallContext, type ContextHost, isThenable, timeoutError } from "./task-context.js";

type AnyItemDefinition = ItemDefinition<unknown, unknown, unknown, unknown>;

/** Claims and starts items until the lanes are full or nothing is left for this thread. */
export function callItems(
  run: BatchRun,
  definition: AnyItemDefinition,
  resource: unknown,
  lanes: Lanes,
  host: ContextHost,
): void {
  const { row, items, values, count, timeoutMs } = run;
  const { words } = row;
  const curAt = row.curAt(run.number);
  const limitAt = row.limitAt(run.number);
  const concurrency = run.askedConcurrency || (definition.concurrency ?? 1);
  const handler = definition.item;
  let ctx = new CallContext(run, host, resource);
  while (lanes.inFlight < concurrency) {
    const position = run.next;
    if (position >= count) {
      run.exhausted = true;
      return;
    }
    // The claim, spelled out: see the control block.
    Atomics.store(words, curAt, position);
    if (position >= Atomics.load(words, limitAt)) {
      run.exhausted = true;
      return;
    }
    run.next = position + 1;
    ctx.position = position;
    if (timeoutMs > 0) ctx.deadline = host.now() + timeoutMs;
    let result: unknown;
    let waits: boolean;
    try {
      result = handler(items[position], ctx);
      waits = isThenable(result);
    } catch (error) {
      if (ctx.isLate) failLate(run, position);
      else run.fail(position, error);
      ctx = nextContext(run, ctx, host, resource);
      continue;
    }
    if (waits) {
      awaitItem(run, ctx, position, result, lanes);
      ctx = new CallContext(run, host, resource);
      continue;
    }
    values.set(position, result);
    if (timeoutMs > 0) {
      if (ctx.isLate) failLate(run, position);
      ctx = nextContext(run, ctx, host, resource);
    }
  }
}

/** A ctx may serve many synchronous calls, but one that has a deadline, or went with an error, is used up. */
function nextContext(run: BatchRun, ctx: CallContext, host: ContextHost, resource: unknown): CallContext {
  ctx.end();
  return new CallContext(run, host, resource);
}

function awaitItem(run: BatchRun, ctx: CallContext, position: number, result: unknown, lanes: Lanes): void {
  lanes.hold(run, ctx, result, {
    fulfilled: (value) => {
      if (ctx.isLate) failLate(run, position);
      else run.values.set(position, value);
    },
    rejected: (error) => {
      if (ctx.isLate) failLate(run, position);
      else run.fail(position, error);
    },
    expired: () => failLate(run, position),
  });
}

function failLate(run: BatchRun, position: number): void {
  run.fail(position, timeoutError(run.timeoutMs), "TASK_TIMEOUT");
}
