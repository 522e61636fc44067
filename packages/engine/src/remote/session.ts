/** One client of an engine: what it asks for is checked and done, and ends when the client does. */
import { InvalidArgumentError } from "@threadmill/protocol";
import type { CloseOptions, CloseReport } from "../closing.js";
import type { Engine } from "../engine.js";
import type { Items } from "../jobs/source.js";
import { UNNAMED } from "../jobs/unnamed.js";
import type { RunOptions } from "../options.js";
import { type TaskReference, task } from "../task.js";
import { checkEvent, checkItemsAnswer, checkKey, checkRunRequest, checkTask, checkTaskOptions } from "./checks.js";
import type { Connection } from "./connection.js";
import type { ExposeOptions } from "./expose.js";
import type {
  ClientFace,
  EngineFace,
  ForwardedEvent,
  JobSummary,
  RunRequest,
  Standing,
  WireTaskOptions,
} from "./messages.js";
import { Mirror, type MirrorInit } from "./mirror.js";
import { withUncloneable } from "./packing.js";
import { PulledItems } from "./pulled-items.js";
import { type WireReason, fromWireReason, lostError, toWireReason } from "./reasons.js";

/** Task options that are remembered for a client, so that shared memory in them stays the same memory. */
const MAX_TASK_OPTIONS = 64;

type AnyHandle = MirrorInit["handle"];

export class Session implements EngineFace {
  readonly #engine: Engine;
  readonly #options: ExposeOptions;
  readonly #client: Connection<EngineFace, ClientFace>;
  readonly #mirrors = new Map<number, Mirror>();
  /** Keys of the jobs that the client looks at: one for each, however often it asks. */
  readonly #observed = new Map<AnyHandle, number>();
  readonly #taskOptions = new Map<string, unknown>();

  constructor(engine: Engine, client: Connection<EngineFace, ClientFace>, options: ExposeOptions) {
    this.#engine = engine;
    this.#client = client;
    this.#options = options;
  }

  /** Jobs that are followed for the client. */
  get size(): number {
    return this.#mirrors.size;
  }

  /** The client is gone: jobs that nobody else wants are cancelled, and nothing of it is kept. */
  end(error: Error): void {
    const mirrors = [...this.#mirrors.values()];
    this.#mirrors.clear();
    this.#observed.clear();
    this.#taskOptions.clear();
    const reason = new DOMException(error.message, "AbortError");
    for (const mirror of mirrors) mirror.close(reason);
  }

  // ——— what the client calls; each may throw, and the client is told

  run(given: RunRequest): { fromCache: boolean } {
    const request = checkRunRequest(given);
    const { key, loop, options } = request;
    if (this.#mirrors.has(key)) throw new InvalidArgumentError("remote: this key stands for another job");
    const reference = this.#reference(request.task);
    const controller = new AbortController();
    const collects = options.collect !== false;
    const handle = this.#engine.run(reference, this.#open(request), {
      ...options,
      id: request.id,
      signal: controller.signal,
      ...(request.isNamed ? {} : { [UNNAMED]: true }),
      ...(loop === "ordered" ? { ordered: true } : {}),
      ...(request.taskOptions === undefined ? {} : { options: this.#knownOptions(request.taskOptions) as undefined }),
    } as RunOptions<unknown, undefined>);
    const sends = collects ? "outcomes" : loop === undefined ? "none" : "loop";
    this.#follow(key, {
      handle,
      sends,
      listensTo: request.listensTo,
      isQuiet: request.isQuiet,
      leave: (reason) => controller.abort(reason),
    });
    return { fromCache: handle.fromCache };
  }

  cancel(key: number, reason: WireReason): void {
    this.#mirrors.get(key)?.cancel(fromWireReason(reason));
  }

  leave(key: number, reason: WireReason): void {
    this.#mirrors.get(key)?.leave(fromWireReason(reason));
  }

  pause(key: number, turn: number): Promise<Standing | undefined> {
    return this.#mirrors.get(key)?.pause(turn) ?? Promise.resolve(undefined);
  }

  resume(key: number, turn: number): Standing | undefined {
    return this.#mirrors.get(key)?.resume(turn);
  }

  listen(key: number, event: ForwardedEvent): void {
    checkEvent(event);
    this.#mirrors.get(key)?.listen(event);
  }

  read(key: number): ReturnType<EngineFace["read"]> {
    return this.#mirrors.get(key)?.read() ?? Promise.resolve({ runs: [], isOver: true });
  }

