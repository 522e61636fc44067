/** What the shell once did wrong, found by the worlds of this folder and by reading. Each test failed before its fix. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Engine } from "../../src/engine.js";
import { shutdownOnSignals } from "../../src/shutdown.js";
import { EngineAtHand, handler, turn } from "./engine-at-hand.js";
import { acquainted } from "./lies.js";
import { playTime } from "./played-time.js";
import { program } from "./program.js";

beforeEach(() => {
  playTime();
});

afterEach(() => {
  vi.useRealTimers();
});

/** Whether the promise has settled after so much time, in which threads have done nothing. */
async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let isSettled = false;
  const note = (): void => {
    isSettled = true;
  };
  promise.then(note, note);
  for (let passedMs = 0; passedMs < ms && !isSettled; passedMs += 10) {
    await turn();
    vi.advanceTimersByTime(10);
  }
  await turn();
  await turn();
  return isSettled;
}

/** An engine with a job in a thread that has begun and answers nothing. */
async function busy(graceMs = 400): Promise<{ at: EngineAtHand; job: ReturnType<Engine["run"]> }> {
  const at = new EngineAtHand({ options: { graceMs } });
  const job = at.engine.run(handler("double"), [1, 2, 3]);
  await turn();
  for (let steps = 0; steps < 4; steps++) at.runner.at(0).step();
  return { at, job };
}

describe("events", () => {
  // The timer's progress is told outside of a turn: what a listener leads to overtakes it.
  it("come in order when a listener to progress cancels the job: nothing after settle", async () => {
    const { job } = await busy();
    const heard: string[] = [];
    job.on("progress", () => job.cancel());
    job.on("progress", () => heard.push("progress"));
    job.on("settle", () => heard.push("settle"));
    vi.advanceTimersByTime(100);
    expect(heard.at(-1)).toBe("settle");
  });
});

describe("the events of an engine", () => {
  // Those of the first job waited behind what its listener had led to: "submitted" twice, and then "settled".
  it("come in order when a listener to settle runs the same id again", async () => {
    const at = new EngineAtHand();
    const heard: string[] = [];
    at.engine.on("job", ({ type, state }) => heard.push(`${type} ${state}`));
    const first = at.engine.run(handler("double"), [1], { id: "again" });
    const second = new Promise<unknown>((resolve) => {
      first.on("settle", () => resolve(at.engine.run(handler("double"), [2], { id: "again", fresh: true }).stopped));
    });
    await at.playUntil(second);
    const each = ["submitted waiting", "started running", "settled completed", "stopped completed"];
    expect(heard).toEqual([...each, ...each]);
  });
});

describe("a source that is closed", () => {
  // `return` is called in the middle of a step, where a cancel waits for the end of that step (S6).
  it("may cancel another job, which settles before cancel returns", async () => {
    const at = new EngineAtHand();
    const other = at.engine.run(handler("double"), [1]);
    let state: string | undefined;
    const source: AsyncIterableIterator<number> = {
      [Symbol.asyncIterator]: () => source,
      next: () => new Promise(() => undefined),
      return: () => {
        other.cancel();
        ({ state } = other);
        return Promise.resolve({ done: true, value: undefined });
      },
    };
    const job = at.engine.run(handler("double"), source);
    await turn();
    job.cancel();
    expect(state).toBe("cancelled");
  });
});

describe("a cancel by weigh", () => {
  // The pull goes on to its end, and says what it has got: the total of a job that has settled rises.
  it("is the end of the pull: nothing changes after it", async () => {
    const at = new EngineAtHand();
    let atSettle: unknown;
    const job = at.engine.run(handler("double"), new Set([1, 2, 3]), {
      total: 0,
      maxInFlightBytes: 100,
      weigh: () => {
        job.cancel();
        atSettle = job.progress;
        return 1;
      },
    });
    await at.playUntil(job.stopped);
    expect(job.progress).toEqual(atSettle);
  });
});

