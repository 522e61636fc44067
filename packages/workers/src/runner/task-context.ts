/** The `ctx` of a handler call. Everything costly in it is made when it is asked for. */
import { ThreadmillError } from "@threadmill/protocol";
import type { BatchContext, ItemContext } from "../context.js";
import type { BatchRun } from "./batch-run.js";

/** What a context needs of the thread around it. */
export interface ContextHost {
  readonly now: () => number;
  detail(run: BatchRun, value: unknown): void;
}

/** Why a signal fired: the platform's own error for a cancel. */
function cancelReason(): DOMException {
  return new DOMException("the job was cancelled", "AbortError");
}

export function timeoutError(timeoutMs: number): ThreadmillError {
  return new ThreadmillError("TASK_TIMEOUT", `the handler call took longer than ${timeoutMs} ms`);
}

/** One class for both kinds of handler, since it differs in a few getters only. */
export class CallContext implements ItemContext<unknown, unknown>, BatchContext<unknown, unknown> {
  readonly #run: BatchRun;
  readonly #host: ContextHost;
  readonly #resource: unknown;
  /** The item's place in the batch; for a batch handler the number of items. */
  position = 0;
  /** When the call's time is over, by the host's clock; 0 for never. */
  deadline = 0;
  #controller: AbortController | undefined;
  isOver = false;

  constructor(run: BatchRun, host: ContextHost, resource: unknown) {
    this.#run = run;
    this.#host = host;
    this.#resource = resource;
  }

  get resource(): unknown {
    return this.#resource;
  }
  get options(): unknown {
    return this.#run.recipe.options;
  }
  get jobId(): string {
    return this.#run.jobId;
  }
  get index(): number {
    return this.#run.indexOf(this.position);
  }
  get attempt(): number {
    return this.#run.attemptOf(this.position);
  }
  get indices(): readonly number[] {
    return Array.from({ length: this.position }, (_, position) => this.#run.indexOf(position));
  }
  get attempts(): readonly number[] {
    return Array.from({ length: this.position }, (_, position) => this.#run.attemptOf(position));
  }

  get cancelled(): boolean {
    return this.isOver || this.#run.isStopped || this.isLate;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      const controller = new AbortController();
      this.#controller = controller;
      const reason = this.#endReason;
      if (reason === undefined) this.#run.aborters.add(this.#abort);
      else controller.abort(reason);
    }
    return this.#controller.signal;
  }

  throwIfCancelled(): void {
    if (this.#controller?.signal.aborted) throw this.#controller.signal.reason;
    const reason = this.#endReason;
    if (reason !== undefined) throw reason;
  }

  /** Why the work is no longer wanted. Not asked of the batch alone: once it is answered, its words are another's. */
  get #endReason(): Error | undefined {
    if (this.#run.isStopped) return cancelReason();
    if (this.isLate) return timeoutError(this.#run.timeoutMs);
    return this.isOver ? cancelReason() : undefined;
  }

  detail(value: unknown): void {
    if (!this.isOver) this.#host.detail(this.#run, value);
  }

  transfer<Value>(value: Value): Value {
    if (value instanceof ArrayBuffer) this.#run.transfers.add(value);
    if (!ArrayBuffer.isView(value) || value instanceof DataView || !(value.buffer instanceof ArrayBuffer)) return value;
    // A view that shares its buffer with others, as pooled Buffers do, must not take them along.
    const own: Uint8Array =
      value.byteLength === value.buffer.byteLength ? (value as never) : Uint8Array.prototype.slice.call(value);
    this.#run.transfers.add(own.buffer as ArrayBuffer);
    return own as Value;
  }

  native<Result>(fn: () => Result): Result {
    const { row } = this.#run;
    row.enter("native");
    const leave = (): void => row.leave("native");
    let result: Result;
    let waits: boolean;
    try {
      result = fn();
      waits = isThenable(result);
    } catch (error) {
      leave();
      throw error;
    }
    if (waits) void promiseOf(result).then(leave, leave);
    else leave();
    return result;
  }

  fail(position: number, error: unknown): void {
    if (!Number.isInteger(position) || position < 0 || position >= this.position) {
      throw new RangeError(`ctx.fail: position ${position} is not in this batch of ${this.position} items`);
    }
    if (!this.isOver) this.#run.fail(position, error);
  }

  /** The call's time is over: tells the handler, which may be waiting. */
  expire(): void {
    this.#abort(timeoutError(this.#run.timeoutMs));
  }

  /** The call has settled, or was abandoned: what the handler does with its ctx from now on changes nothing. */
  end(): void {
    this.isOver = true;
    if (this.#controller !== undefined) this.#run.aborters.delete(this.#abort);
  }

  readonly #abort = (reason: unknown): void => this.#controller?.abort(reason ?? cancelReason());

  /** A call that computes is past its time before any timer can say so. */
  get isLate(): boolean {
    return this.deadline !== 0 && this.#host.now() > this.deadline;
  }
}

/**
 * What a handler returned, as a promise that settles once, and never throws: a thenable of another make may throw, or
 * call back twice or at once, and a proxy of a promise is no promise. A real one is answered as it is.
 */
export function promiseOf(thenable: unknown): Promise<unknown> {
  try {
    return Promise.resolve(thenable);
  } catch (error) {
    // Of a promise it asks the `constructor`, which may have been made to throw.
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- a getter may throw anything
    return Promise.reject(error);
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
