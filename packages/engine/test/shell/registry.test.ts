/** What the registry holds while jobs are live, and what of it is left when they are not. */
import { getEventListeners } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Outcome } from "../../src/jobs/outcome.js";
import type { JobEvent } from "../../src/jobs/registry.js";
import { EngineAtHand, handler, turn } from "./engine-at-hand.js";

const listeners = (signal: AbortSignal): number => getEventListeners(signal, "abort").length;

describe("a run that is refused", () => {
  const refusals: readonly [why: string, options: { readonly task?: string }, code: string][] = [
    ["the id of a job that does something else", { id: "live", task: "other" } as object, "JOB_ID_CONFLICT"],
    ["collect: false under a live id", { id: "live", collect: false } as object, "JOB_ID_CONFLICT"],
    ["an option out of range", { weight: 0 } as object, "INVALID_ARGUMENT"],
    ["options that cannot travel", { options: () => 1 } as object, "INVALID_ARGUMENT"],
    ["a misspelt option", { fersh: true } as object, "INVALID_ARGUMENT"],
    ["more jobs than the engine takes", {}, "QUEUE_FULL"],
  ];

  it.each(refusals)("has no effect: %s", async (_, { task = "double", ...options }, code) => {
    const at = new EngineAtHand({ options: { maxJobs: code === "QUEUE_FULL" ? 1 : 10 } });
    const events: JobEvent[] = [];
    const { signal } = new AbortController();
    const live = at.engine.run(handler("double"), [1], { id: "live" });
    await turn();
    at.engine.on("job", (event) => events.push(event));
    let touched = 0;
    const source: IterableIterator<number> = {
      [Symbol.iterator]: () => source,
      next: () => ({ done: touched++ > 0, value: 1 }),
      return: () => ({ done: touched++ > 0, value: 1 }),
    };
    const state = JSON.stringify(at.engine.stats());
    expect(() => at.engine.run(handler(task), source, { signal, ...options } as object)).toThrow(
      expect.objectContaining({ code }),
    );
    expect(JSON.stringify(at.engine.stats())).toBe(state);
    expect(at.engine.jobs()).toHaveLength(1);
    await turn();
    expect({ touched, listeners: listeners(signal), events }).toEqual({ touched: 0, listeners: 0, events: [] });
    expect((await at.playUntil(live.result)).values).toEqual([2]);
    await at.play();
    expect(at.remains).toEqual([]);
  });
});

describe("a signal", () => {
  it("has one listener for a thousand handles of many jobs, and none when they have settled unaborted", async () => {
    const at = new EngineAtHand({ threads: 2 });
    const { signal } = new AbortController();
    const handles = Array.from({ length: 1_000 }, (_, n) =>
      at.engine.run(handler("double"), [n], { signal, id: `job-${n % 100}` }),
    );
    expect(listeners(signal)).toBe(1);
    await at.playUntil(Promise.all(handles.map(({ result }) => result)));
    expect(listeners(signal)).toBe(0);
    // Whatever else comes of them takes no place on it either.
    at.engine.run(handler("double"), [0], { signal, id: "job-99" });
    expect(listeners(signal)).toBe(0);
    await at.play();
    expect(at.remains).toEqual([]);
  });

  it("ends all its handles in one tick, and a listener may do what it likes meanwhile", async () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    onTestFinished(() => warned.mockRestore());
    const at = new EngineAtHand();
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error("enough");
    const states: string[] = [];
    const handles = Array.from({ length: 5 }, (_, n) => at.engine.run(handler("double"), [n], { signal }));
    const other = at.engine.run(handler("double"), [9]);
    handles[1]?.on("settle", () => {
      states.push(at.engine.run(handler("double"), [1], { signal }).state);
      other.cancel();
      handles[3]?.cancel("by another");
      throw new Error("and throws");
    });
    await turn();
    controller.abort(reason);
    expect(handles.map(({ state }) => state)).toEqual(handles.map(() => "cancelled"));
    expect(other.state).toBe("cancelled");
    expect(states).toEqual(["cancelled"]);
    const reasons = await Promise.all(handles.map(({ result }) => result.catch((error: unknown) => error)));
    expect(reasons).toEqual([reason, reason, reason, "by another", reason]);
    expect(listeners(signal)).toBe(0);
    expect(warned).toHaveBeenCalledTimes(1);
    await at.play();
    expect(at.remains).toEqual([]);
  });

  it("that is the last one to leave is the one whose reason counts", async () => {
    const at = new EngineAtHand();
    const controllers = [new AbortController(), new AbortController()];
    const [first, second] = controllers.map(({ signal }) =>
      at.engine.run(handler("double"), [1], { id: "shared", signal }),
    );
    const observer = at.engine.job("shared") as typeof first;
    controllers[0]?.abort("one");
    expect([first?.state, second?.state, observer?.state]).toEqual(["cancelled", "waiting", "waiting"]);
    controllers[1]?.abort("two");
    expect([first?.state, second?.state, observer?.state]).toEqual(["cancelled", "cancelled", "cancelled"]);
    await expect(first?.result).rejects.toBe("one");
    await expect(second?.result).rejects.toBe("two");
    await expect(observer?.result).rejects.toBe("two");
    expect(at.engine.job("shared")).toMatchObject({ state: "cancelled", error: "two" });
  });
});

