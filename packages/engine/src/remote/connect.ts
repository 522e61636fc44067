/** The client's side of a connection: an engine that is used from another thread. */
import type { NumberColumn } from "@threadmill/protocol";
import type { CloseOptions, CloseReport } from "../closing.js";
import type { EngineStats } from "../engine.js";
import type { SettledJob } from "../jobs/settled-jobs.js";
import { SignalHub } from "../jobs/signal-hub.js";
import type { Items } from "../jobs/source.js";
import type { AnyTaskReference, ColumnsReference, TaskReference } from "../task.js";
import { Connection } from "./connection.js";
import {
  type ClientFace,
  CLIENT_METHODS,
  type EngineFace,
  type JobSummary,
  type News,
  type RunRequest,
} from "./messages.js";
import { Outbox } from "./outbox.js";
import { mendItems } from "./packing.js";
import { fromWireReason, lostError, toWireReason } from "./reasons.js";
import { type HandleControl, RemoteJobHandle } from "./remote-handle.js";
import type { RemoteRunOptions, RequiredOptions, RunArguments } from "./remote-types.js";
import { checkRun, nameOptions, refuseCollect } from "./run-checks.js";
import { SentItems } from "./sent-items.js";
import type { Endpoint } from "./wire.js";

/**
 * Uses the engine that the other side of `endpoint` exposes by `exposeEngine`, which may come later. A client without
 * live jobs does not hold its thread.
 *
 * @throws {InvalidArgumentError} the endpoint is none.
 */
export function connectEngine(endpoint: Endpoint): RemoteEngine {
  return new RemoteEngine(endpoint);
}

/** A job of this client, or one that it observes. */
interface RemoteJob {
  readonly key: number;
  readonly handle: RemoteJobHandle<unknown, unknown>;
  items: SentItems | undefined;
  /** The engine has been asked for it. */
  isSent: boolean;
  /** It never will be, or has refused. */
  isDropped: boolean;
  unwatch: (() => void) | undefined;
}

export class RemoteEngine {
  readonly #connection: Connection<ClientFace, EngineFace>;
  /** In the order in which things were asked for. */
  readonly #outbox = new Outbox();
  readonly #signals = new SignalHub();
  readonly #jobs = new Map<number, RemoteJob>();
  /** Live ones by their id: a cancel concerns them all, in its tick. */
  readonly #live = new Map<string, Set<RemoteJob>>();
  /** Those who are waited for, and calls: they hold the process. */
  readonly #awaited = new Set<object>();
  #nextKey = 1;
  /** Part of the ids that no caller gave: no two clients have the same. */
  readonly #autoId = `job-${crypto.randomUUID().slice(0, 13)}`;
  #over: Error | undefined;
  #noteClosed!: () => void;
  /** Resolves when the connection is over, from whichever side. */
  readonly closed: Promise<void>;

  /** Use {@link connectEngine}. */
  constructor(endpoint: Endpoint) {
    this.closed = new Promise((resolve) => (this.#noteClosed = resolve));
    this.#connection = new Connection<ClientFace, EngineFace>({
      endpoint,
      makeOwn: () => ({
        news: (key, news) => this.#takeNews(key, news),
        items: (key, max) => this.#jobs.get(key)?.items?.answer(max) ?? Promise.resolve({ items: [], isEnded: true }),
        closeItems: (key) => this.#jobs.get(key)?.items?.close(),
      }),
      ownMethods: CLIENT_METHODS,
      onOver: (error) => this.#end(error),
      mend: mendItems,
    });
    this.#connection.wire.hold(false);
  }

  /** Whether the engine can be reached, as far as is known. */
  get isConnected(): boolean {
    return !this.#connection.isOver;
  }