describe("what the caller's code does while its items are opened", () => {
  /** An iterator, whose opening and closing are told. */
  const opening = (onOpen: () => void, onReturn: () => void = () => undefined): Iterable<number> => {
    const iterator = {
      next: () => ({ done: false, value: 1 }),
      return: () => {
        onReturn();
        return { done: true, value: undefined };
      },
      [Symbol.iterator]: () => {
        onOpen();
        return iterator;
      },
    };
    return iterator as unknown as Iterable<number>;
  };

  // The job came in when the engine had ended already: it never settled.
  it("may close the engine, which refuses the job then", async () => {
    const at = new EngineAtHand();
    let closing: Promise<unknown> | undefined;
    const log: string[] = [];
    const items = opening(
      () => {
        closing = at.engine.close({ deadlineMs: 0 });
      },
      () => log.push("closed"),
    );
    expect(() => at.engine.run(handler("double"), items)).toThrow(expect.objectContaining({ code: "ENGINE_CLOSED" }));
    expect(log).toEqual(["closed"]);
    expect(await settlesWithin(closing as Promise<unknown>, 1_000)).toBe(true);
    expect(at.remains).toEqual([]);
  });

  // Then two jobs of one id were live (S11): the end of the first hid the second.
  it("may begin the same job, which is a conflict", async () => {
    const at = new EngineAtHand();
    const begun: Promise<unknown>[] = [];
    const items = opening(() => begun.push(at.engine.run(handler("double"), [1], { id: "twice" }).result));
    expect(() => at.engine.run(handler("double"), items, { id: "twice" })).toThrow(
      expect.objectContaining({ code: "JOB_ID_CONFLICT" }),
    );
    await at.playUntil(Promise.all(begun));
    expect(at.remains).toEqual([]);
  });

  it("may fill the queue, which refuses the job then", async () => {
    const at = new EngineAtHand({ options: { maxJobs: 1 } });
    const begun: Promise<unknown>[] = [];
    const items = opening(() => begun.push(at.engine.run(handler("double"), [1]).result));
    expect(() => at.engine.run(handler("double"), items)).toThrow(expect.objectContaining({ code: "QUEUE_FULL" }));
    await at.playUntil(Promise.all(begun));
    expect(at.remains).toEqual([]);
  });
});

describe("an array that cannot be read", () => {
  const refuse = (): never => {
    throw new RangeError("no such item");
  };
  let isBroken = false;
  /** Throws for this key, once it is broken. */
  const breaking = (key: string): number[] =>
    new Proxy([1, 2, 3], {
      get: (items, asked) => (isBroken && asked === key ? refuse() : (Reflect.get(items, asked) as unknown)),
    });

  // What it throws comes out of the step: out of `run`, or as an uncaught error of the process, and the job hangs.
  it.each([
    ["a getter", Object.defineProperty([1, 2, 3], 1, { get: refuse })],
    ["an item of a proxy", breaking("0")],
    ["the length of a proxy", breaking("length")],
  ])("fails its job by name: %s throws", async (_, items) => {
    const at = new EngineAtHand();
    isBroken = false;
    const job = at.engine.run(handler("double"), items);
    isBroken = true;
    await expect(at.playUntil(job.result)).rejects.toMatchObject({
      code: "SOURCE_FAILED",
      cause: { name: "RangeError", message: "no such item" },
    });
    await at.playUntil(job.stopped);
    expect(at.remains).toEqual([]);
  });
});

describe("a signal that was aborted before", () => {
  // The results are looked up first: only a live job or a new one looks at the signal.
  it("gives a cancelled handle, also where a result is kept", async () => {
    const at = new EngineAtHand();
    await at.playUntil(at.engine.run(handler("double"), [1], { id: "kept" }).result);
    const handle = at.engine.run(handler("double"), [1], { id: "kept", signal: AbortSignal.abort("enough") });
    expect(handle.state).toBe("cancelled");
  });

  // `pause` and `resume` go to the job, whatever has become of the handle.
  it("leaves its handle without a say: it cannot pause the job of the others", async () => {
    const at = new EngineAtHand();
    const controller = new AbortController();
    const left = at.engine.run(handler("double"), [1], { id: "shared", signal: controller.signal });
    const other = at.engine.run(handler("double"), [1], { id: "shared" });
    controller.abort();
    expect(left.state).toBe("cancelled");
    void left.pause();
    expect(other.state).not.toBe("paused");
  });
});