  observe(key: number, id: string): ReturnType<EngineFace["observe"]> {
    checkKey(key);
    if (this.#mirrors.has(key)) throw new InvalidArgumentError("remote: this key stands for another job");
    const found = this.#engine.job(id);
    if (found === undefined) return undefined;
    if (!("pause" in found)) {
      const { state, error, stats } = found;
      return { kind: "settled", state, error: toWireReason(error), stats };
    }
    const { collects } = found;
    const known = this.#observed.get(found);
    const seen = known === undefined ? undefined : this.#mirrors.get(known);
    if (known !== undefined && seen?.hasEnded === false) {
      return { kind: "live", key: known, collects, standing: seen.standing };
    }
    const { standing } = this.#follow(key, {
      handle: found,
      sends: collects ? "result" : "none",
      listensTo: [],
      isQuiet: false,
      leave: undefined,
    });
    this.#observed.set(found, key);
    return { kind: "live", key, collects, standing };
  }

  jobs(): JobSummary[] {
    return this.#engine.jobs().map(({ id, state, progress }) => ({ id, state, progress }));
  }

  cancelJob(id: string, reason: WireReason): boolean {
    return this.#engine.cancel(id, fromWireReason(reason));
  }

  async warm(given: RunRequest["task"], options?: WireTaskOptions): Promise<void> {
    const reference = this.#reference(given);
    if (options !== undefined) checkTaskOptions(options);
    await this.#engine.warm(reference, options === undefined ? undefined : (this.#knownOptions(options) as undefined));
  }

  stats(): ReturnType<EngineFace["stats"]> {
    return this.#engine.stats();
  }

  drain(): Promise<void> {
    return this.#engine.drain();
  }

  close(options: CloseOptions): Promise<CloseReport> {
    if (this.#options.mayClose !== true) {
      throw new InvalidArgumentError("close: this client may not close the engine (exposeEngine, mayClose)");
    }
    return this.#engine.close(options);
  }

  // ——— the work behind it

  #follow(key: number, init: Omit<MirrorInit, "send" | "share" | "onOver">): Mirror {
    const mirror = new Mirror({
      ...init,
      share: (column) => (this.#client.wire.sharesMemory ? column : column.slice()),
      send: (news) => this.#client.call("news", key, news),
      onOver: () => {
        this.#mirrors.delete(key);
        if (this.#observed.get(init.handle) === key) this.#observed.delete(init.handle);
      },
    });
    this.#mirrors.set(key, mirror);
    return mirror;
  }

  /** @throws {InvalidArgumentError} no task, or one that this client may not run. */
  #reference(given: RunRequest["task"]): TaskReference<unknown, unknown, undefined> {
    checkTask(given);
    // As a thread will load it: a path may lead up and away from the folder that it begins with.
    const { url, exportName } = task(given.url, given.exportName);
    const { mayRun } = this.#options;
    // A promise, say, is no permission.
    if (mayRun !== undefined && (mayRun({ url, exportName }) as unknown) !== true) {
      throw new InvalidArgumentError(`run: this client may not run ${JSON.stringify(exportName)} of ${url}`);
    }
    // It may have ended the connection.
    if (this.#client.isOver) throw lostError("the engine's side has closed it");
    return { url, exportName };
  }

  #open({ key, id, items, options, loop }: RunRequest): Items<unknown> {
    if (items.kind === "list") return withUncloneable(items.items, items.uncloneable);
    if (items.kind === "column") return items.items as Iterable<unknown>;
    return new PulledItems({
      ask: async (max) => {
        const answer = await this.#client.call("items", key, max);
        checkItemsAnswer(answer, max);
        return answer;
      },
      close: () => {
        // Where the connection is over the client has closed it by itself.
        this.#client.call("closeItems", key).catch(() => undefined);
      },
      isList: items.isList,
      maxInFlight: options.collect !== false || loop !== undefined ? options.maxInFlight : undefined,
      passed: () => (loop === undefined ? this.#certain(id) : (this.#mirrors.get(key)?.passed ?? 0)),
    });
  }

  /** How many outcomes of the job are certain: also after the handle that has brought the items has left it. */
  #certain(id: string): number {
    const job = this.#engine.job(id);
    return job !== undefined && "progress" in job ? job.progress.completed + job.progress.failed : 0;
  }

  /** The options by their content, as they first came. */
  #knownOptions({ key, value }: WireTaskOptions): unknown {
    const known = this.#taskOptions.has(key) ? this.#taskOptions.get(key) : value;
    this.#taskOptions.delete(key);
    this.#taskOptions.set(key, known);
    if (this.#taskOptions.size > MAX_TASK_OPTIONS) {
      this.#taskOptions.delete(this.#taskOptions.keys().next().value as string);
    }
    return known;
  }
}
