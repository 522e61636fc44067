/** The engine: what a host application talks to. */
import { ResultCache } from "@threadmill/cache";
import { EngineClosedError, InvalidArgumentError, JobIdConflictError, QueueFullError } from "@threadmill/protocol";
import { batchChannel, jobChannel, threadChannel } from "./channels.js";
import { Dispatcher, type DispatcherListener } from "./dispatcher.js";
import { SafeEmitter } from "./safe-emitter.js";
import { guardExit } from "./exit-guard.js";
import { type JobControl, JobHandle } from "./jobs/handle.js";
import { Job, type SettledState } from "./jobs/job.js";
import type { JobResult } from "./jobs/outcome.js";
import { SettledJobs, type SettledJob } from "./jobs/settled-jobs.js";
import { SignalHub } from "./jobs/signal-hub.js";
import { type Items, type SourceListener, openSource } from "./jobs/source.js";
import {
  type EngineOptions,
  type ResolvedEngineOptions,
  type RunOptions,
  resolveEngineOptions,
  resolveRunOptions,
} from "./options.js";
import { Recipes } from "./recipes.js";
import { createInlineRunner } from "./runners/inline-runner.js";
import { createPiscinaRunner } from "./runners/piscina-runner.js";
import type { JobRules } from "./scheduler/index.js";
import { type TaskReference, isTaskReference } from "./task.js";
import type { ThreadEvent } from "./threads.js";

/** The engine's events, with the same payloads as its diagnostics channels. */
export interface EngineEvents {
  job: (event: JobEvent) => void;
  batch: (event: {
    readonly jobId: string;
    readonly slot: number;
    readonly items: number;
    readonly elapsedMs: number;
  }) => void;
  thread: (event: ThreadEvent) => void;
}

export interface JobEvent {
  readonly type: "submitted" | "started" | "settled" | "stopped";
  readonly jobId: string;
  readonly state: JobHandle<unknown>["state"];
  readonly error?: unknown;
}

export interface EngineStats {
  readonly threads: readonly {
    readonly slot: number;
    /** `stuck`: it does not come back from cancelled work. `broken`: it cannot be started. */
    readonly state: "starting" | "idle" | "busy" | "stuck" | "broken";
    /** Threads that the slot has had before this one. */
    readonly replaced: number;
    readonly jobId: string | undefined;
  }[];
  readonly jobs: { readonly waiting: number; readonly running: number; readonly paused: number };
  readonly threadsStarted: number;
  readonly threadsLost: number;
  readonly threadsStuck: number;
  readonly batches: number;
  readonly revokedItems: number;
  /** Messages that came from an earlier life of a slot, or twice. */
  readonly droppedMessages: number;
}

export interface CloseOptions {
  /** How long live jobs may go on; then they are cancelled. Default: as long as they take. 0: not at all. */
  readonly deadlineMs?: number;
}

export interface CloseReport {
  /** Slots whose thread was in native code and had to be left: it ends with the process. */
  readonly leftBehind: readonly number[];
  /** Jobs that the close cancelled. */
  readonly cancelledJobs: readonly string[];
}

type AnyReference = TaskReference<never, unknown, unknown>;
type AnyHandle = JobHandle<unknown, unknown>;

/** A cached result with the task that made it: the same id for another task is no hit. */
interface CachedJob {
  readonly recipeUrl: string;
  readonly result: JobResult<unknown>;
}

/**
 * Creates an engine. Its threads start at once; an idle engine does not hold the process.
 *
 * @throws {InvalidArgumentError} an option that is unknown or out of range.
 */
export function createEngine(options?: EngineOptions): Engine {
  return new Engine(resolveEngineOptions(options));
}

export class Engine extends SafeEmitter<EngineEvents> {
  /** Results by job id, bounded; see `EngineOptions.results`. */
  readonly results: Pick<ResultCache<CachedJob>, "has" | "delete" | "clear" | "stats">;
  readonly #results: ResultCache<CachedJob>;
  readonly #options: ResolvedEngineOptions;
  readonly #dispatcher: Dispatcher;
  readonly #recipes: Recipes;
  readonly #signals = new SignalHub();
  readonly #live = new Map<string, Job>();
  readonly #settled = new SettledJobs();
  readonly #leaves = new Map<AnyHandle, () => void>();
  readonly #releases = new Map<Job, () => void>();
  readonly #cachedIds = new Set<Job>();
  #nextKey = 1;
  #phase: "open" | "closing" | "closed" = "open";
  #closing: Promise<CloseReport> | undefined;
  #progressTimer: NodeJS.Timeout | undefined;
  readonly #idleWaiters: (() => void)[] = [];
  readonly #unguard: () => void;

