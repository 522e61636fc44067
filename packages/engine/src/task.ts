/** A reference to a task: where it lies, with the types of what it takes and gives. */
import { isAbsolute } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { InvalidArgumentError, type NumberColumn } from "@threadmill/protocol";
import type { ColumnsTask, Task } from "@threadmill/workers/runner";

/** Item, result and options of a handler: of a task made by `defineTask`, or of a plain function. */
export type ItemOf<Handler> =
  Handler extends Task<infer Item, infer _Result, infer _Options>
    ? Item
    : Handler extends (item: infer Item, ...rest: never[]) => unknown
      ? Item
      : never;
export type ResultOf<Handler> =
  Handler extends Task<infer _Item, infer Result, infer _Options>
    ? Result
    : Handler extends (...args: never[]) => infer Result
      ? Awaited<Result>
      : never;
export type OptionsOf<Handler> = Handler extends Task<infer _Item, infer _Result, infer Options> ? Options : undefined;

declare const taskOptions: unique symbol;
declare const taskTypes: unique symbol;

/** Where a task lies. */
export interface AnyTaskReference<Options> {
  readonly url: string;
  readonly exportName: string;
  /** For the compiler only: no such property exists at run time. */
  readonly [taskOptions]?: Options;
}

/** What `engine.run` takes. Made by {@link task}; nothing is loaded until a thread needs it. */
export interface TaskReference<Item, Result, Options> extends AnyTaskReference<Options> {
  /** For the compiler only. */
  readonly [taskTypes]?: { readonly item: (item: Item) => void; readonly result: Result };
}

/** The same for a columns task: it takes a whole column, and gives one. */
export interface ColumnsReference<
  Input extends NumberColumn,
  Output extends NumberColumn,
  Options,
> extends AnyTaskReference<Options> {
  /** For the compiler only. */
  readonly [taskTypes]?: { readonly input: (input: Input) => void; readonly output: Output };
}

/** What {@link task} makes of a handler's type. */
export type ReferenceTo<Handler> =
  Handler extends ColumnsTask<infer Input, infer Output, infer Options>
    ? ColumnsReference<Input, Output, Options>
    : TaskReference<ItemOf<Handler>, ResultOf<Handler>, OptionsOf<Handler>>;

/**
 * A typed reference to the task that a module exports. The module is never loaded on the main thread.
 *
 * ```ts
 * import type { resize } from "./resize.js";
 * const ref = task<typeof resize>(new URL("./resize.js", import.meta.url), "resize");
 * ```
 *
 * Without the type, items, results and options are `unknown`: all is allowed, and nothing is checked.
 *
 * @param module a `file:` or `data:` URL, or an absolute path. Where there is no such `.js`, a `.ts` beside it is meant,
 * and the other way round.
 * @throws {InvalidArgumentError} a relative path: it would mean another file in a thread.
 */
export function task<Handler = Task<unknown, unknown, unknown>>(
  module: URL | string,
  exportName = "default",
): ReferenceTo<Handler> {
  if (typeof exportName !== "string" || exportName === "") {
    throw new InvalidArgumentError("task: the export's name must be a string that is not empty");
  }
  return { url: urlOf(module), exportName } satisfies AnyTaskReference<unknown> as ReferenceTo<Handler>;
}

function urlOf(module: unknown): string {
  if (module instanceof URL) return checkProtocol(module);
  if (typeof module !== "string") {
    throw new InvalidArgumentError(`task: give the module's URL or absolute path, not ${typeof module}`);
  }
  if (isAbsolute(module)) return pathToFileURL(module).href;
  if (URL.canParse(module)) return checkProtocol(new URL(module));
  // A name without a dot in front may be that of a package.
  const [file, name] = [module.startsWith(".") ? module : `./${module}`, module].map((text) => JSON.stringify(text));
  const remedy = `write new URL(${file}, import.meta.url)`;
  const orPackage = module.startsWith(".") ? "" : `, or import.meta.resolve(${name}) if it is a package`;
  throw new InvalidArgumentError(`task: ${name} is neither a URL nor an absolute path; ${remedy}${orPackage}`);
}

function checkProtocol(url: URL): string {
  if (url.protocol === "file:") {
    try {
      return pathToFileURL(fileURLToPath(url)).href + url.search;
    } catch (error) {
      throw new InvalidArgumentError(`task: ${url.href} is no file on this machine`, { cause: error });
    }
  }
  if (url.protocol === "data:") return url.href;
  throw new InvalidArgumentError(`task: a module is loaded from a file: or data: URL, not ${url.protocol}`);
}

/** @throws {InvalidArgumentError} it was not made by {@link task}. */
export function checkTaskReference(value: unknown): asserts value is AnyTaskReference<unknown> {
  if (isTaskReference(value)) return;
  const remedy =
    typeof value === "function"
      ? ", not a function: that cannot travel to a thread, so export it from a module of its own"
      : "";
  throw new InvalidArgumentError(`run: the first argument must be made by task(url, exportName)${remedy}`);
}

export function isTaskReference(value: unknown): value is AnyTaskReference<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as { url?: unknown }).url === "string" &&
    typeof (value as { exportName?: unknown }).exportName === "string"
  );
}
