/** The jobs of one client, and what it says to the engine about them: in order, and no more once the connection is over. */
import { SignalHub } from "../jobs/signal-hub.js";
import type { Items } from "../jobs/source.js";
import { whole } from "../option-checks.js";
import type { AnyTaskReference } from "../task.js";
import { Connection } from "./connection.js";
import {
  CLIENT_METHODS,
  type ClientFace,
  type EngineFace,
  type ItemsAnswer,
  type News,
  type RunRequest,
} from "./messages.js";
import { Outbox } from "./outbox.js";
import { mendItems } from "./packing.js";
import { toWireReason } from "./reasons.js";
import { type HandleControl, RemoteJobHandle } from "./remote-handle.js";
import type { RemoteRunOptions } from "./remote-types.js";
import { checkRun, nameOptions } from "./run-checks.js";
import { SentItems } from "./sent-items.js";
import type { Endpoint } from "./wire.js";

/** A job of this client, or one that it observes. */
interface RemoteJob {
  readonly key: number;
  readonly handle: AnyRemoteHandle;
  items: SentItems | undefined;
  /** The engine has been asked for it. */
  isSent: boolean;
  /** It never will be, or has refused. */
  isDropped: boolean;
  /** Its signal has ended the handle; others may go on with the job, and with its items. */
  hasLeft: boolean;
  unwatch: (() => void) | undefined;
}

/** A handle whose types have been checked at the door. */
export type AnyRemoteHandle = RemoteJobHandle<unknown, unknown>;

type Client = Connection<ClientFace, EngineFace>;
type Observed = ReturnType<EngineFace["observe"]>;

export class ClientJobs {
  readonly #connection: Client;
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
  readonly closed: Promise<void>;

  constructor(endpoint: Endpoint) {
    this.closed = new Promise((resolve) => (this.#noteClosed = resolve));
    this.#connection = new Connection<ClientFace, EngineFace>({
      endpoint,
      makeOwn: () => ({
        news: (key, news) => this.#takeNews(key, news),
        items: (key, max) => this.#answerItems(key, max),
        closeItems: (key) => this.#closeItems(key),
      }),
      ownMethods: CLIENT_METHODS,
      onOver: (error) => this.#end(error),
      mend: mendItems,
    });
    // Not before this tick is over: whoever listens to the endpoint too, counts on being held by it.
    queueMicrotask(() => {
      if (this.#over === undefined) this.#connection.wire.hold(this.#awaited.size > 0);
    });
  }

  get isOver(): boolean {
    return this.#over !== undefined;
  }

  /** As `RemoteEngine.run`, types aside. `isQuiet`: nobody sees the handle. */
  run(
    task: AnyTaskReference<unknown>,
    items: Items<unknown>,
    options: RemoteRunOptions<never, unknown>,
    isQuiet = false,
  ): AnyRemoteHandle {
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
      const request = {
        key,
        task: { url, exportName },
        id,
        isNamed: options.id !== undefined,
        options: wireOptions,
        isQuiet,
      };
      this.#outbox.add(
        () => this.#send(job, taskOptions === undefined ? request : { ...request, taskOptions }),
        () => handle.waitsForLoop && !job.isDropped,
      );
    }
    return handle;
  }

  /** Follows a job that others have started; undefined if none with this id is live. */
  async observe(id: string): Promise<{ live: AnyRemoteHandle } | Exclude<Observed, { kind: "live" }>> {
    const job = this.#makeJob(id, { collects: true, isOrdered: false, total: undefined });
    this.#jobs.set(job.key, job);
    job.isSent = true;
    job.handle.send();
    try {
      const found = await this.ask((engine) => engine.call("observe", job.key, id));
      if (found?.kind === "live") {
        const known = found.key === job.key ? undefined : this.#jobs.get(found.key);
        if (known !== undefined) {
          // This client looks at it already.
          this.#jobs.delete(job.key);
          return { live: known.handle };
        }
        this.#track(job);
        if (!found.collects) job.handle.refuseLoops();
        job.handle.takeNews({ standing: found.standing, events: [], runs: [], isStopped: false });
        return { live: job.handle };
      }
      this.#jobs.delete(job.key);
      return found;
    } catch (error) {
      this.#jobs.delete(job.key);
      throw error;
    }
  }

  /** Ends the connection from this side: live handles leave their jobs. */
  close(error: Error, reason: unknown): void {
    if (this.#over !== undefined) return;
    for (const { handle } of this.#jobs.values()) handle.settle({ state: "cancelled", error: reason });
    this.#connection.end(error, true);
  }

  #makeJob(id: string, init: { collects: boolean; isOrdered: boolean; total: number | undefined }): RemoteJob {
    const key = this.#nextKey++;
    const job: RemoteJob = {
      key,
      handle: new RemoteJobHandle<unknown, unknown>({ id, ...init, control: this.#control(key) }),
      items: undefined,
      isSent: false,
      isDropped: false,
      hasLeft: false,
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
    const say = <Answer>(body: (engine: Client) => Promise<Answer>): Promise<Answer | undefined> => {
      const job = this.#jobs.get(key);
      return this.ask((engine) => (job?.isSent === true && !job.isDropped ? body(engine) : Promise.resolve(undefined)));
    };
    return {
      cancel: (reason) => {
        const job = this.#jobs.get(key);
        if (job !== undefined) this.settleAll(job.handle.id, reason);
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
    const { handle, items } = job;
    let described: RunRequest["items"];
    try {
      described = (items as SentItems).describe(this.#connection.wire.sharesMemory);
    } catch (error) {
      // There may be no memory for a copy.
      this.#drop(job, { state: "failed", error });
      return;
    }
    job.isSent = true;
    const { loop, listensTo } = handle.send();
    // Of items that are pulled the engine cannot see how many there are.
    const total = items?.length ?? request.options.total;
    const options = total === undefined ? request.options : { ...request.options, total };
    const all = { ...request, options, items: described, listensTo };
    this.#connection.call("run", loop === undefined ? all : { ...all, loop }).then(
      (answer: { readonly fromCache?: unknown } | null) => handle.admit(answer?.fromCache === true),
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
  settleAll(id: string, reason: unknown): boolean {
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
    job.hasLeft = how === "leave";
    job.handle.settle({ state: "cancelled", error: reason });
    const told = this.#connection.call(how, job.key, toWireReason(reason));
    told.catch(() => undefined);
  }

  #takeNews(key: number, news: News): void {
    const job = this.#jobs.get(key);
    if (job === undefined) return;
    job.handle.takeNews(news);
  }

  async #answerItems(key: number, max: number): Promise<ItemsAnswer> {
    // Asked for none, a source would be pulled for ever.
    whole("remote: items to be asked for", max, 1);
    const job = this.#jobs.get(key);
    if (job?.items === undefined) return { items: [], isEnded: true };
    const answer = await job.items.answer(max);
    this.#noteEnd(job);
    return answer;
  }

  #closeItems(key: number): void {
    const job = this.#jobs.get(key);
    job?.items?.close();
    if (job !== undefined) this.#noteEnd(job);
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
    // The engine says when nobody wants its items any more.
    const isNeeded = job.hasLeft && !handle.isStopped && items?.isNeeded === true;
    this.#await(job, handle.isAwaited || isNeeded);
    if (!handle.isSettled) return;
    unwatch?.();
    if (!isNeeded) items?.close();
    const live = this.#live.get(handle.id);
    live?.delete(job);
    if (live?.size === 0) this.#live.delete(handle.id);
  }

  /** A call on the engine, in its order. */
  ask<Answer>(body: (engine: Client) => Promise<Answer>): Promise<Answer> {
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
