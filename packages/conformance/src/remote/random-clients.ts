/**
 * A random history over ports: one engine and several clients of it, whose jobs are cancelled, paused, read fast or
 * slowly, left, and lost with their client. What callers saw is judged by the same checker as in the other histories.
 * Jobs have no ids of their own here: who joined whom is for the engine to say, which a client learns later.
 */
import { getEventListeners } from "node:events";
import { MessageChannel } from "node:worker_threads";
import { type Engine, createEngine } from "@threadmill/engine";
import { type Exposure, type RemoteEngine, connectEngine, exposeEngine } from "@threadmill/engine/remote";
import { checkHistory } from "../checker.js";
import type { LoggedItem } from "../fixtures/logged.js";
import { isSettled } from "../history.js";
import { Random } from "../random.js";
import { type Plan, planJob } from "../random-job.js";
import { type Handle, Recorder } from "../recorder.js";
import { RunLog } from "../run-log.js";
import { HeldPort } from "./held-port.js";

export interface RandomClientsOptions {
  readonly seed: number;
  readonly threads: number;
  readonly patienceMs?: number;
}

export interface RandomClientsReport {
  readonly violations: readonly string[];
  readonly script: readonly string[];
  readonly figures: {
    readonly jobs: number;
    readonly entries: number;
    readonly clientsClosed: number;
  };
}

interface Client {
  readonly remote: RemoteEngine;
  readonly exposure: Exposure;
  /** Where messages to the client can be held up. */
  readonly end: HeldPort | undefined;
}

const PATIENCE_MS = 25_000;

export async function playClients({
  seed,
  threads,
  patienceMs = PATIENCE_MS,
}: RandomClientsOptions): Promise<RandomClientsReport> {
  const play = new ClientsPlay(new Random(seed), createEngine({ threads, graceMs: 400, progressMs: 5 }));
  await play.run(patienceMs);
  const { recorder, script, figures } = play;
  return { violations: [...checkHistory(recorder.history), ...play.leftovers], script, figures };
}

/** For as long as one likes: a history for each seed, until the time is up. */
export async function soakClients({ seconds, seed }: { readonly seconds: number; readonly seed: number }): Promise<{
  readonly plays: number;
  readonly jobs: number;
  readonly entries: number;
  readonly clientsClosed: number;
  readonly failures: readonly { readonly seed: number; readonly violations: readonly string[] }[];
}> {
  const end = performance.now() + seconds * 1_000;
  const totals = { plays: 0, jobs: 0, entries: 0, clientsClosed: 0 };
  const failures: { seed: number; violations: readonly string[] }[] = [];
  for (let next = seed; performance.now() < end && failures.length < 20; next++) {
    const { violations, figures } = await playClients({ seed: next, threads: next % 3 });
    totals.plays++;
    totals.jobs += figures.jobs;
    totals.entries += figures.entries;
    totals.clientsClosed += figures.clientsClosed;
    if (violations.length > 0) failures.push({ seed: next, violations });
  }
  return { ...totals, failures };
}

class ClientsPlay {
  readonly script: string[] = [];
  readonly recorder = new Recorder(new RunLog());
  /** What the engine's side still had when all was over. */
  readonly leftovers: string[] = [];
  readonly #random: Random;
  readonly #engine: Engine;
  readonly #clients: Client[];
  readonly #owners = new Map<Handle, Client>();
  readonly #controllers = new Map<Handle, AbortController>();
  #works = 0;
  #clientsClosed = 0;

  constructor(random: Random, engine: Engine) {
    this.#random = random;
    this.#engine = engine;
    this.recorder.watch(engine);
    this.#clients = Array.from({ length: 1 + random.below(3) }, () => this.#connect());
  }

