/**
 * The jobs of an engine by their ids, and the ways in: a new job, a handle on a live one, a result that is kept. And
 * the way out: what the dispatcher tells of a job reaches its handles from here.
 */
import { randomBytes } from "node:crypto";
import { EngineClosedError, InvalidArgumentError, JobIdConflictError, QueueFullError } from "@threadmill/protocol";
import { Dispatcher, type DispatcherListener } from "../dispatcher.js";
import { type AnyRunOptions, type ResolvedEngineOptions, type RunOptions, resolveRunOptions } from "../options.js";
import { Recipes } from "../recipes.js";
import type { Runner } from "../runners/runner.js";
import type { JobRules } from "../scheduler/index.js";
import { type AnyTaskReference, checkTaskReference } from "../task.js";
import type { ThreadEvent } from "../threads.js";
import { type JobControl, JobHandle } from "./handle.js";
import { ItemMemo } from "./item-memo.js";
import { Job, type JobOwner, type JobState, type KeptRun, type SettledState } from "./job.js";
import { KeptResults } from "./kept-results.js";
import { type SettledJob, SettledJobs } from "./settled-jobs.js";
import { SignalHub } from "./signal-hub.js";
import { SourceEvents } from "./source-events.js";
import { type Items, type SourceListener, openSource } from "./source.js";
import { UNNAMED } from "./unnamed.js";

export interface JobEvent {
  readonly type: "submitted" | "started" | "settled" | "stopped";
  readonly jobId: string;
  readonly state: JobState;
  readonly error?: unknown;
}

/** What the engine passes on to its own listeners. */
export interface RegistryListener {
  onJob(event: JobEvent): void;
  onBatch(event: { jobId: string; task: string; slot: number; items: number; elapsedMs: number }): void;
  onThread(event: ThreadEvent): void;
}

/** A reference whose types have been checked at the door. */
type AnyReference = AnyTaskReference<unknown>;
export type AnyHandle = JobHandle<unknown, unknown>;

/** Part of every id that a caller did not give: nobody's own ids look like that. */
const AUTO_ID = `job-${randomBytes(4).toString("hex")}`;

export class JobRegistry {
  /** Only an open engine takes work. */
  phase: "open" | "closing" | "closed" = "open";
  readonly dispatcher: Dispatcher;
  readonly results: KeptResults;
  readonly #options: ResolvedEngineOptions;
  readonly #listener: RegistryListener;
  readonly #recipes: Recipes;
  readonly #signals = new SignalHub();
  readonly #live = new Map<string, Job>();
  readonly #settled = new SettledJobs();
  readonly #idleWaiters: (() => void)[] = [];
  #nextKey = 1;
  #progressTimer: NodeJS.Timeout | undefined;

