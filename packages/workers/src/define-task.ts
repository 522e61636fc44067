/**
 * `defineTask`: how a worker module says what it can do. The result is data with a brand, so that a thread
 * recognises a task made by another copy of this package.
 */
import {
  InvalidArgumentError,
  type NumberColumn,
  type NumberColumnName,
  TASK_BRAND,
  type TaskKind,
  isNumberColumnName,
} from "@threadmill/protocol";
import type { BatchContext, ColumnsContext, ItemContext } from "./context.js";

/** What every form of task may say. */
interface CommonDefinition<Options, Resource> {
  /**
   * Made once per thread and per distinct options, before the first item, and kept warm: open the model, compile
   * the grammar, connect. A throw fails the job with `SETUP_FAILED`, whatever its `onError` says.
   */
  readonly setup?: (options: Options) => Resource | Promise<Resource>;
  /** Called when a thread gives a resource up: too many others are kept, or the engine closes. */
  readonly teardown?: (resource: Awaited<Resource>) => void | Promise<void>;
  /** Items in one batch at the most. Default: the engine's `maxBatchItems`. */
  readonly maxBatchItems?: number;
  /**
   * Whether the handler may be inside native code, where terminating its thread could abort the process. Default:
   * yes as soon as the thread has loaded an addon. `false` promises that it never is; `true` says it is from the
   * start, for addons that were loaded before.
   */
  readonly native?: boolean;
}

/** A handler for one item at a time. Isolation, cancel checks and progress come for free. */
export interface ItemDefinition<Item, Result, Options, Resource> extends CommonDefinition<Options, Resource> {
  readonly item: (item: Item, ctx: ItemContext<Awaited<Resource>, Options>) => Result | Promise<Result>;
  /** Items in flight at once in one thread. Default 1; worth raising where a handler waits for libuv or a network. */
  readonly concurrency?: number;
  readonly batch?: never;
  readonly columns?: never;
}

/** A handler for a whole batch: as many results as items, in their order. */
export interface BatchDefinition<Item, Result, Options, Resource> extends CommonDefinition<Options, Resource> {
  readonly batch: (
    items: Item[],
    ctx: BatchContext<Awaited<Resource>, Options>,
  ) => readonly Result[] | Promise<readonly Result[]>;
  readonly item?: never;
  readonly columns?: never;
  readonly concurrency?: never;
}

/**
 * A handler for ranges of a column of numbers: it reads `input` and writes `output`, two views of the same length on
 * memory that all threads share, so that nothing is cloned. It is called for a piece of the column at a time, and must
 * be synchronous. An input that is not in shared memory is copied there once.
 */
export interface ColumnsDefinition<
  Input extends NumberColumn,
  Output extends NumberColumn,
  Options,
  Resource,
> extends CommonDefinition<Options, Resource> {
  /** The class of the output: `values` is one of these, with 0 where nothing was written. */
  readonly output: NumberColumnClass<Output>;
  readonly columns: (input: Input, output: Output, ctx: ColumnsContext<Awaited<Resource>, Options>) => void;
  readonly item?: never;
  readonly batch?: never;
  readonly concurrency?: never;
}

/** `Float32Array` and its like. */
export interface NumberColumnClass<Output extends NumberColumn> {
  readonly prototype: Output;
  readonly name: string;
}

/** Item, result and options of a task, for the compiler only: no such property exists at run time. */
declare const taskTypes: unique symbol;

/** A task as `defineTask` returns it. Its type carries item, result and options to `engine.run`. */
export interface Task<Item, Result, Options> {
  readonly [taskTypes]?: { readonly item: Item; readonly result: Result; readonly options: Options };
  readonly [TASK_BRAND]: true;
  readonly kind: TaskKind;
  readonly definition: TaskDefinition;
}

declare const columnTypes: unique symbol;

/** A task over columns. Its type carries the classes of input and output as well. */
export interface ColumnsTask<Input extends NumberColumn, Output extends NumberColumn, Options> extends Task<
  Input[number],
  Output[number],
  Options