  /**
   * As `Engine.run`. What the engine refuses (`QUEUE_FULL`, `JOB_ID_CONFLICT`, `ENGINE_CLOSED`) settles the handle as
   * failed, and so does the end of the connection.
   *
   * @throws {InvalidArgumentError} wrong items or options, at once.
   */
  run<Input extends NumberColumn, Output extends NumberColumn, Options>(
    task: ColumnsReference<Input, Output, Options>,
    items: NoInfer<Input>,
    ...options: RunArguments<never, NoInfer<Options>>
  ): RemoteJobHandle<Output[number], Output[number], Output>;
  run<Item, Result, Options>(
    task: TaskReference<Item, Result, Options>,
    items: Items<NoInfer<Item>>,
    options: RemoteRunOptions<NoInfer<Item>, NoInfer<Options>> & {
      readonly onError: "collect";
    } & RequiredOptions<Options>,
  ): RemoteJobHandle<Result, Result | undefined>;
  run<Item, Result, Options>(
    task: TaskReference<Item, Result, Options>,
    items: Items<NoInfer<Item>>,
    ...options: RunArguments<NoInfer<Item>, NoInfer<Options>>
  ): RemoteJobHandle<Result>;
  run(
    task: AnyTaskReference<unknown>,
    items: Items<unknown>,
    options: RemoteRunOptions<never, unknown> = {},
  ): RemoteJobHandle<unknown, never> {
    return this.#run(task, items, options).handle as RemoteJobHandle<unknown, never>;
  }

  /** One item, one promise. Rejects rather than throws; otherwise as {@link run}. */
  async call<Item, Result, Options>(
    task: TaskReference<Item, Result, Options>,
    item: NoInfer<Item>,
    ...options: RunArguments<NoInfer<Item>, NoInfer<Options>>
  ): Promise<Result> {
    refuseCollect("call", options[0]);
    const { values } = await this.#run(task, [item], options[0] ?? {}).handle.result;
    return values[0] as Result;
  }

  /** The values of all items, in their order. Rejects rather than throws; otherwise as {@link run}. */
  map<Input extends NumberColumn, Output extends NumberColumn, Options>(
    task: ColumnsReference<Input, Output, Options>,
    items: NoInfer<Input>,
    ...options: RunArguments<never, NoInfer<Options>>
  ): Promise<Output>;
  map<Item, Result, Options>(
    task: TaskReference<Item, Result, Options>,
    items: Items<NoInfer<Item>>,
    ...options: RunArguments<NoInfer<Item>, NoInfer<Options>>
  ): Promise<Result[]>;
  async map(
    task: AnyTaskReference<unknown>,
    items: Items<unknown>,
    options: RemoteRunOptions<never, unknown> = {},
  ): Promise<unknown> {
    refuseCollect("map", options);
    const { values } = await this.#run(task, items, options).handle.result;
    return values;
  }

  /** Loads the task and sets it up in every thread of the engine. */
  async warm<Options>(
    task: AnyTaskReference<Options>,
    ...options: undefined extends Options ? [options?: Options] : [options: Options]
  ): Promise<void> {
    checkRun(task, {});
    const { url, exportName } = task;
    const named = options[0] === undefined ? undefined : nameOptions(options[0]);
    await this.#ask((engine) => engine.call("warm", { url, exportName }, named));
  }

  /**
   * The job with this id, whoever started it: a live one, one of the last 256 that have settled, or undefined. Observing
   * holds nothing. The values of a job that is observed come when it has completed.
   */
  async job(id: string): Promise<RemoteJobHandle<unknown> | SettledJob | undefined> {
    const job = this.#makeJob(id, { collects: true, isOrdered: false, total: undefined });
    this.#jobs.set(job.key, job);
    job.isSent = true;
    job.handle.send();
    try {
      const found = await this.#ask((engine) => engine.call("observe", job.key, id));
      if (found?.kind === "live") {
        this.#track(job);
        job.handle.takeNews({ standing: found.standing, events: [], runs: [], isStopped: false });
        return job.handle;
      }
      this.#jobs.delete(job.key);
      if (found === undefined) return undefined;
      const { state, error, stats } = found;
      return { id, state, error: fromWireReason(error), stats };
    } catch (error) {
      this.#jobs.delete(job.key);
      throw error;
    }
  }

  /** All live jobs of the engine, oldest first, as they are at this moment. */
  jobs(): Promise<JobSummary[]> {
    return this.#ask((engine) => engine.call("jobs"));
  }

  /** Cancels the job for all its handles, those of this client in this tick; false if no live job has this id. */
  cancel(id: string, reason?: unknown): Promise<boolean> {
    const why = reason === undefined ? new DOMException("the job was cancelled", "AbortError") : reason;
    const mine = this.#settleAll(id, why);
    const answer = this.#ask((engine) => engine.call("cancelJob", id, toWireReason(why))).then((done) => done || mine);
    answer.catch(() => undefined);
    return answer;
  }