  get figures(): RandomClientsReport["figures"] {
    return { jobs: this.#works, entries: this.recorder.history.entries.length, clientsClosed: this.#clientsClosed };
  }

  async run(patienceMs: number): Promise<void> {
    const steps = 10 + this.#random.below(25);
    for (let step = 0; step < steps; step++) {
      this.#act();
      if (!this.#random.chance(0.2)) await turn(1 + this.#random.below(40));
    }
    await this.#end(patienceMs);
  }

  #connect(): Client {
    if (this.#random.chance(0.5)) {
      const { port1, port2 } = new MessageChannel();
      return { exposure: exposeEngine(this.#engine, port1), remote: connectEngine(port2), end: undefined };
    }
    const [engineEnd, end] = HeldPort.pair();
    return { exposure: exposeEngine(this.#engine, engineEnd), remote: connectEngine(end), end };
  }

  #act(): void {
    const random = this.#random;
    const action = random.weighted({ run: 8, cancel: 1.5, pause: 1, resume: 1.5, snapshot: 2, hold: 2, close: 0.15 });
    const { handles } = this.recorder;
    const handle = handles.length === 0 ? undefined : random.pick(handles);
    const client = random.pick(this.#clients);
    if (action === "run") this.#run(client);
    else if (action === "hold") client.end?.hold(!client.end.isHeld);
    else if (action === "close") this.#close(client);
    else if (handle === undefined) return;
    else if (action === "cancel") this.#cancel(handle);
    else if (action === "pause") void handle.pause();
    else if (action === "resume") handle.resume();
    else this.recorder.snapshot(handle);
  }

  #run(client: Client): void {
    if (!client.remote.isConnected) return;
    const work = ++this.#works;
    const { task, items, source, options, rules, readings, signal, isDoomed, taskName } = planJob(
      this.#random,
      work,
      0,
    );
    const { id: _, ...unnamed } = options;
    this.script.push(`run ${work}: ${taskName} over ${source} ${JSON.stringify({ ...unnamed, ...rules, signal })}`);
    // A job that never ends by itself needs somebody who ends it.
    const controller = signal === "none" && !isDoomed ? undefined : new AbortController();
    if (signal === "aborted") controller?.abort("aborted before");
    const handle = client.remote.run(task, sourceOf(items, source), {
      ...unnamed,
      options: { log: this.recorder.log.shared },
      ...(controller === undefined ? {} : { signal: controller.signal }),
    }) as unknown as Handle;
    this.recorder.follow(handle, work, signal === "aborted" ? "stillborn" : "new", rules);
    this.#owners.set(handle, client);
    if (controller !== undefined) this.#controllers.set(handle, controller);
    if (signal === "aborted") return;
    for (const reading of readings) this.recorder.read(handle, reading, (loop) => this.#cancel(handle, loop));
  }

  #cancel(handle: Handle, loop?: number): void {
    const controller = this.#controllers.get(handle);
    this.script.push(`cancel ${handle.id}`);
    if (controller === undefined) this.recorder.cancel("handle", [handle], () => handle.cancel("by handle"), loop);
    else if (!controller.signal.aborted) {
      this.recorder.cancel("signal", [handle], () => controller.abort(new Error("aborted")), loop);
    }
  }

  /** The client leaves: its handles settle as cancelled. */
  #close(client: Client): void {
    if (!client.remote.isConnected) return;
    this.script.push("close a client");
    this.#clientsClosed++;
    const live = this.recorder.handles.filter((one) => this.#owners.get(one) === client && !isSettled(one.state));
    this.recorder.cancel("close", live, () => void client.remote.close());
  }

  async #end(patienceMs: number): Promise<void> {
    for (const { end } of this.#clients) end?.hold(false);
    await turn(1);
    for (const handle of this.recorder.handles) {
      if (this.#controllers.has(handle) && !isSettled(handle.state)) this.#cancel(handle);
      handle.resume();
    }
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise((resolve) => {
      timer = setTimeout(resolve, patienceMs);
    });
    await this.recorder.rest(this.#engine, patience);
    await turn(20);
    for (const { remote, exposure } of this.#clients) {
      // Loops that were left unread are given back with the connection.
      void remote.close();
      await Promise.race([exposure.closed, patience]);
      if (exposure.isOpen || exposure.jobs > 0) this.leftovers.push(`${exposure.jobs} jobs are still followed`);
    }
    clearTimeout(timer);
    if (this.#engine.jobs().length > 0) this.leftovers.push(`${this.#engine.jobs().length} jobs are live`);
    await this.#engine.close({ deadlineMs: 0 });
    for (const [{ id }, { signal }] of this.#controllers) {
      const count = getEventListeners(signal, "abort").length;
      if (count > 0) this.leftovers.push(`N1: ${count} listeners on the signal of ${id}`);
    }
  }
}

function sourceOf(items: LoggedItem[], source: Plan["source"]): Iterable<LoggedItem> {
  function* pull(): Generator<LoggedItem> {
    yield* items;
  }
  async function* pullLater(): AsyncGenerator<LoggedItem> {
    for (const item of items) {
      await Promise.resolve();
      yield item;
    }
  }
  if (source === "array") return items;
  return source === "generator" ? pull() : (pullLater() as unknown as Iterable<LoggedItem>);
}

async function turn(times: number): Promise<void> {
  for (let time = 0; time < times; time++) await new Promise((resolve) => setImmediate(resolve));
}
