/** How an engine ends, from every state that it can be in. Threads and time are played. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CloseReport } from "../../src/closing.js";
import type { JobHandle } from "../../src/jobs/handle.js";
import { GRACE_MS, SITUATIONS, type Situation } from "./closing-situations.js";
import { EngineAtHand, handler, turn } from "./engine-at-hand.js";
import { playTime } from "./played-time.js";

/** Longer than the second that a close with a deadline may take. */
const FAR_MS = 10_000_000;

beforeEach(() => {
  playTime();
});

afterEach(() => {
  vi.useRealTimers();
});

/** Lets threads work, promises settle and time pass, until the promise has settled. */
async function settled<Value>(at: EngineAtHand, promise: Promise<Value>, maxMs = FAR_MS): Promise<Value> {
  let isSettled = false;
  const note = (): void => {
    isSettled = true;
  };
  promise.then(note, note);
  await at.play();
  for (let passedMs = 0, stepMs = 1; !isSettled && passedMs < maxMs; passedMs += stepMs) {
    // No longer than a grace: a thread that has not played meanwhile would be one that looks at nothing.
    stepMs = Math.min(2 * stepMs, GRACE_MS);
    vi.advanceTimersByTime(Math.min(stepMs, maxMs - passedMs));
    await at.play();
  }
  if (!isSettled) throw new Error(`it has not settled in ${maxMs} ms`);
  return promise;
}

/** That nothing of it is left, and that it takes no more work. */
async function expectClosed(at: EngineAtHand): Promise<void> {
  const { engine, runner } = at;
  expect(at.remains).toEqual([]);
  expect(vi.getTimerCount(), "timers").toBe(0);
  expect(engine.jobs()).toEqual([]);
  for (const thread of runner.all) expect(["terminated", "failed", "lost"]).toContain(thread.phase);
  await expectRefused(engine);
}

async function expectRefused(engine: EngineAtHand["engine"]): Promise<void> {
  const before = engine.jobs().length;
  let pulled = 0;
  const items = {
    *[Symbol.iterator]() {
      pulled++;
      yield 1;
    },
  };
  const refused = expect.objectContaining({ code: "ENGINE_CLOSED" }) as Error;
  const { signal } = new AbortController();
  expect(() => engine.run(handler("double"), items, { id: "late", signal })).toThrow(refused);
  // Not even an aborted signal, the id of a live job, or a result that is kept gets in.
  expect(() => engine.run(handler("double"), items, { signal: AbortSignal.abort() })).toThrow(refused);
  expect(() => engine.run(handler("double"), items, { id: "live" })).toThrow(refused);
  await expect(engine.call(handler("double"), 1)).rejects.toEqual(refused);
  await expect(engine.map(handler("double"), items)).rejects.toEqual(refused);
  await expect(engine.warm(handler("double"))).rejects.toEqual(refused);
  expect(pulled).toBe(0);
  expect(engine.jobs().length).toBe(before);
  expect(engine.job("late")).toBeUndefined();
}

const NO_JOB = (): Promise<never> => Promise.reject(new DOMException("there was no job", "AbortError"));

async function completes(job: JobHandle<number> | undefined): Promise<void> {
  const values = [2, 4, 6];
  expect((await job?.result)?.values ?? values).toEqual(values);
}