  /** Use {@link createEngine}. */
  constructor(options: ResolvedEngineOptions) {
    super();
    this.#options = options;
    this.#results = new ResultCache(options.results);
    this.results = this.#results;
    const { threads, resourceLimits, env, execArgv } = options;
    const runner =
      threads === 0
        ? createInlineRunner()
        : createPiscinaRunner({
            threads,
            ...(resourceLimits === undefined ? {} : { resourceLimits }),
            ...(env === undefined ? {} : { env }),
            ...(execArgv === undefined ? {} : { execArgv }),
          });
    this.#dispatcher = new Dispatcher(options, runner, this.#listener());
    this.#recipes = new Recipes(({ id }) => this.#dispatcher.dispatch({ type: "recipe-forgotten", recipe: id }));
    this.#unguard = guardExit(this.#dispatcher.control, options.graceMs);
  }

  /**
   * Runs the task over the items. Items are pulled from an iterable only as threads and readers keep up.
   *
   * @throws {InvalidArgumentError} wrong items or options.
   * @throws {QueueFullError} `maxJobs` jobs are live.
   * @throws {JobIdConflictError} the id is that of a live job which does something else.
   * @throws {EngineClosedError} the engine is closing or closed.
   *
   * Whatever it throws, it throws at once and has changed nothing. A failure of the work itself settles the handle.
   */
  run<Item, Result, Options>(
    task: TaskReference<Item, Result, Options>,
    items: Items<NoInfer<Item>>,
    options: RunOptions<NoInfer<Item>, NoInfer<Options>> & { readonly onError: "collect" } & RequiredOptions<Options>,
  ): JobHandle<Result, Result | undefined>;
  run<Item, Result, Options>(
    task: TaskReference<Item, Result, Options>,
    items: Items<NoInfer<Item>>,
    ...options: RunArguments<NoInfer<Item>, NoInfer<Options>>
  ): JobHandle<Result>;
  run(task: AnyReference, items: Items<unknown>, options: RunOptions<never, unknown> = {}): JobHandle<unknown, never> {
    return this.#run(task, items, options) as JobHandle<unknown, never>;
  }

  /** One item, one promise. Rejects rather than throws; otherwise as {@link run}. */
  async call<Item, Result, Options>(
    task: TaskReference<Item, Result, Options>,
    item: NoInfer<Item>,
    ...options: RunArguments<NoInfer<Item>, NoInfer<Options>>
  ): Promise<Result> {
    refuseCollect("call", options[0]);
    const handle = this.#run(task, [item], options[0] ?? {});
    const { values } = await handle.result;
    return values[0] as Result;
  }

  /** The values of all items, in their order. Rejects rather than throws; otherwise as {@link run}. */
  async map<Item, Result, Options>(
    task: TaskReference<Item, Result, Options>,
    items: Items<NoInfer<Item>>,
    ...options: RunArguments<NoInfer<Item>, NoInfer<Options>>
  ): Promise<Result[]> {
    refuseCollect("map", options[0]);
    const handle = this.#run(task, items, options[0] ?? {});
    const { values } = await handle.result;
    return values as Result[];
  }

  /** Loads the task and sets it up in every thread. Rejects with the `TaskError` of a load or setup that failed. */
  async warm<Item, Result, Options>(
    task: TaskReference<Item, Result, Options>,
    ...options: undefined extends Options ? [options?: Options] : [options: Options]
  ): Promise<void> {
    const handle = this.#run(task, [], { options: options[0] }, true);
    await handle.result;
  }

  /** The job with this id: a live one, one of the last 256 that have settled, or undefined. Observing holds nothing. */
  job(id: string): JobHandle<unknown> | SettledJob | undefined {
    const job = this.#live.get(id);
    return job === undefined ? this.#settled.get(id) : this.#observe(job);
  }

