/** What `run` of a remote engine returns: a handle whose state is a mirror of the one that the engine has. */
import { InvalidArgumentError, type TaskError } from "@threadmill/protocol";
import type { JobEvents } from "../jobs/handle.js";
import type { JobState, SettledState } from "../jobs/job.js";
import type { JobResult, JobStats, Outcome } from "../jobs/outcome.js";
import type { Progress } from "../jobs/progress.js";
import { type Feed, type FeedEnding, readBatches, readOutcomes, readValues } from "../jobs/readers.js";
import { SafeEmitter } from "../safe-emitter.js";
import { FORWARDED_EVENTS, type ForwardedEvent, type News, type Standing, type WireEnd } from "./messages.js";
import { OutcomeLog, OutcomeStream, type OutcomeStreamInit } from "./outcome-log.js";
import { fromWireReason, unsentError } from "./reasons.js";

/** What a handle asks of its connection. */
export interface HandleControl {
  cancel(reason: unknown): void;
  pause(turn: number): Promise<Standing | undefined>;
  resume(turn: number): Promise<Standing | undefined>;
  listen(event: ForwardedEvent): void;
  leave(): void;
  read: OutcomeStreamInit["ask"];
  /** What the source of items has thrown on this side. */
  sourceFailure(): { readonly error: unknown } | undefined;
  /** It has settled, has stopped, or is waited for: who holds the process may have changed. */
  onChange(): void;
}

export interface HandleInit {
  readonly id: string;
  readonly collects: boolean;
  readonly isOrdered: boolean;
  readonly total: number | undefined;
  readonly control: HandleControl;
}

interface End {
  readonly state: SettledState;
  readonly error: unknown;
  readonly stats?: JobStats | undefined;
  readonly column?: WireEnd["column"];
}

const NO_STATS: JobStats = {
  items: 0,
  completed: 0,
  failed: 0,
  fromCache: 0,
  retries: 0,
  batches: 0,
  elapsedMs: 0,
  threadMs: 0,
};

/**
 * As a `JobHandle`: `cancel` settles in the same tick, loops and `result` give the same. Readable snapshots (`state`,
 * `progress`) are as old as the last news of the engine.
 */