describe("close, when its threads had to be ended before they answered", () => {
  // Nobody tells the scheduler that these threads are gone: its batches, timers and waiters stay.
  it("resolves stopped: no thread touches the job any more", async () => {
    const { at, job } = await busy();
    expect(await settlesWithin(at.engine.close({ deadlineMs: 0 }), 1_000)).toBe(true);
    expect(await settlesWithin(job.stopped, 1_000)).toBe(true);
  });

  it("settles a drain that waits", async () => {
    const { at } = await busy();
    const drained = at.engine.drain();
    expect(await settlesWithin(at.engine.close({ deadlineMs: 0 }), 1_000)).toBe(true);
    expect(await settlesWithin(drained, 1_000)).toBe(true);
  });

  it("settles a pause that waits", async () => {
    const { at, job } = await busy();
    const paused = job.pause();
    expect(await settlesWithin(at.engine.close({ deadlineMs: 0 }), 1_000)).toBe(true);
    expect(await settlesWithin(paused, 1_000)).toBe(true);
  });

  it("leaves no timer: that of progress holds the whole engine in memory", async () => {
    const { at } = await busy();
    expect(await settlesWithin(at.engine.close({ deadlineMs: 0 }), 1_000)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("shows no thread that works for a job", async () => {
    const { at } = await busy();
    expect(await settlesWithin(at.engine.close({ deadlineMs: 0 }), 1_000)).toBe(true);
    expect(at.engine.stats().threads.map(({ state }) => state)).not.toContain("busy");
  });
});

describe("close with a deadline resolves within a second of it", () => {
  // `Threads.end` waits for every thread to have started.
  it("though a thread never starts", async () => {
    const at = new EngineAtHand({ onStart: () => undefined });
    expect(await settlesWithin(at.engine.close({ deadlineMs: 0 }), 1_000)).toBe(true);
  });

  // `Threads.end` waits for every `terminate`, which resolves when the thread is gone.
  it("though a thread does not end when it is terminated", async () => {
    const at = new EngineAtHand();
    await turn();
    at.runner.neverEnds = true;
    expect(await settlesWithin(at.engine.close({ deadlineMs: 0 }), 1_000)).toBe(true);
  });

  // Where all was done by the deadline, teardown gets the whole grace, however long that is.
  it("though a teardown hangs, and the grace is long", async () => {
    const at = new EngineAtHand({ options: { graceMs: 60_000 } });
    await turn();
    at.runner.neverTearsDown = true;
    expect(await settlesWithin(at.engine.close({ deadlineMs: 100 }), 1_100)).toBe(true);
  });

  it("though an earlier close without one is tearing down already", async () => {
    const at = new EngineAtHand({ options: { graceMs: 60_000 } });
    await turn();
    at.runner.neverTearsDown = true;
    const patient = at.engine.close();
    await turn();
    void at.engine.close({ deadlineMs: 0 });
    expect(await settlesWithin(patient, 1_000)).toBe(true);
  });

  // Its timer is set after the others were cleared: an app would wait for it at its end.
  it("and leaves no timer, if it is asked for while threads are torn down", async () => {
    const at = new EngineAtHand();
    await turn();
    const closing = at.engine.close();
    await turn();
    void at.engine.close({ deadlineMs: 60_000 });
    await at.play();
    await closing;
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a thread that has died", () => {
  // The batches of a dead thread stay with its link: a late answer counts as one, with its event and its time.
  it("answers for nothing any more: what comes late is dropped and counted", async () => {
    const { at, thread } = await acquainted();
    const job = at.engine.run(handler("double"), [1, 2, 3, 4], { batchSize: 4 });
    const batches: unknown[] = [];
    job.on("batch", (batch) => batches.push(batch));
    await turn();
    for (let steps = 0; steps < 4; steps++) thread.step();
    const [running] = thread.holds as [number];
    thread.die();
    thread.sayLate(["done", running, 4, [2, 4, 6, 8], undefined, 1, 0]);
    expect(batches).toEqual([]);
    expect(at.engine.stats().droppedMessages).toBe(1);
  });
});

describe("the last words of a thread", () => {
  // Its batches were let go first: an answer that had to wait for the next turn matched none, and its items ran again.
  it("count also where this turn has no time left to take them in", async () => {
    vi.useRealTimers();
    const at = new EngineAtHand();
    await at.playUntil(at.engine.run(handler("double"), [0]).result);
    const job = at.engine.run(handler("double"), [1, 2, 3], { batchSize: 3 });
    await turn();
    const thread = at.runner.at(0);
    while (thread.holds.length > 0 || thread.hasWork) thread.step();
    const ran = at.runner.runs.length;
    // It begins a turn's share of the time, which is over when the thread dies.
    thread.sayLate(["detail", 0, "nobody's"]);
    for (const until = performance.now() + 5; performance.now() < until;);
    thread.die();
    expect((await at.playUntil(job.result)).values).toEqual([2, 4, 6]);
    expect(at.runner.runs.length).toBe(ran);
  });
});

describe("shutdownOnSignals", () => {
  // The deadline is looked at when a signal has come, where nobody hears of it.
  it("refuses at once a deadline that is no time", () => {
    const engine = { close: () => new Promise(() => undefined) } as unknown as Engine;
    expect(() => shutdownOnSignals(engine, { deadlineMs: -1, signals: [] })).toThrow(/deadlineMs/);
  });

  // The signal that one engine raises again is an echo to the other, and nobody raises it once more.
  it("ends by the signal when one of two engines had to leave a thread in native code", async () => {
    const ended = await program(`
      performance.now = () => 0;
      const leaves = { close: async () => ({ leftBehind: [0], cancelledJobs: [] }) };
      const ends = { close: async () => ({ leftBehind: [], cancelledJobs: [] }) };
      shutdownOnSignals(leaves);
      shutdownOnSignals(ends);
      process.kill(process.pid, "SIGINT");
      await new Promise((resolve) => setTimeout(resolve, 100));
    `);
    expect(ended).toEqual({ code: null, signal: "SIGINT", lines: [] });
  });
});