> {
  readonly [columnTypes]?: { readonly input: Input; readonly output: Output };
  readonly kind: "columns";
}

/** A definition with its types forgotten: what the runner works with. */
export type TaskDefinition =
  | ItemDefinition<unknown, unknown, unknown, unknown>
  | BatchDefinition<unknown, unknown, unknown, unknown>
  | ColumnsDefinition<NumberColumn, NumberColumn, unknown, unknown>;

/** What the definition's handler takes. */
export function kindOf(definition: TaskDefinition): TaskKind {
  if (definition.columns !== undefined) return "columns";
  return definition.batch === undefined ? "item" : "batch";
}

/** The class of a columns task's output, by name. */
export function outputOf(definition: TaskDefinition): NumberColumnName | undefined {
  return definition.columns === undefined ? undefined : (definition.output.name as NumberColumnName);
}

/**
 * Declares a task.
 *
 * @throws {InvalidArgumentError} none of `item`, `batch` and `columns`, or more than one; a handler that is not a
 * function; an unknown name; `concurrency` without `item`; `columns` without `output`; or a bound that is not a positive whole number.
 */
export function defineTask<Item, Result, Options = undefined, Resource = undefined>(
  definition: ItemDefinition<Item, Result, Options, Resource>,
): Task<Item, Result, Options>;
export function defineTask<Item, Result, Options = undefined, Resource = undefined>(
  definition: BatchDefinition<Item, Result, Options, Resource>,
): Task<Item, Result, Options>;
export function defineTask<
  Input extends NumberColumn,
  Output extends NumberColumn,
  Options = undefined,
  Resource = undefined,
>(definition: ColumnsDefinition<Input, Output, Options, Resource>): ColumnsTask<Input, Output, Options>;
export function defineTask(definition: object): Task<unknown, unknown, unknown> {
  const checked = checkDefinition(definition as Record<string, unknown>);
  return { [TASK_BRAND]: true, kind: kindOf(checked), definition: checked };
}

const KNOWN: readonly string[] = [
  "item",
  "batch",
  "columns",
  "output",
  "setup",
  "teardown",
  "concurrency",
  "maxBatchItems",
  "native",
];

function checkDefinition(definition: Record<string, unknown>): TaskDefinition {
  const refuse = (text: string): never => {
    throw new InvalidArgumentError(`defineTask: ${text}`);
  };
  for (const name of Object.keys(definition)) {
    if (!KNOWN.includes(name)) refuse(`unknown \`${name}\`; known are ${KNOWN.join(", ")}`);
  }
  const forms = ["item", "batch", "columns"].filter((form) => definition[form] !== undefined);
  if (forms.length !== 1) refuse("give exactly one handler, `item`, `batch` or `columns`");
  for (const name of [...forms, "setup", "teardown"]) {
    const value = definition[name];
    if (value !== undefined && typeof value !== "function") refuse(`\`${name}\` must be a function`);
  }
  for (const name of ["concurrency", "maxBatchItems"]) {
    const value = definition[name];
    if (value !== undefined && !(Number.isSafeInteger(value) && (value as number) > 0)) {
      refuse(`\`${name}\` must be a whole number above 0, not ${String(value)}`);
    }
  }
  if (definition["item"] === undefined && definition["concurrency"] !== undefined) {
    refuse("`concurrency` goes with `item`: a batch handler decides itself what runs at once");
  }
  const output = definition["output"] as { readonly name?: unknown } | undefined;
  if (definition["columns"] !== undefined && !isNumberColumnName(output?.name)) {
    refuse("`columns` needs `output`, the class of its output: Float64Array, say");
  }
  if (definition["native"] !== undefined && typeof definition["native"] !== "boolean") {
    refuse("`native` must be true or false");
  }
  return definition as unknown as TaskDefinition;
}

/** Whether a module's export was made by `defineTask`, of this copy of the package or another. */
export function isTask(value: unknown): value is Task<unknown, unknown, unknown> {
  return typeof value === "object" && value !== null && TASK_BRAND in value;
}
