/** The engine: what a host application talks to. */
import type { NumberColumn } from "@threadmill/protocol";
import { batchChannel, jobChannel, threadChannel } from "./channels.js";
import { type CloseOptions, type CloseReport, Closing, refusePaused } from "./closing.js";
import type { DispatcherStats } from "./dispatcher.js";
import { guardExit } from "./exit-guard.js";
import type { JobHandle } from "./jobs/handle.js";
import type { KeptResults } from "./jobs/kept-results.js";
import { type JobEvent, JobRegistry } from "./jobs/registry.js";
import type { SettledJob } from "./jobs/settled-jobs.js";
import type { Items } from "./jobs/source.js";
import {
  type AnyRunOptions,
  type EngineOptions,
  type ResolvedEngineOptions,
  type RunOptions,
  type RunOptionsWithCache,
  refuseCollect,
  resolveEngineOptions,
} from "./options.js";
import { createInlineRunner } from "./runners/inline-runner.js";
import { createPiscinaRunner } from "./runners/piscina-runner.js";
import { SafeEmitter } from "./safe-emitter.js";
import type { Slot } from "./scheduler/index.js";
import type { AnyTaskReference, ColumnsReference, TaskReference } from "./task.js";
import type { ThreadEvent } from "./threads.js";
import { type Trace, type TraceOptions, startTrace } from "./trace.js";

/** The engine's events, with the same payloads as its diagnostics channels. */
export interface EngineEvents {
  job: (event: JobEvent) => void;
  batch: (event: {
    readonly jobId: string;
    /** The name of the task's export. */
    readonly task: string;
    readonly slot: number;
    readonly items: number;
    /** How long the batch held its thread, as that has measured. */
    readonly elapsedMs: number;
  }) => void;
  thread: (event: ThreadEvent) => void;
}

export interface EngineStats extends DispatcherStats {
  readonly threads: readonly {
    readonly slot: number;
    /**
     * `stuck`: it does not come back from cancelled work. `broken`: it cannot be started. `ended`: the engine is closed.
     */
    readonly state: "starting" | "idle" | "busy" | "stuck" | "broken" | "ended";
    /** Threads that the slot has had before this one. */
    readonly replaced: number;
    readonly jobId: string | undefined;
  }[];
  readonly jobs: { readonly waiting: number; readonly running: number; readonly paused: number };
}

export type EngineResults = Pick<KeptResults, "get" | "has" | "delete" | "clear" | "stats">;

/**
 * Creates an engine. Its threads start at once; an idle engine does not hold the process.
 *
 * @throws {InvalidArgumentError} an option that is unknown or out of range.
 */
export function createEngine(options?: EngineOptions): Engine {
  return new Engine(resolveEngineOptions(options));
}

export class Engine extends SafeEmitter<EngineEvents> {
  /** Results of completed jobs by id, bounded; see `EngineOptions.results`. */
  readonly results: EngineResults;
  readonly #registry: JobRegistry;
  readonly #closing: Closing;
  readonly #unguard: () => void;

