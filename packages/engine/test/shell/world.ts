/**
 * An engine and its callers, whose every step waits in a scheduler that orders them at will: threads that start, read,
 * run and are heard, sources that answer, slow readers, and what callers do. Time is played as well. What must hold is
 * checked as it happens and at the end; `violations` says what did not.
 */
import { getEventListeners } from "node:events";
import type fc from "fast-check";
import { TaskError } from "@threadmill/protocol";
import { vi } from "vitest";
import type { CloseReport } from "../../src/closing.js";
import type { TaskReference } from "../../src/task.js";
import type { Command, Deed, DrawnJob, DrawnWorld } from "./drawn-world.js";
import { EngineAtHand, handler } from "./engine-at-hand.js";
import type { Handler, PlayedThread } from "./played-threads.js";
import { PlayedOrder } from "./played-order.js";
import { type Item, PlayedSource } from "./played-source.js";
import {
  type DrawnLoop,
  type Handle,
  type HandleFacts,
  MEANT_TO_FAIL,
  type Value,
  WatchedHandle,
  isEnd,
} from "./watched-handle.js";

/** Deeds of listeners that start or read something are done so often at the most. */
const MAX_DEEDS = 12;

export class World {
  readonly violations: string[] = [];
  /** How often which thing has happened, to see that worlds are worth their time. */
  readonly sightings = new Map<string, number>();
  readonly #at: EngineAtHand;
  readonly #order: PlayedOrder;
  readonly #controllers = [new AbortController(), new AbortController()];
  readonly #handles: WatchedHandle[] = [];
  readonly #byHandle = new Map<unknown, WatchedHandle>();
  readonly #sources: { readonly source: PlayedSource; readonly watched: WatchedHandle; readonly isJoiner: boolean }[] =
    [];
  readonly #promises: { readonly what: string; isSettled: boolean }[] = [];
  readonly #rejections: unknown[] = [];
  readonly #feeds: { readonly from: WatchedHandle; readonly to: WatchedHandle }[] = [];
  #works = 0;
  #deeds = 0;
  /** Counts what callers do, so that a check can tell whether a listener has meddled. */
  #acts = 0;
  #isClosing = false;
  #isInRun = false;
  #hasChained = false;

