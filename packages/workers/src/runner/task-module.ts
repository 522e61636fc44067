/** The module of a task: imported in a thread, and asked for an export. */
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { type ErrorCode, type ErrorRecord, toErrorRecord } from "@threadmill/protocol";
import { type TaskDefinition, isTask } from "../define-task.js";

/** Why a recipe cannot be used: it fails the job, not an item. */
export class RecipeError extends Error {
  readonly code: ErrorCode;
  readonly record: ErrorRecord;
  constructor(code: ErrorCode, record: ErrorRecord) {
    super(record.message);
    this.code = code;
    this.record = record;
  }
}

type Exports = Readonly<Record<string, unknown>>;

/** @throws {RecipeError} `TASK_LOAD_FAILED` or `TASK_NOT_FOUND`. */
export async function loadTask(place: string, exportName: string): Promise<TaskDefinition> {
  const url = existingUrl(place.startsWith("/") ? pathToFileURL(place).href : place);
  let module: Exports;
  try {
    module = (await import(url)) as Exports;
  } catch (error) {
    const cause = toErrorRecord(error);
    throw new RecipeError("TASK_LOAD_FAILED", {
      name: "TaskLoadError",
      message: `cannot load the task module ${url}: ${whyNotLoaded(url, cause)}`,
      cause,
    });
  }
  const found = lookUp(module, exportName);
  if (typeof found === "function") return { item: found as (item: unknown) => unknown };
  if (isTask(found)) return found.definition;
  const names = Object.keys(module).filter((name) => isUsable(module[name]));
  const has = names.length > 0 ? `; it exports ${names.map((name) => JSON.stringify(name)).join(", ")}` : "";
  throw new RecipeError("TASK_NOT_FOUND", {
    name: "TaskNotFoundError",
    message:
      found === undefined
        ? `the module ${url} has no export ${JSON.stringify(exportName)}${has}`
        : `the export ${JSON.stringify(exportName)} of ${url} is neither a function nor made by defineTask${has}`,
  });
}

/**
 * The same URL may be asked for by compiled code and by its source, which a test runner or Node itself runs as it is.
 * So where there is no `.js`, its `.ts` is meant, and the other way round.
 */
function existingUrl(url: string): string {
  if (!isMissingFile(url)) return url;
  const twin = new URL(url);
  twin.pathname = twin.pathname.replace(/\.([cm]?)([jt])s$/, (_, kind: string, language: string) => {
    return `.${kind}${language === "j" ? "t" : "j"}s`;
  });
  return isMissingFile(twin.href) ? url : twin.href;
}

function isMissingFile(url: string): boolean {
  return url.startsWith("file:") && !existsSync(new URL(url));
}

/** Node's own words, but where they do not name the remedy. */
function whyNotLoaded(url: string, { code, message }: ErrorRecord): string {
  if (isMissingFile(url)) {
    return "there is no such file. Is the URL relative to the module that names it, and the task built beside that?";
  }
  if (code === "ERR_UNKNOWN_FILE_EXTENSION" && /\.[cm]?ts$/.test(new URL(url).pathname)) {
    return `Node ${process.versions.node} runs no TypeScript in threads. Compile it, or use Node 22.18 or newer`;
  }
  return message;
}

/**
 * A CommonJS module may hide its names behind `default`; one that a compiler made of an ES module hides its default
 * there, too.
 */
function lookUp(module: Exports, name: string): unknown {
  const found = module[name];
  const inner = module["default"];
  if (isUsable(found) || typeof inner !== "object" || inner === null || !Object.hasOwn(inner, name)) return found;
  return (inner as Exports)[name];
}

function isUsable(value: unknown): boolean {
  return typeof value === "function" || isTask(value);
}
