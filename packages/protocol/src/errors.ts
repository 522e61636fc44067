/**
 * The errors of Threadmill: one class per code. Branch on `code`, never on the class: two copies of a package can
 * meet in one process, and `instanceof` fails between them.
 */

/** Every code an engine can answer with. The text is for readers of this table; messages say more. */
export const ERROR_CODES = {
  TASK_NOT_FOUND: "the module has no such export, or it is not a task",
  TASK_LOAD_FAILED: "the module could not be imported in a thread",
  SETUP_FAILED: "the task's setup threw",
  TASK_FAILED: "the handler threw",
  TASK_TIMEOUT: "one handler call took longer than timeoutMs",
  THREAD_LOST: "the item's thread died under it, twice",
  NOT_CLONEABLE: "a value cannot travel between threads",
  SOURCE_FAILED: "the job's source of items, or its weigh function, threw",
  QUEUE_FULL: "the engine holds maxJobs live jobs",
  JOB_ID_CONFLICT: "a live job with this id does other work",
  ENGINE_CLOSED: "the engine takes no more work",
  INVALID_ARGUMENT: "an argument is out of range or of the wrong kind",
  PROTOCOL_MISMATCH: "the two sides speak different versions",
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** The root of all errors that Threadmill makes. */
export class ThreadmillError extends Error {
  static {
    this.prototype.name = "ThreadmillError";
  }
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Wrong arguments: thrown at once, before anything has changed. */
export class InvalidArgumentError extends ThreadmillError {
  static {
    this.prototype.name = "InvalidArgumentError";
  }
  constructor(message: string, options?: ErrorOptions) {
    super("INVALID_ARGUMENT", message, options);
  }
}

/** `maxJobs` live jobs are held already. Await some, or raise the bound. */
export class QueueFullError extends ThreadmillError {
  static {
    this.prototype.name = "QueueFullError";
  }
  readonly maxJobs: number;
  constructor(maxJobs: number) {
    super("QUEUE_FULL", `the engine already holds ${maxJobs} live jobs; await some of them, or raise maxJobs`);
    this.maxJobs = maxJobs;
  }
}

/** The id is that of a live job which does something else. */
export class JobIdConflictError extends ThreadmillError {
  static {
    this.prototype.name = "JobIdConflictError";
  }
  readonly jobId: string;
  constructor(jobId: string, reason: string) {
    super("JOB_ID_CONFLICT", `job ${JSON.stringify(jobId)} is live already and ${reason}`);
    this.jobId = jobId;
  }
}

/** The engine was closed before the call. */
export class EngineClosedError extends ThreadmillError {
  static {
    this.prototype.name = "EngineClosedError";
  }
  constructor(message = "the engine is closed") {
    super("ENGINE_CLOSED", message);
  }
}

/** What a {@link TaskError} knows beside its text. */
export interface TaskErrorDetails {
  readonly jobId: string;
  /** The item that failed; -1 where the job failed as a whole (load, setup, source). */
  readonly index: number;
  /** The attempt that failed; 0 where no item was run. */
  readonly attempt: number;
  readonly cause: unknown;
}

/**
 * An item, or a job, that failed. `cause` is the handler's own error with its name, message, code and stack.
 */
export class TaskError extends ThreadmillError {
  static {
    this.prototype.name = "TaskError";
  }
  readonly jobId: string;
  readonly index: number;
  readonly attempt: number;
  constructor(code: ErrorCode, message: string, details: TaskErrorDetails) {
    super(code, message, { cause: details.cause });
    this.jobId = details.jobId;
    this.index = details.index;
    this.attempt = details.attempt;
  }
}

/** Thrown by a handler to say that no retry can mend this failure. */
export class FinalError extends Error {
  static {
    this.prototype.name = "FinalError";
  }
  /** Read in the thread: a property survives two copies of this package, a class does not. */
  readonly final = true;
}