  /** All live jobs, oldest first. */
  jobs(): JobHandle<unknown>[] {
    return [...this.#live.values()].map((job) => this.#observe(job));
  }

  /** Cancels the job for all its handles; false if no live job has this id. */
  cancel(id: string, reason?: unknown): boolean {
    const job = this.#live.get(id);
    if (job === undefined) return false;
    this.#cancel(job, reason);
    return true;
  }

  stats(): EngineStats {
    const jobs = { waiting: 0, running: 0, paused: 0 };
    for (const job of this.#live.values()) if (job.state in jobs) jobs[job.state as keyof typeof jobs]++;
    const ids = new Map([...this.#live.values()].map((job) => [job.key, job.id]));
    return {
      threads: this.#dispatcher.state.slots.map((slot) => ({
        slot: slot.index,
        state: slot.phase !== "ready" ? slot.phase : slot.running === undefined ? "idle" : "busy",
        replaced: slot.incarnation,
        jobId: slot.running === undefined ? undefined : ids.get(slot.running.job.key),
      })),
      jobs,
      ...this.#dispatcher.stats,
    };
  }

  /**
   * Resolves when no job is live and all threads have let go.
   *
   * @throws {InvalidArgumentError} (rejects) a job is paused: it would never end.
   */
  async drain(): Promise<void> {
    this.#refusePaused("drain");
    if (this.#dispatcher.state.isIdle) return;
    await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  /**
   * Takes no more work, waits for live jobs (at most `deadlineMs`, then cancels them), tears down what was set up and
   * ends the threads. With a deadline it resolves at most a second after it, whatever the tasks do. Calling it again
   * answers the same; a shorter deadline then still holds.
   *
   * @throws {InvalidArgumentError} (rejects, and changes nothing) no deadline, and a job is paused.
   */
  async close(options: CloseOptions = {}): Promise<CloseReport> {
    const { deadlineMs } = options;
    if (deadlineMs !== undefined && !(typeof deadlineMs === "number" && deadlineMs >= 0)) {
      throw new InvalidArgumentError(`close: deadlineMs must be a number from 0, not ${String(deadlineMs)}`);
    }
    if (deadlineMs === undefined && this.#closing === undefined) this.#refusePaused("close");
    if (deadlineMs !== undefined) this.#cancelAllAfter(deadlineMs);
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Cancels what runs, then closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close({ deadlineMs: 0 });
  }

  // ——— running

  #run(
    reference: AnyReference,
    items: Items<unknown>,
    options: RunOptions<never, unknown>,
    isWarmUp = false,
  ): AnyHandle {
    if (this.#phase !== "open") throw new EngineClosedError(`the engine is ${this.#phase}; it takes no more work`);
    if (!isTaskReference(reference)) {
      throw new InvalidArgumentError("run: the first argument must be made by task(url, exportName)");
    }
    const rules = resolveRunOptions(options);
    const { id, signal } = options;
    if (id !== undefined) {
      const known = this.#join(id, reference, options);
      if (known !== undefined) return known;
    }
    if (this.#live.size >= this.#options.maxJobs) throw new QueueFullError(this.#options.maxJobs);
    // The last that may throw, and nothing has been changed: the source is opened, but not pulled.
    const { recipe, release } = this.#recipes.acquire(reference, options.options);
    let job: Job;
    try {
      job = this.#create(recipe, items, options);
    } catch (error) {
      release();
      throw error;
    }
    if (signal?.aborted === true) {
      release();
      return this.#stillborn(job, signal.reason, options);
    }
    this.#releases.set(job, release);
    return this.#submit(job, rules, options, isWarmUp);
  }

  #create(recipe: Job["recipe"], items: Items<unknown>, options: RunOptions<never, unknown>): Job {
    const { collect = true, total, weigh, maxInFlightBytes } = options;
    const key = this.#nextKey++;
    const id = options.id ?? `job-${key}`;
    const job = new Job({ key, id, recipe, collects: collect, totalHint: total }, this.#dispatcher.now());
    const sourceOptions = { isPaced: !collect, weigh, maxInFlightBytes: maxInFlightBytes ?? Infinity };
    job.source = openSource(items, sourceOptions, this.#sourceListener(job));
    job.supplied = job.source.supplied;
    job.sourceEnded = job.source.isEnded;
    job.onRead = (count) => this.#dispatcher.dispatch({ type: "read", job: key, count });
    job.onLeft = () => this.#cancel(job, undefined);
    return job;
  }

  #submit(job: Job, rules: JobRules, options: RunOptions<never, unknown>, isWarmUp: boolean): AnyHandle {
    if (options.id !== undefined && job.collects) this.#cachedIds.add(job);
    this.#live.set(job.id, job);
    this.#dispatcher.add(job);
    this.#dispatcher.hold(true);
    this.#startProgress();
    const handle = this.#attach(job, options, true);
    // What follows from the submit may settle the job already, but is told only after `run` has returned.
    const submitted: JobEvent = { type: "submitted", jobId: job.id, state: "waiting" };
    this.#dispatcher.dispatchQuietly(() => this.#tell(submitted), {
      type: "submit",
      job: job.key,
      recipe: job.recipe.id,
      rules,
      supplied: job.supplied,
      sourceEnded: job.sourceEnded,
      isThrottled: !job.collects,
      isWarmUp,
    });
    return handle;
  }

  /** The id of a live job, or of one whose result is kept. */
  #join(id: string, reference: AnyReference, options: RunOptions<never, unknown>): AnyHandle | undefined {
    const live = this.#live.get(id);
    if (live !== undefined) {
      const { url, exportName } = live.recipe;
      if (url !== reference.url || exportName !== reference.exportName) {
        throw new JobIdConflictError(id, `runs another task, ${JSON.stringify(exportName)} of ${url}`);
      }
      if (options.collect === false || !live.collects) {
        throw new JobIdConflictError(id, "a job with collect: false belongs to one caller");
      }
      if (options.signal?.aborted === true) return this.#stillborn(live, options.signal.reason, options);
      return this.#attach(live, options, true);
    }
    if (options.fresh === true || options.collect === false || !this.#results.has(id)) return undefined;
    const cached = this.#results.get(id);
    if (cached === undefined || cached.recipeUrl !== recipeUrl(reference)) return undefined;
    return this.#fromCache(id, cached.result, reference, options);
  }

  #fromCache(
    id: string,
    result: JobResult<unknown>,
    reference: AnyReference,
    options: RunOptions<never, unknown>,
  ): AnyHandle {
    const { url, exportName } = reference;
    const recipe = { id: 0, url, exportName, options: undefined };
    const now = this.#dispatcher.now();
    const job = new Job({ key: 0, id, recipe, collects: true, totalHint: undefined }, now);
    job.source = openSource([], { isPaced: false, weigh: undefined, maxInFlightBytes: Infinity }, NO_LISTENER);
    job.restore(result, now);
    const handle = new JobHandle<unknown, unknown>(job, this.#control, {
      isOrdered: options.ordered ?? false,
      fromCache: true,
    });
    handle.settle("completed", undefined);
    queueMicrotask(() => handle.notifyLast("settle", { state: "completed" }));
    return handle;
  }

  /** A handle that was cancelled before it began; the job it would have joined is not touched. */
  #stillborn(job: Job, reason: unknown, options: RunOptions<never, unknown>): AnyHandle {
    const isNew = !this.#live.has(job.id);
    if (isNew) {
      job.settle("cancelled", reason, this.#dispatcher.now());
      job.noteStopped();
    }
    const handle = new JobHandle<unknown, unknown>(job, this.#control, {
      isOrdered: options.ordered ?? false,
      fromCache: false,
    });
    handle.settle("cancelled", reason);
    queueMicrotask(() => handle.notifyLast("settle", { state: "cancelled", error: reason }));
    return handle;
  }

