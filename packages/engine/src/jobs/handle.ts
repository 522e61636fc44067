/** What `run` returns to one caller. */
import { InvalidArgumentError } from "@threadmill/protocol";
import { SafeEmitter } from "../safe-emitter.js";
import type { Job, JobState, SettledState } from "./job.js";
import type { JobResult, Outcome } from "./outcome.js";
import type { Progress } from "./progress.js";
import { type Feed, type FeedEnding, readBatches, readOutcomes, readValues } from "./readers.js";

/** The events of a handle. None comes before `run` has returned, and none after `settle`. */
export interface JobEvents {
  /** The first batch is on its way to a thread. */
  start: () => void;
  /** At most every `progressMs`, and once more at the end. */
  progress: (progress: Progress) => void;
  /** A thread has answered. */
  batch: (batch: { readonly items: number; readonly elapsedMs: number; readonly slot: number }) => void;
  /** An item failed and goes again: `attempt` is the one to come. */
  retry: (retry: { readonly index: number; readonly attempt: number; readonly delayMs: number }) => void;
  /** The newest value that a handler gave to `ctx.detail`. */
  detail: (detail: unknown) => void;
  settle: (end: { readonly state: SettledState; readonly error?: unknown }) => void;
}

type EventArguments<Name extends keyof JobEvents> = JobEvents[Name] extends (...args: infer Arguments) => void
  ? Arguments
  : never;

/** What a handle needs of its engine. */
export interface JobControl {
  cancel(job: Job, reason: unknown): void;
  pause(job: Job): Promise<void>;
  resume(job: Job): void;
  progress(job: Job): Progress;
  /** Resolves when no thread touches the job any more. */
  stopped(job: Job): Promise<void>;
  result(job: Job): JobResult<unknown>;
}

// Asked for at every read: made once.
const OPEN: FeedEnding = { status: "open" };
const COMPLETED: FeedEnding = { status: "completed" };

interface End {
  readonly state: SettledState;
  readonly error: unknown;
}

/**
 * One caller's view of a job. Handles of the same id share the work; a signal ends only its own handle, `cancel` ends
 * them all.
 */
export class JobHandle<Result, Value = Result, Values = Value[]>
  extends SafeEmitter<JobEvents>
  implements AsyncIterable<Outcome<Result>>
{
  readonly #job: Job;
  readonly #control: JobControl;
  readonly #isOrdered: boolean;
  /** Whether the result came from the cache, and no thread was touched. */
  readonly fromCache: boolean;
  /** @internal Lets go of the caller's signal. */
  unwatch: (() => void) | undefined;
  #end: End | undefined;
  /** How far the job was when its caller left it. */
  #progressAtEnd: Progress | undefined;
  #result: Promise<JobResult<Value, Values>> | undefined;
  #settleResult: ((end: End) => void) | undefined;

  /** Made by the engine. */
  constructor(job: Job, control: JobControl, options: { isOrdered: boolean; fromCache: boolean }) {
    super();
    this.#job = job;
    this.#control = control;
    this.#isOrdered = options.isOrdered;
    this.fromCache = options.fromCache;
  }

  get id(): string {
    return this.#job.id;
  }

  get state(): JobState {
    return this.#end?.state ?? this.#job.state;
  }

  /** A snapshot, at any time: committed items, and what threads have finished but not yet answered for. */
  get progress(): Progress {
    return this.#progressAtEnd ?? this.#control.progress(this.#job);
  }

  /**
   * How the job ends, for this caller: resolves when it completed; rejects with the `TaskError` of its first final
   * failure, or with the reason of the cancel. Made when it is first asked for, so that a job nobody awaits raises no
   * unhandled rejection.
   */
  get result(): Promise<JobResult<Value, Values>> {
    this.#result ??= new Promise((resolve, reject) => {
      this.#settleResult = ({ state, error }) => {
        if (state === "completed") resolve(this.#control.result(this.#job) as JobResult<Value, Values>);
        // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- what a signal was aborted with is any value
        else reject(error);
      };
      if (this.#end !== undefined) this.#settleResult(this.#end);
    });
    return this.#result;
  }

  /** Resolves when no thread touches the job any more: a moment after a cancel, which itself settles at once. */
  get stopped(): Promise<void> {
    return this.#control.stopped(this.#job);
  }

  /** Ends the job for all its handles, in this tick. After the end it does nothing. */
  cancel(reason?: unknown): void {
    if (this.#end === undefined) this.#control.cancel(this.#job, reason);
  }

  /** Gives the threads to other jobs. Resolves when they have handed back; items that were begun are finished. */
  pause(): Promise<void> {
    return this.#end === undefined ? this.#control.pause(this.#job) : Promise.resolve();
  }

  resume(): void {
    if (this.#end === undefined) this.#control.resume(this.#job);
  }

  /** Outcomes as items end, or in the order of the input with `ordered: true`. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Outcome<Result>> {
    return readOutcomes<Result>(this.#openFeed(), this.#isOrdered);
  }

  /** The same, an array at a time: cheaper by half for many small items. */
  batches(): AsyncIterableIterator<Outcome<Result>[]> {
    return readBatches<Result>(this.#openFeed(), this.#isOrdered);
  }

  /** Bare values in the order of the input; throws at the first failure. What one job feeds another with. */
  values(): AsyncIterableIterator<Result> {
    return readValues<Result>(this.#openFeed());
  }

  /** @internal Outcomes are kept, for any number of loops. */
  get collects(): boolean {
    return this.#job.collects;
  }

  #openFeed(): Feed {
    const refusal = this.#job.loopRefusal;
    if (refusal !== undefined) throw new InvalidArgumentError(`job ${JSON.stringify(this.id)}: ${refusal}`);
    return this.#job.openFeed(() => this.#ending());
  }

  #ending(): FeedEnding {
    const end = this.#end;
    if (end === undefined) return OPEN;
    if (end.state === "completed") return COMPLETED;
    if (end.state === "failed") return { status: "failed", error: end.error };
    return { status: "cancelled", reason: end.error };
  }

  /** @internal Settles this handle, once. `notify` comes later, when the engine is at rest. */
  settle(state: SettledState, error: unknown): boolean {
    if (this.#end !== undefined) return false;
    // Others may go on with the job.
    if (!this.#job.isSettled) this.#progressAtEnd = this.progress;
    this.#end = { state, error };
    this.#settleResult?.(this.#end);
    return true;
  }

  /** @internal Tells listeners, unless the handle has ended. */
  notify<Name extends keyof JobEvents>(event: Name, ...args: EventArguments<Name>): void {
    if (this.#end === undefined) this.emit(event, ...args);
  }

  /** @internal The last words, after the end: the final progress, and the end itself. */
  notifyLast<Name extends "progress" | "settle">(event: Name, ...args: EventArguments<Name>): void {
    this.emit(event, ...args);
  }
}
