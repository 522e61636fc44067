/**
 * Errors and reasons on their way over a connection. A clone would lose classes, codes and what a `TaskError` knows of
 * its item; so they travel as tagged records, and are rebuilt on the other side.
 */
import {
  EngineClosedError,
  type ErrorCode,
  type ErrorRecord,
  ERROR_CODES,
  FinalError,
  InvalidArgumentError,
  JobIdConflictError,
  QueueFullError,
  TaskError,
  ThreadmillError,
  fromErrorRecord,
  toErrorRecord,
} from "@threadmill/protocol";

export type WireReason =
  | {
      readonly kind: "error";
      readonly record: ErrorRecord;
      /** Instead of the record's own, which would lose their classes. */
      readonly cause?: WireReason;
      /** What errors of Threadmill carry beside their text. */
      readonly details?: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: "dom"; readonly name: string; readonly message: string }
  /** A plain value: what a signal was aborted with may be anything. */
  | { readonly kind: "value"; readonly value: unknown };

const MAX_CAUSES = 5;
const DETAILS = ["jobId", "index", "attempt", "maxJobs"] as const;

/** Never throws, whatever the reason is. */
export function toWireReason(reason: unknown, depth = 0): WireReason {
  try {
    if (reason instanceof DOMException) return { kind: "dom", name: reason.name, message: reason.message };
    if (!(reason instanceof Error)) return { kind: "value", value: structuredClone(reason) };
    const { cause } = reason;
    const record = recordOf(reason);
    const details: Record<string, unknown> = {};
    const fields = reason as unknown as Record<string, unknown>;
    for (const name of DETAILS) {
      if (["string", "number"].includes(typeof fields[name])) details[name] = fields[name];
    }
    return {
      kind: "error",
      record,
      details,
      ...(cause !== undefined && depth < MAX_CAUSES ? { cause: toWireReason(cause, depth + 1) } : {}),
    };
  } catch {
    return { kind: "error", record: toErrorRecord(reason) };
  }
}

/** Of errors that the engine itself has made nobody needs the stack, which costs more to write down than all the rest. */
function recordOf(error: Error): ErrorRecord {
  if (error instanceof ThreadmillError) return { name: error.name, message: error.message, code: error.code };
  const { cause: _, ...record } = toErrorRecord(error, Infinity);
  return record;
}

/** The reason as it was, or an error that says what came instead: a peer may send anything. */
export function fromWireReason(given: unknown, depth = 0): unknown {
  try {
    const reason = given as WireReason;
    switch (reason.kind) {
      case "dom":
        return new DOMException(reason.message, reason.name);
      case "value":
        return reason.value;
      case "error":
        return rebuild(reason, depth);
      default:
        throw new TypeError(`no kind of reason: ${String(reason satisfies never)}`);
    }
  } catch {
    return new Error("the other side sent an error that cannot be read");
  }
}

function rebuild({ record: given, cause, details = {} }: Extract<WireReason, { kind: "error" }>, depth: number): Error {
  // Bounded, and read as what it should be.
  const record = toErrorRecord(given);
  const { name, message, code, stack } = record;
  const own = typeof code === "string" && Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : undefined;
  const error = own === undefined ? plain(record) : threadmillError(own, name, message, details);
  // A name is defined only where its class says another: it lies on the prototype.
  if (error.name !== name) define(error, "name", name);
  if (error.message !== message) define(error, "message", message);
  if (stack !== undefined) define(error, "stack", stack);
  // A peer may send one that is its own cause.
  if (cause !== undefined && depth < MAX_CAUSES) define(error, "cause", fromWireReason(cause, depth + 1));
  return error;
}

function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: false });
}

function plain(record: ErrorRecord): Error {
  return record.name === "FinalError" && record.final === true
    ? new FinalError(record.message)
    : fromErrorRecord(record);
}

/** Of the class that the engine would throw on this side. */
function threadmillError(
  code: ErrorCode,
  name: string,
  message: string,
  { jobId, index, attempt, maxJobs }: Readonly<Record<string, unknown>>,
): Error {
  if (name === "TaskError" || typeof index === "number") {
    return new TaskError(code, message, {
      jobId: String(jobId),
      index: Number(index),
      attempt: Number(attempt),
      cause: undefined,
    });
  }
  if (code === "INVALID_ARGUMENT") return new InvalidArgumentError(message);
  if (code === "QUEUE_FULL") return new QueueFullError(Number(maxJobs));
  if (code === "JOB_ID_CONFLICT") return new JobIdConflictError(String(jobId), message);
  if (code === "ENGINE_CLOSED") return new EngineClosedError(message);
  return new ThreadmillError(code, message);
}

/** A job is well, but what it gives cannot go on to the client. */
export function unsentError(jobId: string, cause: unknown): TaskError {
  const message = `job ${JSON.stringify(jobId)} failed: a value cannot be sent to this client`;
  return new TaskError("NOT_CLONEABLE", message, { jobId, index: -1, attempt: 0, cause });
}

/** What everything that waits for the other side ends with when it will not answer any more. */
export function lostError(why: string): EngineClosedError {
  const error = new EngineClosedError(`the connection to the engine is over: ${why}`);
  error.cause = new Error(`the connection was lost: ${why}`);
  return error;
}

/** What a call rejects with that was never sent, or an answer that could not be. */
export function notSentError(cause: unknown): ThreadmillError {
  return new ThreadmillError("NOT_CLONEABLE", `it cannot be sent: ${(cause as Error).message}`, { cause });
}