export class RemoteJobHandle<Result, Value = Result, Values = Value[]>
  extends SafeEmitter<JobEvents>
  implements AsyncIterable<Outcome<Result>>
{
  readonly id: string;
  readonly #control: HandleControl;
  readonly #isOrdered: boolean;
  readonly #log: OutcomeLog | undefined;
  readonly #stream: OutcomeStream | undefined;
  /** How the one loop of a job that does not collect was opened. */
  #loop: "as-ended" | "ordered" | undefined;
  /** The engine has been asked for the job: it is too late for that loop. */
  #isSent = false;
  /** The one loop over it belongs to whoever has started it. */
  #isOfOthers = false;
  #fromCache = false;
  #state: JobState = "waiting";
  #hasStarted = false;
  /** Pauses and resumes that were asked for here. */
  #turn = 0;
  #progress: Progress;
  #end: End | undefined;
  #settleResult: ((end: End) => void) | undefined;
  #result: Promise<JobResult<Value, Values>> | undefined;
  #stop: { readonly error: unknown } | "stopped" | undefined;
  #settleStopped: (() => void) | undefined;
  #stopped: Promise<void> | undefined;
  readonly #told = new Set<ForwardedEvent>();

  /** Made by the remote engine. */
  constructor({ id, collects, isOrdered, total, control }: HandleInit) {
    super();
    this.id = id;
    this.#isOrdered = isOrdered;
    this.#control = control;
    this.#log = collects ? new OutcomeLog() : undefined;
    this.#stream = collects
      ? undefined
      : new OutcomeStream({
          ask: control.read,
          onLeft: () => this.#leaveLoop(),
          onOver: () => control.onChange(),
          onLost: (error) => this.#loseOutcomes(error),
        });
    this.#progress = { completed: 0, failed: 0, total, itemsPerSecond: 0, etaMs: undefined, elapsedMs: 0 };
  }

  get state(): JobState {
    return this.#end?.state ?? this.#state;
  }

  /** The last snapshot that came. */
  get progress(): Progress {
    return this.#progress;
  }

  /** Whether the result came from the engine's cache: known when the engine has answered, and false before. */
  get fromCache(): boolean {
    return this.#fromCache;
  }

  /** As `JobHandle.result`. Refusals of the engine, and the end of the connection, reject it too. */
  get result(): Promise<JobResult<Value, Values>> {
    this.#result ??= new Promise((resolve, reject) => {
      this.#settleResult = (end) => {
        try {
          if (end.state === "completed") resolve(this.#makeResult(end));
          // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- what a signal was aborted with is any value
          else reject(end.error);
        } catch (error) {
          // The other side is broken, and what it has sent makes no result.
          reject(unsentError(this.id, error));
        }
      };
      if (this.#end !== undefined) this.#settleResult(this.#end);
    });
    return this.#result;
  }

  /** Resolves when no thread touches the job any more. Rejects if the connection ends before that is known. */
  get stopped(): Promise<void> {
    this.#stopped ??= new Promise((resolve, reject) => {
      this.#settleStopped = () => {
        if (this.#stop === "stopped") resolve();
        // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- it is the error of the connection's end
        else if (this.#stop !== undefined) reject(this.#stop.error);
      };
      this.#settleStopped();
    });
    this.#control.onChange();
    return this.#stopped;
  }

  /** Ends the job for all its handles: those of this client in this tick, all others as soon as the engine hears of it. */
  cancel(reason?: unknown): void {
    if (this.#end !== undefined) return;
    this.#control.cancel(reason === undefined ? new DOMException("the job was cancelled", "AbortError") : reason);
  }

  /** Gives the threads to other jobs. Resolves when they have handed back; items that were begun are finished. */
  pause(): Promise<void> {
    if (this.#end !== undefined) return Promise.resolve();
    this.#state = "paused";
    const paused = this.#control.pause(++this.#turn).then((standing) => this.#take(standing));
    // That the connection ended is an error for who waits, and no unhandled one for who does not.
    paused.catch(() => undefined);
    return paused;
  }

  resume(): void {
    if (this.#end !== undefined || this.state !== "paused") return;
    this.#state = this.#hasStarted ? "running" : "waiting";
    this.#control.resume(++this.#turn).then(
      (standing) => this.#take(standing),
      () => undefined,
    );
  }

  /** Outcomes as items end, or in the order of the input with `ordered: true`. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Outcome<Result>> {
    return readOutcomes<Result>(this.#openFeed(this.#isOrdered), this.#isOrdered);
  }

  /** The same, an array at a time: cheaper by half for many small items. */
  batches(): AsyncIterableIterator<Outcome<Result>[]> {
    return readBatches<Result>(this.#openFeed(this.#isOrdered), this.#isOrdered);
  }

  /** Bare values in the order of the input; throws at the first failure. What one job feeds another with. */
  values(): AsyncIterableIterator<Result> {
    return readValues<Result>(this.#openFeed(true));
  }

  override on<Name extends keyof JobEvents>(event: Name, listener: JobEvents[Name]): this {
    super.on(event, listener);
    this.#heed(event);
    return this;
  }

  override once<Name extends keyof JobEvents>(event: Name, listener: JobEvents[Name]): this {
    super.once(event, listener);
    this.#heed(event);
    return this;
  }

  #heed(event: string): void {
    const forwarded = FORWARDED_EVENTS.find((one) => one === event);
    if (forwarded === undefined || this.#told.has(forwarded)) return;
    this.#told.add(forwarded);
    if (this.#isSent && this.#end === undefined) this.#control.listen(forwarded);
  }

  #openFeed(isOrdered: boolean): Feed {
    const ending = (): FeedEnding => {
      const end = this.#end;
      if (end === undefined) return { status: "open" };
      if (end.state === "completed") return { status: "completed" };
      if (end.state === "failed") return { status: "failed", error: end.error };
      return { status: "cancelled", reason: end.error };
    };
    const what = `job ${JSON.stringify(this.id)}: `;
    if (this.#log !== undefined && !this.#isOfOthers) return this.#log.open(ending);
    if (this.#loop !== undefined || this.#isOfOthers) {
      throw new InvalidArgumentError(`${what}a job with collect: false can be read by one loop only`);
    }
    if (this.#isSent) {
      throw new InvalidArgumentError(
        `${what}outcomes were dropped before this loop began; with collect: false, open it in the tick of run`,
      );
    }
    this.#loop = isOrdered ? "ordered" : "as-ended";
    return (this.#stream as OutcomeStream).open(ending);
  }

  /** As web and Node streams do. A job that has ended may still have outcomes, which nobody wants now. */
  #leaveLoop(): void {
    if (this.#end === undefined) this.cancel();
    else this.#control.leave();
    this.#control.onChange();
  }

  #loseOutcomes(error: unknown): void {
    if (this.#end !== undefined) return;
    this.settle({ state: "failed", error: unsentError(this.id, error) });
    this.#control.leave();
  }

  #makeResult({ stats = NO_STATS, column }: End): JobResult<Value, Values> {
    const { values, failures } = this.#log?.result() ?? { values: [], failures: [] };
    return { jobId: this.id, values: (column ?? values) as Values, failures, stats };
  }

  #take(standing: Standing | undefined): void {
    if (typeof standing !== "object" || standing === null || this.#end !== undefined) return;
    this.#progress = standing.progress;
    const { state, turn } = standing;
    const isLive = state === "waiting" || state === "running" || state === "paused";
    // Not where it is older than what was asked for here since, nor before the end itself, and what comes before it.
    if (isLive && turn === this.#turn) this.#state = state;
  }

  // ——— what the connection tells

  /** @internal What must be known before the engine is asked. From now on it is. */
  send(): { readonly loop: "as-ended" | "ordered" | undefined; readonly listensTo: readonly ForwardedEvent[] } {
    this.#isSent = true;
    return { loop: this.#loop, listensTo: [...this.#told] };
  }

  /** @internal It is observed, and does not collect. */
  refuseLoops(): void {
    this.#isOfOthers = true;
  }

  /** @internal The loop over a job that does not collect may still come in this tick. */
  get waitsForLoop(): boolean {
    return this.#stream !== undefined && this.#loop === undefined;
  }

  /** @internal Whether its settling, or its stopping, is still to come and wanted. */
  get isAwaited(): boolean {
    return this.#end === undefined || (this.#stopped !== undefined && this.#stop === undefined);
  }

  /** @internal Nothing more will be said of it, in either direction. */
  get isOver(): boolean {
    const isReading = this.#loop !== undefined && this.#end?.state !== "cancelled" && this.#stream?.isOver === false;
    return this.#end !== undefined && this.#stop !== undefined && !isReading;
  }

  /** @internal */
  get isSettled(): boolean {
    return this.#end !== undefined;
  }

  /** @internal No thread touches the job any more, or that will never be known. */
  get isStopped(): boolean {
    return this.#stop !== undefined;
  }

  /** @internal */
  admit(fromCache: boolean): void {
    this.#fromCache = fromCache;
  }

  /** @internal */
  takeNews({ standing, events, runs, end, isStopped }: News): void {
    if (this.#end === undefined) {
      this.#take(standing);
      for (const run of runs) this.#log?.add(run);
      for (const event of events) this.#repeat(event);
      if (end !== undefined) this.#endBy(end);
      else if (runs.length > 0) this.#log?.wake();
    }
    if (isStopped) this.stop("stopped");
  }

  #repeat([name, argument]: News["events"][number]): void {
    // A listener may have cancelled.
    if (this.#end !== undefined) return;
    if (name === "start") {
      this.#hasStarted = true;
      this.emit("start");
    } else if (FORWARDED_EVENTS.includes(name)) this.emit(name, argument);
  }

  #endBy({ state, error, stats, column }: WireEnd): void {
    const reason = error === undefined ? undefined : this.#ownError(fromWireReason(error));
    if (column !== undefined) this.#log?.setColumn(column);
    this.settle({ state, error: reason, stats, column });
  }

  /** Of an error that this side has already there is no need for a copy. */
  #ownError(error: unknown): unknown {
    const { code, index } = Object(error) as Partial<TaskError>;
    const source = this.#control.sourceFailure();
    if (code === "SOURCE_FAILED" && source !== undefined) (error as Error).cause = source.error;
    return (index === undefined ? undefined : this.#log?.failureOf(index)?.error) ?? error;
  }

  /** @internal Once: what comes later is not heard. */
  settle(end: End): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    if (end.state === "cancelled") this.#log?.drop();
    this.#settleResult?.(end);
    this.#log?.wake();
    this.#stream?.wake();
    this.#control.onChange();
    queueMicrotask(() => {
      if (this.listenerCount("progress") > 0) this.emit("progress", this.#progress);
      const { state, error } = end;
      this.emit("settle", error === undefined ? { state } : { state, error });
    });
  }

  /** @internal */
  stop(how: "stopped" | { readonly error: unknown }): void {
    this.#stop ??= how;
    this.#settleStopped?.();
    this.#control.onChange();
  }
}