  /** A new handle on the job. `isHolder`: the work goes on for its sake. */
  #attach(job: Job, options: RunOptions<never, unknown>, isHolder: boolean): AnyHandle {
    const handle = new JobHandle<unknown, unknown>(job, this.#control, {
      isOrdered: options.ordered ?? false,
      fromCache: false,
    });
    job.handles.add(handle);
    if (isHolder) job.holders++;
    const { signal } = options;
    if (signal !== undefined)
      this.#leaves.set(
        handle,
        this.#signals.watch(signal, () => this.#leave(job, handle, signal)),
      );
    return handle;
  }

  /** The handle of those who only look: one for all of them, so that looking often costs nothing. */
  #observe(job: Job): JobHandle<unknown> {
    job.observer ??= this.#attach(job, {}, false);
    return job.observer;
  }

  /** A signal ends its own handle; the work ends with the last one. */
  #leave(job: Job, handle: AnyHandle, signal: AbortSignal): void {
    this.#leaves.delete(handle);
    if (job.isSettled) return;
    job.holders--;
    if (job.holders === 0) {
      this.#cancel(job, signal.reason);
      return;
    }
    job.handles.delete(handle);
    const reason: unknown = signal.reason;
    handle.settle("cancelled", reason);
    job.wake();
    this.#dispatcher.later(() => handle.notifyLast("settle", { state: "cancelled", error: reason }));
  }

  #cancel(job: Job, reason: unknown): void {
    if (job.isSettled) return;
    job.cancelReason = reason === undefined ? new DOMException("the job was cancelled", "AbortError") : reason;
    this.#dispatcher.dispatch({ type: "stop-asked", job: job.key });
  }

  #sourceListener(job: Job): SourceListener {
    const { key } = job;
    return {
      onItems: (count) => {
        job.supplied += count;
        this.#dispatcher.dispatch({ type: "items", job: key, count });
      },
      onPulled: (ended) => {
        job.sourceEnded = ended;
        this.#dispatcher.dispatch({ type: "pulled", job: key, ended });
      },
      onFailed: (cause) => {
        job.sourceError = cause;
        this.#dispatcher.dispatch({ type: "source-failed", job: key });
      },
      onCancelled: (reason) => this.#cancel(job, reason),
    };
  }

  readonly #control: JobControl = {
    cancel: (job, reason) => this.#cancel(job, reason),
    pause: (job) => {
      if (job.isSettled) return Promise.resolve();
      const paused = job.whenPaused();
      job.state = "paused";
      this.#dispatcher.dispatch({ type: "pause-asked", job: job.key });
      return paused;
    },
    resume: (job) => {
      if (job.state !== "paused") return;
      job.state = job.hasStarted ? "running" : "waiting";
      job.notePaused();
      this.#dispatcher.dispatch({ type: "resume-asked", job: job.key });
    },
    progress: (job) => job.progress(this.#dispatcher.now(), job.isSettled ? 0 : this.#dispatcher.seen(job)),
    stopped: (job) => job.whenStopped(),
    result: (job) => job.result(this.#dispatcher.now()),
  };

  // ——— what the dispatcher tells

  #listener(): DispatcherListener {
    return {
      onSettle: (job, state, error) => this.#onSettle(job, state, error),
      onStarted: (job) => {
        for (const handle of job.handles) handle.notify("start");
        this.#publish({ type: "started", jobId: job.id, state: job.state });
      },
      onStopped: (job) => {
        job.noteStopped();
        this.#publish({ type: "stopped", jobId: job.id, state: job.state });
      },
      onPaused: (job) => job.notePaused(),
      onBatch: (job, batch) => {
        for (const handle of job.handles) handle.notify("batch", batch);
        if (this.listenerCount("batch") === 0 && !batchChannel.hasSubscribers) return;
        const event = { jobId: job.id, ...batch };
        this.emit("batch", event);
        batchChannel.publish(event);
      },
      onRetry: (job, retry) => {
        for (const handle of job.handles) handle.notify("retry", retry);
      },
      onDetail: (job, detail) => {
        for (const handle of job.handles) handle.notify("detail", detail);
      },
      onThread: (event) => {
        this.emit("thread", event);
        threadChannel.publish(event);
      },
      onIdle: () => {
        // A listener that heard of the end may have started the next job.
        if (!this.#dispatcher.state.isIdle) return;
        this.#dispatcher.hold(false);
        clearInterval(this.#progressTimer);
        this.#progressTimer = undefined;
        for (const resolve of this.#idleWaiters.splice(0)) resolve();
      },
    };
  }

  /** In the same step as the event that ended the job; only listeners are told later. */
  #onSettle(job: Job, state: SettledState, error: unknown): void {
    const now = this.#dispatcher.now();
    this.#live.delete(job.id);
    this.#releases.get(job)?.();
    this.#releases.delete(job);
    if (this.#cachedIds.delete(job) && state === "completed" && job.failures.size === 0) {
      job.settle(state, error, now);
      this.#results.set(job.id, { recipeUrl: recipeUrl(job.recipe), result: job.result(now) });
    } else {
      job.settle(state, error, now);
    }
    this.#settled.add(job.id, { id: job.id, state, error, stats: job.stats(now) });
    const handles = [...job.handles];
    job.handles.clear();
    for (const handle of handles) {
      this.#leaves.get(handle)?.();
      this.#leaves.delete(handle);
      handle.settle(state, error);
    }
    job.wake();
    this.#dispatcher.later(() => {
      const progress = job.progress(now, 0);
      const end = error === undefined ? { state } : { state, error };
      for (const handle of handles) {
        handle.notifyLast("progress", progress);
        handle.notifyLast("settle", end);
      }
      this.#publish({ type: "settled", jobId: job.id, ...end });
    });
  }

  #publish(event: JobEvent): void {
    this.#dispatcher.later(() => this.#tell(event));
  }

  #tell(event: JobEvent): void {
    this.emit("job", event);
    jobChannel.publish(event);
  }

  #startProgress(): void {
    this.#progressTimer ??= setInterval(() => {
      for (const job of this.#live.values()) {
        for (const handle of job.handles) {
          if (handle.listenerCount("progress") > 0) handle.notify("progress", handle.progress);
        }
      }
    }, this.#options.progressMs).unref();
  }

  // ——— closing

  #refusePaused(what: string): void {
    const paused = [...this.#live.values()].filter((job) => job.state === "paused").map((job) => job.id);
    if (paused.length === 0) return;
    const names = paused.slice(0, 3).map((id) => JSON.stringify(id));
    throw new InvalidArgumentError(
      `${what}: ${paused.length} paused job(s) would never end (${names.join(", ")}); resume or cancel them first`,
    );
  }

  /** The jobs that the close has cancelled. */
  readonly #closeCancels = new Set<string>();
  readonly #closeTimers = new Set<NodeJS.Timeout>();
  #isPastDeadline = false;
  #onDeadline: () => void = () => undefined;

  #cancelAllAfter(deadlineMs: number): void {
    const cancelAll = (): void => {
      this.#isPastDeadline = true;
      for (const job of this.#live.values()) {
        this.#closeCancels.add(job.id);
        this.#cancel(job, new DOMException("the engine was closed", "AbortError"));
      }
      this.#onDeadline();
    };
    // At once means in this tick; nothing new may come in between.
    if (this.#phase === "open") this.#phase = "closing";
    if (deadlineMs === 0) cancelAll();
    else this.#closeTimers.add(setTimeout(cancelAll, Math.min(deadlineMs, MAX_TIMER_MS)));
  }

  async #close(): Promise<CloseReport> {
    this.#phase = "closing";
    const idle = this.#dispatcher.state.isIdle
      ? Promise.resolve()
      : new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
    // After a deadline threads have a grace to let go of what was cancelled; nothing waits for them after that.
    let grace: NodeJS.Timeout | undefined;
    const budgetMs = Math.min(this.#options.graceMs, MAX_CLOSE_GRACE_MS);
    const deadline = new Promise<void>((resolve) => {
      this.#onDeadline = () => {
        grace ??= setTimeout(resolve, budgetMs);
      };
      if (this.#isPastDeadline) this.#onDeadline();
    });
    await Promise.race([idle, deadline]);
    clearTimeout(grace);
    for (const timer of this.#closeTimers) clearTimeout(timer);
    const leftBehind = await this.#dispatcher.end(this.#isPastDeadline ? LATE_TEARDOWN_MS : this.#options.graceMs);
    this.#phase = "closed";
    this.#unguard();
    return { leftBehind, cancelledJobs: [...this.#closeCancels] };
  }
}

const MAX_TIMER_MS = 2_147_483_647;
/** With the teardown after it, within the second that `close` promises after its deadline. */
const MAX_CLOSE_GRACE_MS = 700;
const LATE_TEARDOWN_MS = 150;

/** Options are required where the task's are. */
type RequiredOptions<Options> = undefined extends Options ? unknown : { readonly options: Options };
type RunArguments<Item, Options> = undefined extends Options
  ? [options?: RunOptions<Item, Options>]
  : [options: RunOptions<Item, Options> & { readonly options: Options }];

function recipeUrl({ url, exportName }: { readonly url: string; readonly exportName: string }): string {
  return `${url}#${exportName}`;
}

function refuseCollect(
  what: string,
  options: { readonly onError?: unknown; readonly collect?: unknown } | undefined,
): void {
  if (options?.onError === "collect" || options?.collect === false) {
    throw new InvalidArgumentError(
      `${what}: it answers with values only; use run for onError: "collect" or collect: false`,
    );
  }
}

const NO_LISTENER: SourceListener = {
  onItems: () => undefined,
  onPulled: () => undefined,
  onFailed: () => undefined,
  onCancelled: () => undefined,
};