describe("threads hold the process", () => {
  it("from the first job to the last, and not a moment longer", async () => {
    const at = new EngineAtHand({ threads: 2 });
    await turn();
    const held = (): boolean[] => at.runner.all.map(({ isHeld }) => isHeld);
    expect(held()).toEqual([false, false]);
    const job = at.engine.run(handler("double"), [1]);
    expect(held()).toEqual([true, true]);
    // The next job is started by a listener, at the end of the first.
    let next: Promise<unknown> | undefined;
    job.on("settle", () => {
      next = at.engine.map(handler("double"), [2]);
    });
    await at.playUntil(job.result);
    expect(held()).toEqual([true, true]);
    await at.playUntil(next!);
    await at.play();
    expect(held()).toEqual([false, false]);
  });

  it("also those that start while a job is live", async () => {
    const at = new EngineAtHand({ onStart: () => undefined });
    const job = at.engine.run(handler("double"), [1]);
    at.runner.at(0).open();
    expect(at.runner.at(0).isHeld).toBe(true);
    await at.playUntil(job.result);
    await at.play();
    expect(at.runner.at(0).isHeld).toBe(false);
  });
});

describe("what is kept", () => {
  it("is no more than the results that fit and the last 256 records, after a thousand jobs", async () => {
    const at = new EngineAtHand({ options: { results: { maxEntries: 8 } } });
    for (let n = 0; n < 1_000; n++) {
      const job = at.engine.run(handler("double"), [n], { id: `job-${n}` });
      if (n % 3 === 0) job.cancel();
      else await at.playUntil(job.result);
    }
    await at.play();
    expect(at.remains).toEqual([]);
    expect(at.engine.jobs()).toEqual([]);
    expect(at.engine.results.stats.entries).toBe(8);
    const known = Array.from({ length: 1_000 }, (_, n) => at.engine.job(`job-${n}`)).filter((one) => one !== undefined);
    expect(known).toHaveLength(256);
    expect(known.every((one) => !("cancel" in one))).toBe(true);
  });

  it("is the result as its handles gave it", async () => {
    const at = new EngineAtHand({});
    const job = at.engine.run(handler("double"), [1, 2], { id: "album" });
    await at.playUntil(job.result);
    expect(at.engine.results.get("album")).toBe(await job.result);
    expect(at.engine.results.get("another")).toBeUndefined();
  });

  it("is not the handle, nor its job, though its signal lives on", async () => {
    setFlagsFromString("--expose-gc");
    const collectGarbage = runInNewContext("gc") as () => void;
    const at = new EngineAtHand({ handlers: { same: (item) => item } });
    const { signal } = new AbortController();
    const refs = await (async () => {
      const all: WeakRef<object>[] = [];
      for (const options of [{}, { id: "named" }, { collect: false }, { ordered: true }]) {
        const items = [{ weight: "of an item" }];
        const job = at.engine.run(handler<unknown, unknown>("same"), items, { signal, ...options });
        all.push(new WeakRef(job), new WeakRef(items));
        const read = (async () => {
          for await (const { index } of job) expect(index).toBe(0);
        })();
        await at.playUntil(read);
        await at.playUntil(job.stopped);
      }
      return all;
    })();
    for (let tries = 0; tries < 50 && refs.some((ref) => ref.deref() !== undefined); tries++) {
      await turn();
      collectGarbage();
    }
    expect(refs.map((ref) => ref.deref())).toEqual(refs.map(() => undefined));
    expect(listeners(signal)).toBe(0);
  });
});