  /** Use {@link createEngine}. */
  constructor(options: ResolvedEngineOptions) {
    super();
    const runner = options.threads === 0 ? createInlineRunner() : createPiscinaRunner(options);
    this.#registry = new JobRegistry(options, runner, {
      onJob: (event) => {
        this.emit("job", event);
        jobChannel.publish(event);
      },
      onBatch: (event) => {
        this.emit("batch", event);
        batchChannel.publish(event);
      },
      onThread: (event) => {
        this.emit("thread", event);
        threadChannel.publish(event);
      },
    });
    this.results = this.#registry.results;
    this.#closing = new Closing(this.#registry, options.graceMs);
    this.#unguard = guardExit(this.#registry.dispatcher.control, options.graceMs);
  }

  /**
   * Runs the task over the items. Items are pulled from an iterable only as threads and readers keep up. An array is
   * read while the job runs: it is not to be changed until the job has ended.
   *
   * @throws {InvalidArgumentError} wrong items or options.
   * @throws {QueueFullError} `maxJobs` jobs are live.
   * @throws {JobIdConflictError} the id is that of a live job which does something else.
   * @throws {EngineClosedError} the engine is closing or closed.
   *
   * Whatever it throws, it throws at once and has changed nothing. A failure of the work itself settles the handle.
   */
  run<Input extends NumberColumn, Output extends NumberColumn, Options>(
    task: ColumnsReference<Input, Output, Options>,
    items: NoInfer<Input>,
    ...options: ColumnsArguments<NoInfer<Options>>
  ): JobHandle<Output[number], Output[number], Output>;
  run<Item, Result, Options>(
    task: TaskReference<Item, Result, Options>,
    items: Items<NoInfer<Item>>,
    options: RunOptionsWithCache<NoInfer<Item>, NoInfer<Options>, NoInfer<Result>> & {
      readonly onError: "collect";
    } & RequiredOptions<Options>,
  ): JobHandle<Result, Result | undefined>;
  run<Item, Result, Options>(
    task: TaskReference<Item, Result, Options>,
    items: Items<NoInfer<Item>>,
    ...options: RunArguments<NoInfer<Item>, NoInfer<Options>, NoInfer<Result>>
  ): JobHandle<Result>;
  run(task: AnyTaskReference<unknown>, items: Items<unknown>, options: AnyRunOptions = {}): JobHandle<unknown, never> {
    return this.#registry.run(task, items, options) as JobHandle<unknown, never>;
  }

  /** One item, one promise. Rejects rather than throws; otherwise as {@link run}. */
  async call<Item, Result, Options>(
    task: TaskReference<Item, Result, Options>,
    item: NoInfer<Item>,
    ...options: RunArguments<NoInfer<Item>, NoInfer<Options>, NoInfer<Result>>
  ): Promise<Result> {
    refuseCollect("call", options[0]);
    const handle = this.#registry.run(task, [item], (options[0] ?? {}) as AnyRunOptions);
    const { values } = await handle.result;
    return values[0] as Result;
  }

  /** The values of all items, in their order. Rejects rather than throws; otherwise as {@link run}. */
  map<Input extends NumberColumn, Output extends NumberColumn, Options>(
    task: ColumnsReference<Input, Output, Options>,
    items: NoInfer<Input>,
    ...options: ColumnsArguments<NoInfer<Options>>
  ): Promise<Output>;
  map<Item, Result, Options>(
    task: TaskReference<Item, Result, Options>,
    items: Items<NoInfer<Item>>,
    ...options: RunArguments<NoInfer<Item>, NoInfer<Options>, NoInfer<Result>>
  ): Promise<Result[]>;
  async map(task: AnyTaskReference<unknown>, items: Items<unknown>, options: AnyRunOptions = {}): Promise<unknown> {
    refuseCollect("map", options);
    const { values } = await this.#registry.run(task, items, options).result;
    return values;
  }

  /** Loads the task and sets it up in every thread. Rejects with the `TaskError` of a load or setup that failed. */
  async warm<Options>(
    task: AnyTaskReference<Options>,
    ...options: undefined extends Options ? [options?: Options] : [options: Options]
  ): Promise<void> {
    const handle = this.#registry.run(task, [], { options: options[0] }, true);
    await handle.result;
  }

  /** The job with this id: a live one, one of the last 256 that have settled, or undefined. Observing holds nothing. */
  job(id: string): JobHandle<unknown> | SettledJob | undefined {
    const job = this.#registry.find(id);
    return job === undefined ? this.#registry.findSettled(id) : this.#registry.observe(job);
  }

  /** All live jobs, oldest first. */
  jobs(): JobHandle<unknown>[] {
    return this.#registry.live().map((job) => this.#registry.observe(job));
  }

  /** Cancels the job for all its handles; false if no live job has this id. */
  cancel(id: string, reason?: unknown): boolean {
    const job = this.#registry.find(id);
    if (job === undefined) return false;
    this.#registry.cancel(job, reason);
    return true;
  }

  stats(): EngineStats {
    const jobs = { waiting: 0, running: 0, paused: 0 };
    const live = this.#registry.live();
    for (const job of live) if (job.state in jobs) jobs[job.state as keyof typeof jobs]++;
    const ids = new Map(live.map((job) => [job.key, job.id]));
    const { dispatcher } = this.#registry;
    return {
      threads: dispatcher.state.slots.map((slot) => ({
        slot: slot.index,
        state: this.#registry.phase === "closed" && slot.phase !== "stuck" ? "ended" : slotState(slot),
        replaced: slot.incarnation,
        jobId: slot.running === undefined ? undefined : ids.get(slot.running.job.key),
      })),
      jobs,
      ...dispatcher.stats,
    };
  }

  /**
   * Records batches, jobs and threads from now on, to be looked at in Perfetto or chrome://tracing.
   *
   * ```ts
   * const trace = engine.trace();
   * await engine.map(resize, photos);
   * await writeFile("trace.json", JSON.stringify(trace.stop()));
   * ```
   *
   * @throws {InvalidArgumentError} `maxEvents` is no whole number above 0.
   */
  trace(options?: TraceOptions): Trace {
    return startTrace(this, options);
  }

  /**
   * Resolves when no job is live and all threads have let go.
   *
   * @throws {InvalidArgumentError} (rejects) a job is paused: it would never end.
   */
  async drain(): Promise<void> {
    refusePaused(this.#registry, "drain");
    await this.#registry.whenIdle();
  }

  /**
   * Takes no more work, waits for live jobs (at most `deadlineMs`, then cancels them), tears down what was set up and
   * ends the threads. With a deadline it resolves at most a second after it, whatever the tasks do. Calling it again
   * answers the same; a shorter deadline then still holds.
   *
   * @throws {InvalidArgumentError} (rejects, and changes nothing) no deadline, and a job is paused.
   */
  async close(options: CloseOptions = {}): Promise<CloseReport> {
    this.#closing.check(options);
    if (this.#registry.phase === "open") this.#registry.phase = "closing";
    const report = await this.#closing.begin(options);
    this.#registry.phase = "closed";
    // A thread that had to be left in native code is still to be waited for when the process ends.
    if (report.leftBehind.length === 0) this.#unguard();
    return report;
  }

  /** Cancels what runs, then closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close({ deadlineMs: 0 });
  }
}

/** The moment in which the last words of a thread are read is no state of its own to those who look. */
function slotState({ phase, running }: Slot): EngineStats["threads"][number]["state"] {
  if (phase === "ready") return running === undefined ? "idle" : "busy";
  return phase === "ending" ? "starting" : phase;
}

/** Options are required where the task's are. */
type RequiredOptions<Options> = undefined extends Options ? unknown : { readonly options: Options };
type RunArguments<Item, Options, Result> = undefined extends Options
  ? [options?: RunOptionsWithCache<Item, Options, Result>]
  : [options: RunOptionsWithCache<Item, Options, Result> & { readonly options: Options }];
/** A columns task has no single items. */
type ColumnsArguments<Options> = undefined extends Options
  ? [options?: RunOptions<never, Options>]
  : [options: RunOptions<never, Options> & { readonly options: Options }];
