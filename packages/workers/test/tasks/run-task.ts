/**
 * Runs a task's definition without an engine: setup, every item (or one batch), teardown, with a context made by hand.
 * The real runner has tests of its own; here the tasks are what is tested.
 */
import type { BatchContext, ItemContext, TaskContext } from "../../src/context.js";
import type { Task } from "../../src/define-task.js";

type RunOutcome<Result> =
  | { readonly status: "completed"; readonly value: Result }
  | { readonly status: "failed"; readonly error: Error & { readonly code?: unknown; readonly final?: unknown } };

export interface RunOptions<Options> {
  readonly options?: Options;
  /** Called each time the task asks whether it is still wanted, with the number of the question, from 1. */
  readonly onCheck?: (check: number, cancel: (reason: unknown) => void) => void;
}

export interface TaskRun<Result> {
  readonly outcomes: RunOutcome<Result>[];
  /** Everything that the task marked to be handed over. */
  readonly transferred: unknown[];
  /** How often the task ran something as native code. */
  readonly nativeCalls: number;
}

export async function runTask<Item, Result, Options>(
  task: Task<Item, Result, Options>,
  items: readonly Item[],
  { options, onCheck }: RunOptions<Options> = {},
): Promise<TaskRun<Result>> {
  const { definition } = task;
  const resource = await definition.setup?.(options);
  const controller = new AbortController();
  const transferred: unknown[] = [];
  let nativeCalls = 0;
  let checks = 0;
  const check = () => {
    onCheck?.(++checks, (reason) => controller.abort(reason));
    return controller.signal.aborted;
  };
  const shared: TaskContext<unknown, unknown> = {
    resource,
    options,
    jobId: "job",
    signal: controller.signal,
    get cancelled() {
      return check();
    },
    throwIfCancelled: () => {
      if (check()) throw controller.signal.reason;
    },
    detail: () => {},
    transfer: (value) => {
      transferred.push(value);
      return value;
    },
    native: (fn) => {
      nativeCalls++;
      return fn();
    },
  };
  try {
    const outcomes =
      definition.item !== undefined
        ? await runItems<Result>(definition.item, items, shared)
        : await runBatch<Result>(definition.batch as NonNullable<typeof definition.batch>, items, shared);
    return { outcomes, transferred, nativeCalls };
  } finally {
    await definition.teardown?.(resource);
  }
}

type ItemHandler = (item: unknown, ctx: ItemContext<unknown, unknown>) => unknown;
type BatchHandler = (
  items: unknown[],
  ctx: BatchContext<unknown, unknown>,
) => readonly unknown[] | Promise<readonly unknown[]>;

async function runItems<Result>(
  handler: ItemHandler,
  items: readonly unknown[],
  shared: TaskContext<unknown, unknown>,
): Promise<RunOutcome<Result>[]> {
  return Promise.all(
    items.map(async (item, index): Promise<RunOutcome<Result>> => {
      try {
        const ctx = Object.defineProperties({ index, attempt: 1 }, Object.getOwnPropertyDescriptors(shared));
        const value = (await handler(item, ctx as ItemContext<unknown, unknown>)) as Result;
        return { status: "completed", value };
      } catch (error) {
        return { status: "failed", error: error as Error };
      }
    }),
  );
}

/** A throw of the handler fails every item, as the runner does once it has split the batch. */
async function runBatch<Result>(
  handler: BatchHandler,
  items: readonly unknown[],
  shared: TaskContext<unknown, unknown>,
): Promise<RunOutcome<Result>[]> {
  const failures = new Map<number, Error>();
  const own = {
    indices: items.map((_, i) => i),
    attempts: items.map(() => 1),
    fail: (position: number, error: unknown) => failures.set(position, error as Error),
  };
  const ctx = Object.defineProperties(own, Object.getOwnPropertyDescriptors(shared));
  try {
    const values = (await handler([...items], ctx as unknown as BatchContext<unknown, unknown>)) as readonly Result[];
    if (values.length !== items.length) throw new Error(`${values.length} results for ${items.length} items`);
    return values.map((value, i) => {
      const error = failures.get(i);
      return error === undefined ? { status: "completed", value } : { status: "failed", error };
    });
  } catch (error) {
    return items.map(() => ({ status: "failed", error: error as Error }));
  }
}

/** The value of the only item, or its error thrown. */
export async function runOne<Item, Result, Options>(
  task: Task<Item, Result, Options>,
  item: Item,
  options?: Options,
): Promise<Result> {
  const run = await runTask(task, [item], options === undefined ? {} : { options });
  const [outcome] = run.outcomes;
  if (outcome?.status === "completed") return outcome.value;
  throw outcome?.error ?? new Error("no outcome");
}