describe("what a settled handle keeps alive", () => {
  it.each(["completed", "cancelled"] as const)("is nothing of its source: %s", async (state) => {
    setFlagsFromString("--expose-gc");
    const collectGarbage = runInNewContext("gc") as () => void;
    const at = new EngineAtHand({ handlers: { same: (item) => item } });
    const weighed = { weigh: () => 1, maxInFlightBytes: 10 };
    const kept = await Promise.all(
      [{ options: {} }, { options: weighed }, { options: {}, isPulled: true }].map(async ({ options, isPulled }) => {
        const items = [{ weight: "of an item" }, { weight: "of another" }];
        const job = at.engine.run(handler<unknown, unknown>("same"), isPulled ? items.values() : items, options);
        await turn();
        if (state === "cancelled") job.cancel();
        await at.playUntil(job.stopped);
        return { job, items: new WeakRef(items) };
      }),
    );
    for (let tries = 0; tries < 50 && kept.some(({ items }) => items.deref() !== undefined); tries++) {
      await turn();
      collectGarbage();
    }
    expect(kept.map(({ items }) => items.deref())).toEqual([undefined, undefined, undefined]);
    expect(kept.map(({ job }) => job.state)).toEqual([state, state, state]);
  });
});

describe("what a cancelled handle keeps alive", () => {
  it("is no outcome: nobody can read them any more", async () => {
    setFlagsFromString("--expose-gc");
    const collectGarbage = runInNewContext("gc") as () => void;
    const at = new EngineAtHand({ handlers: { box: (value) => ({ value }) } });
    const job = at.engine.run(handler<number, object>("box"), [1, 2, 3, 4].values(), { maxInFlight: 1 });
    const values = await (async () => {
      const loop = job[Symbol.asyncIterator]();
      const seen: WeakRef<object>[] = [];
      while (seen.length < 2) {
        const step = (await at.playUntil(loop.next())) as IteratorResult<Outcome<object>, undefined>;
        if (step.value?.status === "completed") seen.push(new WeakRef(step.value.value));
      }
      job.cancel();
      return seen;
    })();
    await at.playUntil(job.stopped);
    for (let tries = 0; tries < 50 && values.some((ref) => ref.deref() !== undefined); tries++) {
      await turn();
      collectGarbage();
    }
    expect(values.map((ref) => ref.deref())).toEqual([undefined, undefined]);
    expect(job.state).toBe("cancelled");
  });
});

describe("a handle that its signal has ended", () => {
  it("stays as it was then, though the job goes on for others, and says so once more", async () => {
    const at = new EngineAtHand();
    const controller = new AbortController();
    const items = [1, 2, 3, 4];
    const stays = at.engine.run(handler("double"), items, { id: "shared", batchSize: 1 });
    const leaves = at.engine.run(handler("double"), items, { id: "shared", signal: controller.signal });
    const told: unknown[] = [];
    leaves.on("progress", (progress) => told.push(progress));
    leaves.on("settle", ({ state }) => told.push(state));
    controller.abort(new Error("gone"));
    const before = leaves.progress;
    await at.playUntil(stays.result);
    expect(stays.progress.completed).toBe(4);
    expect(leaves.progress).toBe(before);
    expect(before.completed).toBe(0);
    expect(told).toEqual([before, "cancelled"]);
  });
});

describe("a handle from the cache", () => {
  it("settles like any other: one settle, loops that end, and no thread", async () => {
    const at = new EngineAtHand();
    const first = await at.playUntil(at.engine.run(handler("double"), [1, 2], { id: "kept" }).result);
    const ran = at.runner.runs.length;
    const { signal } = new AbortController();
    const handle = at.engine.run(handler("double"), [1, 2], { id: "kept", signal });
    const ends: unknown[] = [];
    handle.on("settle", (end) => ends.push(end));
    expect([handle.state, handle.fromCache, listeners(signal)]).toEqual(["completed", true, 0]);
    const values: number[] = [];
    for await (const value of handle.values()) values.push(value);
    expect(values).toEqual([2, 4]);
    handle.cancel();
    await Promise.all([handle.pause(), handle.stopped]);
    expect(await handle.result).toBe(await handle.result);
    expect((await handle.result).values).toBe(first.values);
    expect(ends).toEqual([{ state: "completed" }]);
    expect(at.runner.runs).toHaveLength(ran);
    expect(at.remains).toEqual([]);
  });
});