  stats(): Promise<EngineStats> {
    return this.#ask((engine) => engine.call("stats"));
  }

  /** Resolves when no job is live, of whichever client, and all threads have let go. As `Engine.drain`. */
  drain(): Promise<void> {
    return this.#ask((engine) => engine.call("drain"));
  }

  /**
   * Closes the engine itself, for everybody, as `Engine.close`.
   *
   * @throws {InvalidArgumentError} (rejects) this client was not given `mayClose`.
   */
  closeEngine(options: CloseOptions = {}): Promise<CloseReport> {
    return this.#ask((engine) => engine.call("close", options));
  }

  /**
   * Ends the connection; the engine goes on. Live handles leave their jobs, as by a signal: they settle as cancelled, and
   * a job that nobody else wants is cancelled. Calls that wait reject with `ENGINE_CLOSED`.
   */
  close(): Promise<void> {
    if (!this.#connection.isOver) {
      const reason = new DOMException("the connection to the engine was closed", "AbortError");
      for (const { handle } of this.#jobs.values()) handle.settle({ state: "cancelled", error: reason });
      this.#connection.end(lostError("this side has closed it"), true);
    }
    return this.closed;
  }

  /** The same as {@link close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #run(task: AnyTaskReference<unknown>, items: Items<unknown>, options: RemoteRunOptions<never, unknown>): RemoteJob {
    const wireOptions = checkRun(task, options);
    const taskOptions = options.options === undefined ? undefined : nameOptions(options.options);
    const { id = `${this.#autoId}-${this.#nextKey}`, signal, ordered = false, collect = true } = options;
    // The last that may throw.
    const sentItems = new SentItems(items, (reason) => job.handle.cancel(reason));
    const { length = options.total } = sentItems;
    const job = this.#makeJob(id, { collects: collect, isOrdered: ordered, total: length });
    job.items = sentItems;
    this.#track(job);
    const { key, handle } = job;
    if (signal?.aborted === true) this.#drop(job, { state: "cancelled", error: signal.reason as unknown });
    else if (this.#over !== undefined) this.#drop(job, { state: "failed", error: this.#over });
    else {
      if (signal !== undefined) job.unwatch = this.#signals.watch(signal, () => this.#leave(key, signal.reason));
      this.#jobs.set(key, job);
      const { url, exportName } = task;
      const request = { key, task: { url, exportName }, id, isNamed: options.id !== undefined, options: wireOptions };
      this.#outbox.add(
        () => this.#send(job, taskOptions === undefined ? request : { ...request, taskOptions }),
        () => handle.waitsForLoop && !job.isDropped,
      );
    }
    return job;
  }

  #makeJob(id: string, init: { collects: boolean; isOrdered: boolean; total: number | undefined }): RemoteJob {
    const key = this.#nextKey++;
    const job: RemoteJob = {
      key,
      handle: new RemoteJobHandle<unknown, unknown>({ id, ...init, control: this.#control(key) }),
      items: undefined,
      isSent: false,
      isDropped: false,
      unwatch: undefined,
    };
    return job;
  }

  /** From now on the job holds the process, and a cancel of its id concerns it. */
  #track(job: RemoteJob): void {
    const { id } = job.handle;
    const known = this.#live.get(id);
    if (known === undefined) this.#live.set(id, new Set([job]));
    else known.add(job);
    this.#await(job, true);
  }

