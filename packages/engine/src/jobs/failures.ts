/** The errors that callers get: of an item, and of a job as a whole. */
import {
  type ErrorCode,
  type ErrorRecord,
  type PositionFailure,
  TaskError,
  assertNever,
  fromErrorRecord,
  toErrorRecord,
} from "@threadmill/protocol";
import { type Batch, type Effect, type JobFault, indexAt } from "../scheduler/index.js";
import type { Job } from "./job.js";
import type { ItemFailure } from "./outcome.js";

/** Why a task cannot be used, as its thread said. */
export interface BrokenTask {
  readonly code: ErrorCode;
  readonly record: ErrorRecord;
}

interface Fault {
  readonly index: number;
  readonly attempt: number;
  readonly code: ErrorCode;
  readonly record: ErrorRecord | undefined;
}

/** The failures of an answer that are final, by index; undefined if there are none. */
export function finalFailures(
  job: Job,
  batch: Batch,
  attempts: readonly number[] | undefined,
  { claimed, faults }: { readonly claimed: number; readonly faults: readonly PositionFailure[] | undefined },
  retried: ReadonlySet<number> | undefined,
): Map<number, ItemFailure> | undefined {
  let failures: Map<number, ItemFailure> | undefined;
  for (const [position, code, record] of faults ?? []) {
    if (code === "unrun" || position >= claimed || retried?.has(position)) continue;
    const index = indexAt(batch, position);
    const attempt = attempts?.[position] ?? 1;
    const error = taskError(job.id, { index, attempt, code, record });
    (failures ??= new Map()).set(index, { index, attempt, error });
  }
  return failures;
}

/** An item that failed without an answer: its thread died under it, or did not come back. */
export function lostItem(
  job: Job,
  { index, attempt, code }: Extract<Effect, { type: "fail-item" }>,
  threadFault: unknown,
): ItemFailure {
  const cause = code === "THREAD_LOST" ? toErrorRecord(threadFault) : undefined;
  const message = cause
    ? `its thread died while it ran, twice: ${cause.message}`
    : "the handler call took longer than timeoutMs and did not come back in the grace after it";
  const record = { name: "ThreadmillError", message, ...(cause ? { cause } : {}) };
  return { index, attempt, error: taskError(job.id, { index, attempt, code, record }) };
}

/** What a failed job's `result` rejects with. */
export function jobError(job: Job, fault: JobFault, broken: BrokenTask | undefined, threadFault: unknown): unknown {
  const whole = (code: ErrorCode, record: ErrorRecord | undefined): TaskError =>
    taskError(job.id, { index: -1, attempt: 0, code, record });
  switch (fault.kind) {
    case "item":
      return job.lastFailures?.get(fault.index)?.error;
    case "broken":
      return whole(broken?.code ?? "TASK_LOAD_FAILED", broken?.record);
    case "source": {
      const { name, message } = toErrorRecord(job.sourceError);
      const what = job.memo?.fault ?? "its source of items failed";
      const error = whole("SOURCE_FAILED", { name, message: `${what}: ${message}` });
      // The source is on this side: its error need not be a copy.
      error.cause = job.sourceError;
      return error;
    }
    case "threads": {
      const cause = toErrorRecord(threadFault);
      const message = `threads die before they have begun an item: ${cause.message}`;
      return whole("THREAD_LOST", { name: "ThreadLostError", message, cause });
    }
    default:
      return assertNever(fault);
  }
}

function taskError(jobId: string, { index, attempt, code, record: received }: Fault): TaskError {
  // Bounded again: what a thread sends need not have come from the runner.
  const record = received === undefined ? undefined : toErrorRecord(received);
  const cause = record === undefined ? undefined : fromErrorRecord(record);
  const what = index < 0 ? `job ${JSON.stringify(jobId)}` : `item ${index} of job ${JSON.stringify(jobId)}`;
  return new TaskError(code, `${what} failed: ${record?.message ?? code}`, { jobId, index, attempt, cause });
}