  constructor(options: ResolvedEngineOptions, runner: Runner, listener: RegistryListener) {
    this.#options = options;
    this.#listener = listener;
    this.results = new KeptResults(options.results);
    this.dispatcher = new Dispatcher(options, runner, this.#dispatcherListener());
    this.#recipes = new Recipes(({ id }) => this.dispatcher.dispatch({ type: "recipe-forgotten", recipe: id }));
  }

  /** Live jobs, oldest first. */
  live(): Job[] {
    return [...this.#live.values()];
  }

  find(id: string): Job | undefined {
    return this.#live.get(id);
  }

  findSettled(id: string): SettledJob | undefined {
    return this.#settled.get(id);
  }

  /** Resolves when no job is live and all threads have let go. */
  whenIdle(): Promise<void> {
    if (this.dispatcher.state.isIdle) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** As `Engine.run`, types aside. */
  run(reference: AnyReference, items: Items<unknown>, options: AnyRunOptions, isWarmUp = false): AnyHandle {
    this.#refuseIfClosed();
    checkTaskReference(reference);
    const rules = resolveRunOptions(options);
    const { id, signal } = options;
    if (id !== undefined) {
      const known = this.#join(id, reference, options);
      if (known !== undefined) return known;
    }
    this.#refuseIfFull();
    // Nothing has been changed until all that may throw has been done: the source is opened, but not pulled.
    const recipe = this.#recipes.acquire(reference, options.options);
    let job: Job | undefined;
    try {
      job = this.#create(recipe, items, options);
      // That may have run the caller's code, if there was an iterator to be opened, or the options have getters: it may
      // have closed the engine since, or begun this very job.
      this.#refuseIfClosed();
      this.#refuseIfFull();
      if (this.#live.has(job.id)) throw new JobIdConflictError(job.id, "was begun while its items were opened");
    } catch (error) {
      this.#recipes.release(recipe);
      job?.source.close();
      throw error;
    }
    if (signal?.aborted === true) {
      this.#recipes.release(recipe);
      return this.#stillborn(job, signal.reason, options);
    }
    return this.#submit(job, rules, options, isWarmUp);
  }

  #refuseIfClosed(): void {
    if (this.phase !== "open") throw new EngineClosedError(`the engine is ${this.phase}; it takes no more work`);
  }

  #refuseIfFull(): void {
    const { maxJobs } = this.#options;
    if (this.#live.size >= maxJobs) throw new QueueFullError(maxJobs);
  }

  #create(recipe: Job["recipe"], items: Items<unknown>, options: AnyRunOptions): Job {
    const { collect = true, total, weigh, maxInFlightBytes, cache } = options;
    const key = this.#nextKey++;
    const id = options.id ?? `${AUTO_ID}-${key}`;
    const init = { key, id, recipe, collects: collect, totalHint: total, owner: this.#owner };
    const job = new Job(init, this.dispatcher.now());
    if (cache !== undefined && recipe.output !== undefined) {
      throw new InvalidArgumentError("run: a columns task has no single values, so that cache does not go with it");
    }
    if (cache !== undefined) job.memo = new ItemMemo(cache, options.fresh ?? false);
    const sourceOptions = {
      isPaced: !collect,
      weigh,
      maxInFlightBytes: maxInFlightBytes ?? Infinity,
      memo: job.memo,
    };
    job.source = openSource(items, sourceOptions, new SourceEvents(this.dispatcher, job, this.#control));
    job.supplied = job.source.supplied;
    job.sourceEnded = job.source.isEnded;
    return job;
  }

  #submit(job: Job, rules: JobRules, options: RunOptions<never, unknown>, isWarmUp: boolean): AnyHandle {
    job.isKept = options.id !== undefined && job.collects && !(UNNAMED in options);
    if (job.isKept && options.fresh !== true) this.results.noteMiss(job.id);
    this.#live.set(job.id, job);
    this.dispatcher.add(job);
    this.dispatcher.hold(true);
    this.#startProgress();
    const handle = this.#attach(job, options, true);
    // What follows from the submit may settle the job already, but is told only after `run` has returned.
    const submitted: JobEvent = { type: "submitted", jobId: job.id, state: "waiting" };
    this.dispatcher.dispatchQuietly(() => this.#listener.onJob(submitted), {
      type: "submit",
      job: job.key,
      recipe: job.recipe.id,
      rules,
      supplied: job.supplied,
      sourceEnded: job.sourceEnded,
      isThrottled: !job.collects,
      // Only a thread can tell whether the values of an empty column are a column as well.
      isWarmUp: isWarmUp || job.source.column?.length === 0,
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
    if (options.signal?.aborted === true) return undefined;
    if (options.fresh === true || options.collect === false) return undefined;
    const kept = this.results.find(id, reference);
    return kept === undefined ? undefined : this.#fromCache(id, kept, reference, options);
  }

  #fromCache(id: string, kept: KeptRun, reference: AnyReference, options: RunOptions<never, unknown>): AnyHandle {
    const { url, exportName } = reference;
    const recipe = { id: 0, url, exportName, options: undefined, users: 1 };
    const now = this.dispatcher.now();
    const job = new Job({ key: 0, id, recipe, collects: true, totalHint: undefined, owner: undefined }, now);
    job.source = openSource([], { isPaced: false, weigh: undefined, maxInFlightBytes: Infinity }, NO_LISTENER);
    job.restore(kept, now);
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
      job.settle("cancelled", reason, this.dispatcher.now());
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
    if (signal !== undefined) {
      handle.unwatch = this.#signals.watch(signal, () => this.#leave(job, handle, signal));
    }
    return handle;
  }

  /** The handle of those who only look: one for all of them, so that looking often costs nothing. */
  observe(job: Job): JobHandle<unknown> {
    job.observer ??= this.#attach(job, {}, false);
    return job.observer;
  }

  /** A signal ends its own handle; the work ends with the last one. */
  #leave(job: Job, handle: AnyHandle, signal: AbortSignal): void {
    handle.unwatch = undefined;
    if (job.isSettled) return;
    job.holders--;
    if (job.holders === 0) {
      this.cancel(job, signal.reason);
      return;
    }
    job.handles.delete(handle);
    const reason: unknown = signal.reason;
    handle.settle("cancelled", reason);
    job.wake();
    this.dispatcher.later(() => {
      if (handle.listenerCount("progress") > 0) handle.notifyLast("progress", handle.progress);
      handle.notifyLast("settle", { state: "cancelled", error: reason });
    });
  }

  cancel(job: Job, reason: unknown): void {
    if (job.isSettled) return;
    job.cancelReason = reason === undefined ? new DOMException("the job was cancelled", "AbortError") : reason;
    this.dispatcher.dispatch({ type: "stop-asked", job: job.key });
  }

  readonly #owner: JobOwner = {
    onRead: (job, count) => this.dispatcher.dispatch({ type: "read", job: job.key, count }),
    onLeft: (job) => this.cancel(job, undefined),
  };

  readonly #control: JobControl = {
    cancel: (job, reason) => this.cancel(job, reason),
    pause: (job) => {
      if (job.isSettled) return Promise.resolve();
      const paused = job.whenPaused();
      job.state = "paused";
      this.dispatcher.dispatch({ type: "pause-asked", job: job.key });
      return paused;
    },
    resume: (job) => {
      if (job.state !== "paused") return;
      job.state = job.hasStarted ? "running" : "waiting";
      job.notePaused();
      this.dispatcher.dispatch({ type: "resume-asked", job: job.key });
    },
    progress: (job) => job.progress(this.dispatcher.now(), job.isSettled ? 0 : this.dispatcher.seen(job)),
    stopped: (job) => job.whenStopped(),
    result: (job) => job.result(this.dispatcher.now()),
  };

  // ——— what the dispatcher tells

  #dispatcherListener(): DispatcherListener {
    return {
      onSettle: (job, state, error) => this.#onSettle(job, state, error),
      onStarted: (job) => {
        for (const handle of job.handles) handle.notify("start");
        this.#listener.onJob({ type: "started", jobId: job.id, state: job.state });
      },
      onStopped: (job) => {
        job.noteStopped();
        this.#listener.onJob({ type: "stopped", jobId: job.id, state: job.state });
      },
      onPaused: (job) => job.notePaused(),
      onBatch: (job, batch) => {
        for (const handle of job.handles) handle.notify("batch", batch);
        this.#listener.onBatch({ jobId: job.id, task: job.recipe.exportName, ...batch });
      },
      onRetry: (job, retry) => {
        for (const handle of job.handles) handle.notify("retry", retry);
      },
      onDetail: (job, detail) => {
        for (const handle of job.handles) handle.notify("detail", detail);
      },
      onThread: (event) => this.#listener.onThread(event),
      onIdle: () => {
        // A listener that heard of the end may have started the next job.
        if (!this.dispatcher.state.isIdle) return;
        this.dispatcher.hold(false);
        clearInterval(this.#progressTimer);
        this.#progressTimer = undefined;
        for (const resolve of this.#idleWaiters.splice(0)) resolve();
      },
    };
  }

  /** In the same step as the event that ended the job; only listeners are told later. */
  #onSettle(job: Job, state: SettledState, error: unknown): void {
    const now = this.dispatcher.now();
    this.#live.delete(job.id);
    this.#recipes.release(job.recipe);
    job.settle(state, error, now);
    if (job.isKept && state === "completed" && job.failed === 0) {
      const { attempts, found } = job;
      this.results.keep(job.id, job.recipe, { result: job.result(now), attempts, found });
    }
    this.#settled.add(job.id, { id: job.id, state, error, stats: job.stats(now) });
    const handles = [...job.handles];
    job.handles.clear();
    for (const handle of handles) {
      handle.unwatch?.();
      handle.unwatch = undefined;
      handle.settle(state, error);
    }
    job.wake();
    this.dispatcher.later(() => {
      const end = error === undefined ? { state } : { state, error };
      for (const handle of handles) {
        if (handle.listenerCount("progress") > 0) handle.notifyLast("progress", job.progress(now, 0));
        handle.notifyLast("settle", end);
      }
      // Now, not later: a listener may have begun the next job of this id, which is told after.
      this.#listener.onJob({ type: "settled", jobId: job.id, ...end });
    });
  }

  #startProgress(): void {
    // At rest, as all else that users hear: what one of them does must not overtake what the next one is told.
    this.#progressTimer ??= setInterval(() => {
      this.dispatcher.later(() => this.#tellProgress());
    }, this.#options.progressMs).unref();
  }

  #tellProgress(): void {
    for (const job of this.#live.values()) {
      for (const handle of job.handles) {
        if (handle.listenerCount("progress") > 0) handle.notify("progress", handle.progress);
      }
    }
  }
}

/** For a job that does not run. */
const NO_LISTENER: SourceListener = {
  onItems: () => undefined,
  onPulled: () => undefined,
  onFailed: () => undefined,
  onCancelled: () => undefined,
  atRest: (callback) => callback(),
};