  #control(key: number): HandleControl {
    /** Behind the request for the job itself; nothing if that was never sent. */
    const say = <Answer>(
      body: (engine: Connection<ClientFace, EngineFace>) => Promise<Answer>,
    ): Promise<Answer | undefined> => {
      const job = this.#jobs.get(key);
      return this.#ask((engine) =>
        job?.isSent === true && !job.isDropped ? body(engine) : Promise.resolve(undefined),
      );
    };
    return {
      cancel: (reason) => {
        const job = this.#jobs.get(key);
        if (job !== undefined) this.#settleAll(job.handle.id, reason);
      },
      pause: (turn) => say((engine) => engine.call("pause", key, turn)),
      resume: (turn) => say((engine) => engine.call("resume", key, turn)),
      listen: (event) => void say((engine) => engine.call("listen", key, event)).catch(() => undefined),
      leave: () => void say((engine) => engine.call("leave", key, toWireReason(undefined))).catch(() => undefined),
      read: async () => (await say((engine) => engine.call("read", key))) ?? { runs: [], isOver: true },
      sourceFailure: () => this.#jobs.get(key)?.items?.failure,
      onChange: () => this.#noteChange(key),
    };
  }

  #send(job: RemoteJob, request: Omit<RunRequest, "items" | "loop" | "listensTo">): void {
    if (job.isDropped) return;
    job.isSent = true;
    const { handle, items } = job;
    const { loop, listensTo } = handle.send();
    const described = (items as SentItems).describe(this.#connection.wire.sharesMemory);
    // Of items that are pulled the engine cannot see how many there are.
    const total = items?.length ?? request.options.total;
    const options = total === undefined ? request.options : { ...request.options, total };
    const all = { ...request, options, items: described, listensTo };
    this.#connection.call("run", loop === undefined ? all : { ...all, loop }).then(
      ({ fromCache }) => handle.admit(fromCache),
      // Refused, or the connection is over.
      (error: unknown) => this.#drop(job, { state: "failed", error }),
    );
  }

  /** The engine does not know the job: it was not sent, or it was refused. */
  #drop(job: RemoteJob, end: { readonly state: "cancelled" | "failed"; readonly error: unknown }): void {
    job.isDropped = true;
    job.handle.settle(end);
    job.handle.stop("stopped");
    this.#jobs.delete(job.key);
    this.#noteEnd(job);
  }

  /** Settles all handles with this id in this tick, and has the engine told; false if there is none. */
  #settleAll(id: string, reason: unknown): boolean {
    const jobs = [...(this.#live.get(id) ?? [])];
    for (const job of jobs) this.#cancel(job, reason, "cancel");
    return jobs.length > 0;
  }

  /** A signal ends its own handle. */
  #leave(key: number, reason: unknown): void {
    const job = this.#jobs.get(key);
    if (job !== undefined) this.#cancel(job, reason, "leave");
  }

  #cancel(job: RemoteJob, reason: unknown, how: "cancel" | "leave"): void {
    if (!job.isSent) {
      this.#drop(job, { state: "cancelled", error: reason });
      return;
    }
    job.handle.settle({ state: "cancelled", error: reason });
    const told = this.#connection.call(how, job.key, toWireReason(reason));
    told.catch(() => undefined);
  }

  #takeNews(key: number, news: News): void {
    const job = this.#jobs.get(key);
    if (job === undefined) return;
    job.handle.takeNews(news);
  }

  #noteChange(key: number): void {
    const job = this.#jobs.get(key);
    if (job === undefined) return;
    this.#noteEnd(job);
    if (job.handle.isOver) this.#jobs.delete(key);
  }

  /** Lets go of what a settled job has held on this side. */
  #noteEnd(job: RemoteJob): void {
    const { handle, items, unwatch } = job;
    this.#await(job, handle.isAwaited);
    if (!handle.isSettled) return;
    unwatch?.();
    items?.close();
    const live = this.#live.get(handle.id);
    live?.delete(job);
    if (live?.size === 0) this.#live.delete(handle.id);
  }

  /** A call on the engine, in its order. */
  #ask<Answer>(body: (engine: Connection<ClientFace, EngineFace>) => Promise<Answer>): Promise<Answer> {
    const call = {};
    this.#await(call, true);
    return new Promise<Answer>((resolve, reject) => {
      this.#outbox.add(() => {
        body(this.#connection)
          .then(resolve, reject)
          .finally(() => this.#await(call, false));
      });
    });
  }

  #await(one: object, isAwaited: boolean): void {
    const before = this.#awaited.size;
    if (isAwaited) this.#awaited.add(one);
    else this.#awaited.delete(one);
    const { size } = this.#awaited;
    if (this.#over === undefined && (before === 0) !== (size === 0)) this.#connection.wire.hold(size > 0);
  }

  #end(error: Error): void {
    this.#over = error;
    for (const job of this.#jobs.values()) {
      job.handle.settle({ state: "failed", error });
      job.handle.stop({ error });
      this.#noteEnd(job);
    }
    this.#jobs.clear();
    this.#noteClosed();
  }
}