  constructor(drawn: DrawnWorld, scheduler: fc.Scheduler) {
    this.#order = new PlayedOrder(scheduler, (what) => this.#report(what));
    // A listener of the application's own: it must be there in the end, and nothing else.
    for (const { signal } of this.#controllers) signal.addEventListener("abort", () => undefined);
    this.#at = new EngineAtHand({
      threads: drawn.threads,
      options: { graceMs: 1_000, progressMs: 20, batchMs: 10 },
      handlers: {
        fine: answer(() => false),
        flaky: answer((index, attempt) => index % 3 === 0 && attempt === 1),
        bad: answer((index) => index % 4 === 1),
      },
      onStart: (thread) => void this.#order.await(`thread ${thread.slot} opens`).then(() => thread.open()),
    });
    this.#at.engine.on("job", ({ type, jobId }) => {
      if (this.#isInRun) this.#report(`${type} of ${jobId} was told before run had returned`);
    });
    this.#at.runner.onChange = (thread) => this.#order.drive(thread);
  }

  /** Plays the world to its end. */
  async play({ commands }: DrawnWorld): Promise<void> {
    const onRejection = (reason: unknown): void => void this.#rejections.push(reason);
    process.on("unhandledRejection", onRejection);
    for (const command of commands) {
      void this.#order.await(`caller: ${command.type}`).then(() => this.#perform(command));
    }
    await this.#exhaust();
    // All threads have handed back by now what they had of paused jobs.
    for (const { what, isSettled } of this.#promises) if (what === "pause" && !isSettled) this.#report("a pause hangs");
    await this.#resumeAll();
    // What waits for a source that never answers ends by a cancel only; it may be that of a handle that has left.
    for (const { source, watched } of this.#sources) {
      if (!source.isEndless) continue;
      for (const one of this.#handles) if (one.handle.id === watched.handle.id && !one.isSettled) this.#cancel(one);
    }
    await this.#exhaust();
    for (const watched of this.#handles) {
      watched.finish();
      for (const what of watched.sightings) this.#note(what);
    }
    for (const { from, to } of this.#feeds) {
      const error = await rejection(to);
      if (from.handle.state !== "cancelled" || !(error instanceof TaskError)) continue;
      // What it was given by then may have held a failure, which is another matter.
      const isCancel = error.code === "SOURCE_FAILED" && error.cause === (await rejection(from));
      if (isCancel) this.#report(`${to.facts.name} failed because the job that fed it was cancelled`);
    }
    await this.#end();
    process.off("unhandledRejection", onRejection);
  }

  /** Again and again: a listener may pause its job at every batch. */
  async #resumeAll(): Promise<void> {
    for (let rounds = 0; rounds < 100; rounds++) {
      const paused = this.#handles.filter(({ handle }) => handle.state === "paused");
      if (paused.length === 0) return;
      for (const { handle } of paused) handle.resume();
      await this.#exhaust();
    }
  }

  #note(what: string): void {
    this.sightings.set(what, (this.sightings.get(what) ?? 0) + 1);
  }

  #report(what: string): void {
    if (this.violations.length < 20) this.violations.push(what);
  }

  #exhaust(): Promise<void> {
    return this.#order.exhaust(() => {
      for (const watched of this.#handles) watched.noteTurn();
    });
  }

  // ——— what callers do

  #perform(command: Command): void {
    this.#acts++;
    switch (command.type) {
      case "run":
        this.#run(command.job);
        break;
      case "abort":
        this.#abort(command.signal);
        break;
      case "kill": {
        const isBusy = ({ phase, holds }: PlayedThread): boolean => phase === "ready" && holds.length > 0;
        const { runner } = this.#at;
        const thread = runner.all.find(isBusy) ?? runner.at(command.slot % runner.threads);
        if (isBusy(thread)) this.#note("a busy thread dies");
        thread.die();
        break;
      }
      case "wait":
        vi.advanceTimersByTime(command.ms);
        break;
      case "warm":
        this.#expectEnd("warm", this.#at.engine.warm(reference(command.task)));
        break;
      case "drain":
        this.#drain();
        break;
      case "close":
        this.#close(command.deadlineMs);
        break;
      default: {
        const watched = this.#handles[command.which % this.#handles.length];
        if (watched === undefined) break;
        if (command.type === "cancel") this.#cancel(watched);
        else if (command.type === "pause") this.#expectEnd("pause", watched.handle.pause());
        else if (command.type === "resume") watched.handle.resume();
        else if (command.type === "look") watched.look();
        else if (command.type === "await") watched.awaitResult();
        else if (command.type === "read") this.#read(watched, command.loop);
        else this.#observe(watched.handle.id);
      }
    }
    this.#checkSignals();
  }

  #run(drawn: DrawnJob): void {
    const { engine } = this.#at;
    const work = ++this.#works;
    const signal = drawn.signal === undefined ? undefined : this.#controllers[drawn.signal]?.signal;
    const upstream = drawn.isChained
      ? this.#handles.find(({ isSettled, facts }) => !isSettled && facts.collects)
      : undefined;
    const source = new PlayedSource(drawn.source, work, this.#order.await);
    const before = engine.jobs().length;
    const live = drawn.id === undefined ? undefined : engine.jobs().find(({ id }) => id === drawn.id);
    let handle: Handle;
    try {
      this.#isInRun = true;
      handle = engine.run(reference(drawn.task), upstream === undefined ? source.open() : items(upstream.handle), {
        ...(drawn.id === undefined ? {} : { id: drawn.id }),
        ...(signal === undefined ? {} : { signal }),
        ...(drawn.batchSize === undefined ? {} : { batchSize: drawn.batchSize }),
        ...(drawn.maxInFlight === undefined ? {} : { maxInFlight: drawn.maxInFlight }),
        collect: drawn.collect,
        ordered: drawn.ordered,
        onError: drawn.onError,
        retry: { attempts: drawn.attempts, backoffMs: 20, jitter: 0 },
      }) as Handle;
    } catch (error) {
      const { code } = error as { code?: unknown };
      this.#note(`run is refused: ${String(code)}`);
      const expected = this.#isClosing ? "ENGINE_CLOSED" : live === undefined ? undefined : "JOB_ID_CONFLICT";
      if (code !== expected) this.#report(`run threw ${String(error)}`);
      if (engine.jobs().length !== before) this.#report("S13: a refused run has changed the jobs");
      if (source.nextCalls + source.returnCalls > 0) this.#report("S13: a refused run has touched its source");
      return;
    } finally {
      this.#isInRun = false;
    }
    if (this.#isClosing) this.#report("run went well though the engine is closing");
    const joined =
      live === undefined
        ? undefined
        : (this.#byHandle.get(live)?.facts ??
          this.#handles.find((one) => one.handle.id === live.id && !one.isSettled)?.facts);
    const isOwn = live === undefined && !handle.fromCache;
    if (live !== undefined) this.#note("a run joins");
    if (handle.fromCache) this.#note("a run is answered from the cache");
    if (upstream !== undefined && isOwn) {
      this.#hasChained = true;
      this.#note("a job feeds another");
    }
    const own = upstream === undefined ? drawn.source.count : upstream.facts.count;
    const count = isOwn ? own : (joined?.count ?? -1);
    const watched = this.#watch(handle, {
      name: `job ${work}`,
      isOrdered: drawn.ordered,
      collects: drawn.collect,
      count,
      isHolder: true,
      signal,
    });
    if (upstream !== undefined && isOwn) this.#feeds.push({ from: upstream, to: watched });
    if (signal?.aborted === true && handle.state !== "cancelled" && !handle.fromCache)
      this.#report(`${handle.id}: run with an aborted signal is ${handle.state}`);
    this.#sources.push({ source, watched, isJoiner: !isOwn || upstream !== undefined });
    for (const { on, does } of drawn.listeners) handle.on(on, () => this.#do(does, watched));
    // After the listeners that misbehave: it must be called all the same.
    watched.listen();
    if (drawn.isAwaited) watched.awaitResult();
    for (const loop of drawn.loops) this.#read(watched, loop);
  }

  #observe(id: string): void {
    const found = this.#at.engine.job(id);
    if (found === undefined || !("cancel" in found) || this.#byHandle.has(found)) return;
    const of = this.#handles.find(({ handle, isSettled }) => handle.id === id && !isSettled);
    const { collects = true, count = -1 } = of?.facts ?? {};
    const watched = this.#watch(found as Handle, {
      name: "an observer",
      isOrdered: false,
      collects,
      count,
      isHolder: false,
      signal: undefined,
    });
    watched.listen();
    watched.awaitResult();
  }

  #watch(handle: Handle, facts: HandleFacts): WatchedHandle {
    const watched = new WatchedHandle(handle, facts, (what) => this.#report(what));
    this.#handles.push(watched);
    this.#byHandle.set(handle, watched);
    return watched;
  }

  #read(watched: WatchedHandle, loop: DrawnLoop): void {
    const done = watched.read(loop, () => this.#order.await(`${watched.facts.name} is read on`));
    done.catch((error: unknown) => this.#report(`a reader threw: ${String(error)}`));
  }

  #do(deed: Deed, watched: WatchedHandle): void {
    this.#acts++;
    switch (deed) {
      case "throw":
        throw new Error("a listener throws");
      case "cancel":
        this.#cancel(watched);
        break;
      case "abort":
        this.#abort(0);
        break;
      case "pause":
        this.#expectEnd("pause", watched.handle.pause());
        break;
      case "resume":
        watched.handle.resume();
        break;
      case "look":
        for (const one of this.#handles) one.look();
        break;
      case "drain":
        this.#drain();
        break;
      case "close":
        this.#close(0);
        break;
      case "run":
        if (this.#deeds++ < MAX_DEEDS) this.#run(FROM_A_LISTENER);
        break;
      case "read":
        if (this.#deeds++ < MAX_DEEDS) this.#read(watched, { by: "outcomes", leaveAfter: undefined, isSlow: false });
        break;
    }
  }

  /** Cancel acts on all handles of the job, and before it returns. */
  #cancel(watched: WatchedHandle): void {
    if (!watched.isSettled) {
      const same = this.#handles.filter((one) => !one.isSettled && one.handle.id === watched.handle.id);
      watched.handle.cancel(new Error("cancelled by the test"));
      this.#note("a live job is cancelled");
      for (const one of same) {
        if (one.handle.state !== "cancelled")
          this.#report(`S6: ${one.facts.name} is ${one.handle.state} after the cancel`);
      }
      return;
    }
    const { state } = watched.handle;
    watched.handle.cancel("too late");
    if (watched.handle.state !== state) this.#report("S4: a cancel has changed how it had ended");
  }

  /** A signal settles its own handles, before `abort` returns, and no others that have somebody left to live for. */
  #abort(which: 0 | 1): void {
    const controller = this.#controllers[which] as AbortController;
    if (controller.signal.aborted) return;
    const live = this.#handles.filter(({ isSettled }) => !isSettled);
    const own = live.filter(({ facts }) => facts.signal === controller.signal);
    const staying = live.filter(
      ({ facts }) => facts.isHolder && facts.signal?.aborted !== true && facts.signal !== controller.signal,
    );
    const acts = this.#acts;
    controller.abort(new Error(`signal ${which} was aborted`));
    if (own.length > 0) this.#note("a signal ends handles");
    for (const { handle, facts } of own) {
      if (handle.state !== "cancelled") this.#report(`S6: ${facts.name} is ${handle.state} after the abort`);
    }
    // A listener may have ended others, and what a job was fed from may have ended it.
    if (this.#acts !== acts || this.#hasChained) return;
    if (staying.length > 0 && own.length > 0) this.#note("a signal leaves the handles of others alone");
    for (const { handle, facts } of staying) {
      if (isEnd(handle.state)) this.#report(`${facts.name} was ended by a signal that is not its own`);
    }
  }

  #drain(): void {
    this.#expectEnd("drain", this.#at.engine.drain());
  }

  #close(deadlineMs: number | undefined): void {
    // One without a deadline is refused while a job is paused, unless a close has begun.
    const isPaused = this.#at.engine.stats().jobs.paused > 0;
    this.#isClosing ||= deadlineMs !== undefined || !isPaused;
    const closing = this.#at.engine.close(deadlineMs === undefined ? {} : { deadlineMs });
    if (deadlineMs === 0) {
      for (const { handle, facts, isSettled } of this.#handles) {
        if (!isSettled) this.#report(`S6: ${facts.name} is ${handle.state} after close with deadline 0`);
      }
    }
    this.#note("a close while jobs may be live");
    this.#expectEnd("close", closing);
  }

  #expectEnd(what: string, promise: Promise<unknown>): void {
    const entry = { what, isSettled: false };
    this.#promises.push(entry);
    const note = (): void => {
      entry.isSettled = true;
    };
    promise.then(note, note);
  }

  // ——— what must hold

  #checkSignals(): void {
    for (const { signal } of this.#controllers) {
      const count = getEventListeners(signal, "abort").length;
      if (count > 2) this.#report(`N1: a signal has ${count} listeners, one is the application's own`);
    }
  }

  async #end(): Promise<void> {
    const { engine } = this.#at;
    for (const remains of this.#at.remains) this.#report(`L3: the engine still has ${remains}`);
    if (engine.jobs().length > 0) this.#report("L3: the engine still has jobs");
    for (const { signal } of this.#controllers) {
      const count = getEventListeners(signal, "abort").length;
      if (count !== 1) this.#report(`N1: a signal has ${count} listeners in the end, one is the application's own`);
    }
    for (const { source, watched, isJoiner } of this.#sources) {
      for (const wrong of source.wrongs) this.#report(`${watched.facts.name}: ${wrong}`);
      if (source.returnCalls > 1) this.#report(`${watched.facts.name}: return was called ${source.returnCalls} times`);
      if (isJoiner && source.nextCalls + source.returnCalls > 0)
        this.#report(`${watched.facts.name}: the items of a joiner were touched`);
      if (source.nextCalls > 0 && !source.isOver && source.returnCalls !== 1) {
        this.#report(`${watched.facts.name}: a source that was left had ${source.returnCalls} calls of return`);
      }
    }
    const isHeld = this.#at.runner.all.some((thread) => thread.phase === "ready" && thread.isHeld);
    if (isHeld) this.#report("N6: an idle engine holds the process");
    let report: CloseReport | undefined;
    void engine.close({ deadlineMs: 0 }).then((answered) => {
      report = answered;
    });
    await this.#exhaust();
    if (report === undefined) this.#report("L1: close never ended");
    // With a deadline, a close does not wait for threads that are starting.
    else if (report.leftBehind.length > 0 && !this.#isClosing)
      this.#report(`N3: threads ${report.leftBehind.join()} were left behind`);
    for (const { what, isSettled } of this.#promises) if (!isSettled) this.#report(`L1: ${what} never ended`);
    if (vi.getTimerCount() > 0) this.#report(`N2: ${vi.getTimerCount()} timers are left`);
    for (const { phase, slot } of this.#at.runner.all) {
      if (phase === "ready" || phase === "starting")
        this.#report(`N3: a thread of slot ${slot} is ${phase} after close`);
    }
    for (const reason of this.#rejections) this.#report(`N5: unhandled rejection of ${String(reason)}`);
  }
}

/** What the result rejects with, or has rejected with; undefined if it did not. */
function rejection({ handle }: WatchedHandle): Promise<unknown> {
  return handle.result.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** What listeners run. */
const FROM_A_LISTENER: DrawnJob = {
  task: "fine",
  id: "a",
  isChained: false,
  source: { kind: "array", count: 2, fault: "none", at: 0 },
  signal: 0,
  collect: true,
  ordered: false,
  onError: "fail",
  attempts: 1,
  batchSize: undefined,
  maxInFlight: undefined,
  isAwaited: true,
  loops: [],
  listeners: [],
};

function reference(task: DrawnJob["task"]): TaskReference<Item, Value, undefined> {
  return handler<Item, Value>(task);
}

/** The values of a job as the items of the next: each still says which item of the first it was. */
function items(upstream: Handle): AsyncIterable<Item> {
  return upstream.values() as AsyncIterable<unknown> as AsyncIterable<Item>;
}

function answer(fails: (index: number, attempt: number) => boolean): Handler {
  return (given, index, attempt): Value => {
    if (fails(index, attempt)) throw new Error(`item ${index} ${MEANT_TO_FAIL}`);
    const { item = given as Item } = given as Partial<Value>;
    return { item, attempt };
  };
}