/** Where a job is paused, what waits for its end is refused, and the engine goes on as if it had not been asked. */
async function refuses({ at, isPaused, release }: Situation, wait: () => Promise<unknown>): Promise<void> {
  if (isPaused === undefined) return;
  await expect(wait()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  expect(await settled(at, at.engine.map(handler("double"), [4]))).toEqual([8]);
  release();
}

const situations = Object.entries(SITUATIONS).map(([name, make]) => ({ name, make }));

describe.each(situations)("when $name, close", ({ make }) => {
  it("waits for what is live, or says that it would wait for ever", async () => {
    const exits = process.listenerCount("exit");
    const situation = await make();
    const { at, job, release } = situation;
    await refuses(situation, () => at.engine.close());
    const closing = at.engine.close();
    await expectRefused(at.engine);
    await at.play();
    release();
    expect(await settled(at, closing)).toEqual({ leftBehind: [], cancelledJobs: [] });
    await completes(job);
    await expectClosed(at);
    expect(process.listenerCount("exit")).toBe(exits);
  });

  it("with deadline 0 cancels in the same tick, and is over within a second, whatever threads do", async () => {
    const { at, job, release } = await make();
    const live = at.engine.jobs().map(({ id }) => id);
    at.runner.neverTearsDown = true;
    const closing = at.engine.close({ deadlineMs: 0 });
    expect(at.engine.jobs()).toEqual([]);
    expect(job?.state ?? "cancelled").toBe("cancelled");
    await expectRefused(at.engine);
    release();
    const report = await onTime(closing, 1_000);
    expect(report).toEqual({ leftBehind: [], cancelledJobs: live });
    await expect(job?.result ?? NO_JOB()).rejects.toMatchObject({ name: "AbortError" });
    await expectClosed(at);
  });

  it("with a deadline cancels then, and not before", async () => {
    const { at, job, release } = await make();
    const live = at.engine.jobs();
    const states = live.map(({ state }) => state);
    const closing = at.engine.close({ deadlineMs: 100 });
    vi.advanceTimersByTime(99);
    await turn();
    expect(live.map(({ state }) => state)).toEqual(states);
    vi.advanceTimersByTime(1);
    expect(job?.state ?? "cancelled").toBe("cancelled");
    release();
    const report = await onTime(closing, 1_000);
    expect(report).toEqual({ leftBehind: [], cancelledJobs: live.map(({ id }) => id) });
    await expectClosed(at);
  });

  it("with a deadline that is far away is over as soon as all is done", async () => {
    const { at, job, release } = await make();
    const closing = at.engine.close({ deadlineMs: FAR_MS });
    release();
    expect(await settled(at, closing, FAR_MS / 2)).toEqual({ leftBehind: [], cancelledJobs: [] });
    await completes(job);
    await expectClosed(at);
  });

  it("by disposal cancels, and a second close answers what the first did", async () => {
    const { at, job, release } = await make();
    const live = at.engine.jobs().map(({ id }) => id);
    const disposing = at.engine[Symbol.asyncDispose]();
    expect(job?.state ?? "cancelled").toBe("cancelled");
    release();
    await settled(at, disposing);
    const reports = await Promise.all([at.engine.close(), at.engine.close({ deadlineMs: 5 })]);
    expect(reports[0]).toBe(reports[1]);
    expect(reports[0].cancelledJobs).toEqual(live);
    await expectClosed(at);
  });

  it("is joined by a second one, whose deadline holds", async () => {
    const { at, job, release } = await make();
    const live = at.engine.jobs().map(({ id }) => id);
    const first = at.engine.close({ deadlineMs: FAR_MS });
    const second = at.engine.close();
    const third = at.engine.close({ deadlineMs: 0 });
    expect(job?.state ?? "cancelled").toBe("cancelled");
    release();
    const reports = await settled(at, Promise.all([first, second, third]));
    expect(new Set(reports).size).toBe(1);
    expect(reports[0].cancelledJobs).toEqual(live);
    await expectClosed(at);
  });

  it("comes after a drain, which leaves the engine as it was", async () => {
    const situation = await make();
    const { at, job, release } = situation;
    await refuses(situation, () => at.engine.drain());
    let isDrained = false;
    const drained = at.engine.drain().then(() => (isDrained = true));
    await turn();
    expect(isDrained).toBe(at.engine.jobs().length === 0);
    release();
    await settled(at, drained);
    await completes(job);
    expect(at.remains).toEqual([]);
    expect((await settled(at, at.engine.map(handler("double"), [4])))[0]).toBe(8);
    await settled(at, at.engine.close());
    await expectClosed(at);
  });
});

/** What the promise resolves with, when time has passed to the last millisecond, and no thread has done anything. */
async function onTime(promise: Promise<CloseReport>, ms: number): Promise<CloseReport | "too late"> {
  let report: CloseReport | "too late" = "too late";
  void promise.then((answered) => {
    report = answered;
  });
  for (let passedMs = 0; passedMs < ms; passedMs++) {
    await turn();
    vi.advanceTimersByTime(1);
  }
  await turn();
  await turn();
  return report;
}

describe("a close that is asked for", () => {
  it.each(["start", "batch", "settle"] as const)("by a listener of %s has its way", async (event) => {
    const at = new EngineAtHand();
    const job = at.engine.run(handler("double"), [1, 2], { batchSize: 1, id: "job" });
    let closing: Promise<CloseReport> | undefined;
    const after: string[] = [];
    job.on(event, () => {
      closing ??= at.engine.close({ deadlineMs: 0 });
      after.push(job.state);
    });
    job.on("settle", ({ state }) => after.push(state));
    await at.play();
    expect(after.slice(0, 2)).toEqual(event === "settle" ? ["completed", "completed"] : ["cancelled", "cancelled"]);
    const report = await settled(at, closing!);
    expect(report.cancelledJobs).toEqual(event === "settle" ? [] : ["job"]);
    await expectClosed(at);
  });

  it("by a listener to threads, at the first that is ready, ends those that are not", async () => {
    const at = new EngineAtHand({ threads: 3 });
    let closing: Promise<CloseReport> | undefined;
    at.engine.once("thread", () => {
      closing = at.engine.close();
    });
    await turn();
    expect(await settled(at, closing!)).toEqual({ leftBehind: [], cancelledJobs: [] });
    await expectClosed(at);
  });

  it.each([{ deadlineMs: 0 }, {}])("by a source, in the middle of a pull, has its way: %j", async (options) => {
    const at = new EngineAtHand();
    let closing: Promise<CloseReport> | undefined;
    let returns = 0;
    const iterator: IterableIterator<number> = {
      [Symbol.iterator]: () => iterator,
      next: () => {
        closing ??= at.engine.close(options);
        return closing === undefined || at.engine.jobs().length === 0
          ? { done: false, value: 1 }
          : { done: true, value: undefined };
      },
      return: () => {
        returns++;
        return { done: true, value: undefined };
      },
    };
    const job = at.engine.run(handler("double"), iterator, { id: "job" });
    await at.play();
    const report = await settled(at, closing!);
    const isCancelled = options.deadlineMs === 0;
    expect(job.state).toBe(isCancelled ? "cancelled" : "completed");
    expect(report.cancelledJobs).toEqual(isCancelled ? ["job"] : []);
    expect(returns).toBe(isCancelled ? 1 : 0);
    await expectClosed(at);
  });

  it("by the return of a source, while its job settles, has its way", async () => {
    const at = new EngineAtHand();
    let closing: Promise<CloseReport> | undefined;
    const source: AsyncIterableIterator<number> = {
      [Symbol.asyncIterator]: () => source,
      next: () => new Promise(() => undefined),
      return: () => {
        closing = at.engine.close({ deadlineMs: 0 });
        return Promise.resolve({ done: true, value: undefined });
      },
    };
    const job = at.engine.run(handler("double"), source, { id: "job" });
    const other = at.engine.run(handler("double"), [1], { id: "other" });
    await turn();
    job.cancel();
    expect([job.state, other.state]).toEqual(["cancelled", "cancelled"]);
    expect(await settled(at, closing!)).toMatchObject({ leftBehind: [] });
    await expectClosed(at);
  });

  it("while a thread is in native code leaves that one behind, and says so", async () => {
    const at = new EngineAtHand({ threads: 2, options: { graceMs: GRACE_MS } });
    const job = at.engine.run(handler("double"), [1]);
    await turn();
    const thread = at.runner.all.find(({ hasWork }) => hasWork)!;
    thread.step();
    thread.row.enter("native");
    expect(await onTime(at.engine.close({ deadlineMs: 0 }), 1_000)).toMatchObject({ leftBehind: [thread.slot] });
    expect(job.state).toBe("cancelled");
    expect(thread.phase).toBe("ready");
    expect(thread.isHeld).toBe(false);
  });

  it("while threads cannot be started ends all the same", async () => {
    const at = new EngineAtHand({
      threads: 2,
      onStart: (thread) => queueMicrotask(() => thread.fail(new Error("no"))),
    });
    const job = at.engine.run(handler("double"), [1]);
    await expect(settled(at, job.result)).rejects.toMatchObject({ code: "THREAD_LOST" });
    expect(await settled(at, at.engine.close())).toEqual({ leftBehind: [], cancelledJobs: [] });
    await expectClosed(at);
  });

  it("while a thread dies counts it as gone", async () => {
    const at = new EngineAtHand();
    await turn();
    at.runner.neverTearsDown = true;
    const closing = at.engine.close();
    await turn();
    at.runner.at(0).die();
    expect(await settled(at, closing)).toEqual({ leftBehind: [], cancelledJobs: [] });
    expect(at.runner.all).toHaveLength(1);
    await expectClosed(at);
  });

  it("with a deadline that is no time is refused, and changes nothing", async () => {
    const at = new EngineAtHand();
    for (const deadlineMs of [-1, Number.NaN, "5", null, {}]) {
      await expect(at.engine.close({ deadlineMs: deadlineMs as number })).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
      });
    }
    expect(await settled(at, at.engine.map(handler("double"), [1]))).toEqual([2]);
    // Longer than a timer can be set for.
    await settled(at, at.engine.close({ deadlineMs: Infinity }));
    await expectClosed(at);
  });
});
