/** The client's side of a connection: an engine that is used from another thread. */
import type { NumberColumn } from "@threadmill/protocol";
import type { CloseOptions, CloseReport } from "../closing.js";
import type { EngineStats } from "../engine.js";
import type { SettledJob } from "../jobs/settled-jobs.js";
import type { Items } from "../jobs/source.js";
import { refuseCollect } from "../options.js";
import type { AnyTaskReference, ColumnsReference, TaskReference } from "../task.js";
import { ClientJobs } from "./client-jobs.js";
import type { JobSummary } from "./messages.js";
import { fromWireReason, lostError, toWireReason } from "./reasons.js";
import type { RemoteJobHandle } from "./remote-handle.js";
import type { RemoteRunOptions, RequiredOptions, RunArguments } from "./remote-types.js";
import { checkRun, nameOptions } from "./run-checks.js";
import type { Endpoint } from "./wire.js";

/**
 * Uses the engine that the other side of `endpoint` exposes by `exposeEngine`, which may come later. A client without
 * live jobs does not hold its thread.
 *
 * @throws {InvalidArgumentError} the endpoint is none, or is in use.
 */
export function connectEngine(endpoint: Endpoint): RemoteEngine {
  return new RemoteEngine(endpoint);
}

export class RemoteEngine {
  readonly #jobs: ClientJobs;

  /** Use {@link connectEngine}. */
  constructor(endpoint: Endpoint) {
    this.#jobs = new ClientJobs(endpoint);
  }

  /** Resolves when the connection is over, from whichever side. */
  get closed(): Promise<void> {
    return this.#jobs.closed;
  }

  /** Whether the engine can be reached, as far as is known. */
  get isConnected(): boolean {
    return !this.#jobs.isOver;
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
    return this.#jobs.run(task, items, options) as RemoteJobHandle<unknown, never>;
  }

  /** One item, one promise. Rejects rather than throws; otherwise as {@link run}. */
  async call<Item, Result, Options>(
    task: TaskReference<Item, Result, Options>,
    item: NoInfer<Item>,
    ...options: RunArguments<NoInfer<Item>, NoInfer<Options>>
  ): Promise<Result> {
    refuseCollect("call", options[0]);
    const { values } = await this.#jobs.run(task, [item], options[0] ?? {}, true).result;
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
    const { values } = await this.#jobs.run(task, items, options, true).result;
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
    await this.#jobs.ask((engine) => engine.call("warm", { url, exportName }, named));
  }

  /**
   * The job with this id, whoever started it: a live one, one of the last 256 that have settled, or undefined. Observing
   * holds nothing. The values of a job that is observed come when it has completed.
   */
  async job(id: string): Promise<RemoteJobHandle<unknown> | SettledJob | undefined> {
    const found = await this.#jobs.observe(id);
    if (found === undefined) return undefined;
    if ("live" in found) return found.live;
    const { state, error, stats } = found;
    return { id, state, error: fromWireReason(error), stats };
  }

  /** All live jobs of the engine, oldest first, as they are at this moment. */
  jobs(): Promise<JobSummary[]> {
    return this.#jobs.ask((engine) => engine.call("jobs"));
  }

  /** Cancels the job for all its handles, those of this client in this tick; false if no live job has this id. */
  cancel(id: string, reason?: unknown): Promise<boolean> {
    const why = reason === undefined ? new DOMException("the job was cancelled", "AbortError") : reason;
    const mine = this.#jobs.settleAll(id, why);
    const answer = this.#jobs
      .ask((engine) => engine.call("cancelJob", id, toWireReason(why)))
      .then((done) => done || mine);
    answer.catch(() => undefined);
    return answer;
  }

  stats(): Promise<EngineStats> {
    return this.#jobs.ask((engine) => engine.call("stats"));
  }

  /** Resolves when no job is live, of whichever client, and all threads have let go. As `Engine.drain`. */
  drain(): Promise<void> {
    return this.#jobs.ask((engine) => engine.call("drain"));
  }

  /**
   * Closes the engine itself, for everybody, as `Engine.close`.
   *
   * @throws {InvalidArgumentError} (rejects) this client was not given `mayClose`.
   */
  closeEngine(options: CloseOptions = {}): Promise<CloseReport> {
    return this.#jobs.ask((engine) => engine.call("close", options));
  }

  /**
   * Ends the connection; the engine goes on. Live handles leave their jobs, as by a signal: they settle as cancelled, and
   * a job that nobody else wants is cancelled. Calls that wait reject with `ENGINE_CLOSED`.
   */
  close(): Promise<void> {
    const reason = new DOMException("the connection to the engine was closed", "AbortError");
    this.#jobs.close(lostError("this side has closed it"), reason);
    return this.closed;
  }

  /** The same as {@link close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
