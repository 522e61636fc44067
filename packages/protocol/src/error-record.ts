/**
 * An error on its way between threads. A structured clone loses classes, `name`, `code` and `AggregateError.errors`,
 * so errors travel as this record, with bounded text, and are rebuilt on the other side.
 */

export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  readonly code?: string | number;
  readonly stack?: string;
  readonly cause?: ErrorRecord;
  /** No retry can mend it: see `FinalError`. */
  readonly final?: boolean;
}

// A handler may throw a message made of the whole input; an error must stay small wherever it is kept or logged.
const MAX_NAME = 100;
const MAX_MESSAGE = 1_000;
const MAX_STACK_LINES = 50;
const MAX_STACK = 8_000;
const MAX_CAUSES = 5;
const MAX_KEYS = 5;

/** Turns whatever a handler threw into a record. Never throws itself, whatever getters the thrown value has. */
export function toErrorRecord(thrown: unknown, depth = 0): ErrorRecord {
  try {
    if (typeof thrown !== "object" || thrown === null) return { name: "NonError", message: describe(thrown) };
    const fields = thrown as Record<string, unknown>;
    const isError = thrown instanceof Error || typeof fields["message"] === "string";
    const { code, stack, cause } = fields;
    return {
      name: text(fields["name"], MAX_NAME) ?? (isError ? "Error" : "NonError"),
      message: text(fields["message"], MAX_MESSAGE) ?? describe(thrown),
      ...(typeof code === "string" ? { code: clip(code, MAX_NAME) } : typeof code === "number" ? { code } : {}),
      ...(typeof stack === "string" ? { stack: clipStack(stack) } : {}),
      ...(cause !== undefined && depth < MAX_CAUSES ? { cause: toErrorRecord(cause, depth + 1) } : {}),
      ...(fields["final"] === true ? { final: true } : {}),
    };
  } catch {
    return { name: "NonError", message: "a value was thrown that cannot be read" };
  }
}

const BUILT_IN = { RangeError, ReferenceError, SyntaxError, TypeError, URIError, EvalError };

/** Rebuilds the error: a built-in type where the name is one's, else an `Error` with that name and code. */
export function fromErrorRecord(record: ErrorRecord): Error & { code?: string | number } {
  const options = record.cause === undefined ? undefined : { cause: fromErrorRecord(record.cause) };
  const Type = Object.hasOwn(BUILT_IN, record.name) ? BUILT_IN[record.name as keyof typeof BUILT_IN] : Error;
  const error: Error & { code?: string | number } = new Type(record.message, options);
  if (error.name !== record.name) define(error, "name", record.name);
  if (record.code !== undefined) error.code = record.code;
  // The stack of the handler, not of this line.
  define(error, "stack", record.stack ?? `${record.name}: ${record.message}`);
  return error;
}

function define(error: Error, key: string, value: string): void {
  Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: false });
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return `${value} was thrown`;
  if (typeof value === "object") {
    const shown = Object.prototype.toString.call(value);
    return clip(`${shown}${shown === "[object Object]" ? keysOf(value) : ""} was thrown, not an Error`, MAX_MESSAGE);
  }
  const shown = typeof value === "string" ? JSON.stringify(clip(value, MAX_MESSAGE)) : String(value);
  return clip(`${shown} was thrown (a ${typeof value}, not an Error)`, MAX_MESSAGE);
}

/** The first few: values could be large, or getters. */
function keysOf(value: object): string {
  const keys: string[] = [];
  for (const key in value) {
    if (keys.push(key) === MAX_KEYS) break;
  }
  return keys.length === 0 ? "" : ` with ${keys.join(", ")}`;
}

function text(value: unknown, max: number): string | undefined {
  return typeof value === "string" ? clip(value, max) : undefined;
}

function clip(value: string, max: number): string {
  return value.length <= max ? value : `${value.slice(0, max - 1)}…`;
}

function clipStack(stack: string): string {
  const lines = stack.split("\n", MAX_STACK_LINES + 1);
  return clip(lines.slice(0, MAX_STACK_LINES).join("\n"), MAX_STACK);
}
