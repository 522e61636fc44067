/** Bounds, S10 and S13: what is refused changes nothing, and what is kept is little, whatever comes. */
import { getEventListeners } from "node:events";
import { createEngine } from "@threadmill/engine";
import { describe, expect, test } from "vitest";
import { failure, range, thrown } from "../src/assertions.js";
import { CANCEL_SHAPES, soakCancel } from "../src/bounds/cancel.js";
import { doubled, talkative, text } from "../src/bounds/references.js";
import { gated } from "../src/fixtures/index.js";
import { Gate } from "../src/gate.js";
import { useKit } from "../src/leaks.js";

const kit = useKit({
  createEngine: (options) => createEngine({ threads: 2, ...options }),
  slots: 2,
  lacks: {},
  engineOptions: { threads: 2 },
});

describe("a run beyond maxJobs", () => {
  /** An engine that is full, with a gate before the end of both of its jobs. */
  function full() {
    const engine = kit.engine({ maxJobs: 2 });
    const gates = { first: new Gate(), second: new Gate() };
    const run = (id: "first" | "second") => engine.run(gated, [{ value: 1, gate: gates[id].shared }], { id });
    return { engine, gates, first: run("first"), second: run("second"), run };
  }

  test("is refused with QUEUE_FULL, and has no effect", async () => {
    const { engine, gates, first, second } = full();
    await gates.first.arrived();
    await gates.second.arrived();
    const told: string[] = [];
    engine.on("job", ({ jobId }) => told.push(jobId));
    const touched: PropertyKey[] = [];
    const source = new Proxy(range(3).values(), {
      get: (target, key) => {
        touched.push(key);
        return Reflect.get(target, key) as unknown;
      },
    });
    const { signal } = kit.controller();
    const look = () => ({
      jobs: engine
        .jobs()
        .map(({ id, state, progress: { completed, failed, total } }) => [id, state, completed, failed, total]),
      stats: engine.stats(),
      results: engine.results.stats,
      listeners: getEventListeners(signal, "abort").length,
      third: engine.job("third"),
    });
    const before = look();
    const refusal = thrown(() => engine.run(doubled, source, { id: "third", signal, total: 3 }));
    expect(refusal).toMatchObject({ name: "QueueFullError", code: "QUEUE_FULL", maxJobs: 2 });
    // Not a turn later: what threads still have to say of the others changes the counts.
    const promises = [engine.call(doubled, 1, { signal }), engine.map(doubled, [1], { signal })];
    expect(look()).toEqual(before);
    for (const promise of promises) await failure(promise, "QUEUE_FULL");
    expect(told).toEqual([]);
    // That it is an iterator may be asked; what it holds may not.
    expect(touched.filter((key) => key === "next" || key === "return")).toEqual([]);
    gates.first.open();
    gates.second.open();
    await Promise.all([first.result, second.result]);
    await engine.drain();
    expect(engine.job("third")).toBeUndefined();
    expect(new Set(told)).toEqual(new Set(["first", "second"]));
  });

  test("may join a job that is live, and have a result that is kept", async () => {
    const engine = kit.engine({ maxJobs: 1 });
    await engine.run(doubled, [1, 2], { id: "kept" }).result;
    const gate = new Gate();
    const live = engine.run(gated, [{ value: 1, gate: gate.shared }], { id: "live" });
    const joined = engine.run(gated, [], { id: "live" });
    expect((await engine.run(doubled, [], { id: "kept" }).result).values).toEqual([2, 4]);
    await failure(engine.call(doubled, 1), "QUEUE_FULL");
    gate.open();
    expect((await joined.result).values).toEqual([1]);
    await live.result;
  });

  test("has room again as soon as one of the jobs has settled, however", async () => {
    const { engine, gates, first, second, run } = full();
    first.cancel();
    const again = run("first");
    expect(thrown(() => engine.run(doubled, [1])).code).toBe("QUEUE_FULL");
    gates.second.open();
    await second.result;
    expect(await engine.call(doubled, 4)).toBe(8);
    gates.first.open();
    await again.result;
    expect(await engine.map(doubled, [1])).toEqual([2]);
  });

  test("that is refused a thousand times leaves room for exactly as many as before", async () => {
    const { engine, gates, first, second } = full();
    for (let time = 0; time < 1_000; time++) thrown(() => engine.run(doubled, [time], { id: `refused-${time}` }));
    expect(engine.jobs()).toHaveLength(2);
    gates.first.open();
    gates.second.open();
    await Promise.all([first.result, second.result]);
    const jobs = [engine.run(doubled, [1]), engine.run(doubled, [2])];
    expect(thrown(() => engine.run(doubled, [3])).code).toBe("QUEUE_FULL");
    await Promise.all(jobs.map(({ result }) => result));
  });
});

describe("one signal", () => {
  test("has one listener for 10,000 jobs, and none when they are over", async () => {
    const engine = kit.engine();
    const { signal } = kit.controller();
    const calls: Promise<number>[] = [];
    const listeners = new Set<number>();
    for (let call = 0; call < 10_000; call++) {
      calls.push(engine.call(doubled, call, { signal }));
      if (call % 1_000 === 0) listeners.add(getEventListeners(signal, "abort").length);
    }
    expect(listeners).toEqual(new Set([1]));
    expect(await Promise.all(calls)).toEqual(range(10_000).map((value) => 2 * value));
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("among others keeps its own", async () => {
    const engine = kit.engine();
    const signals = [kit.controller().signal, kit.controller().signal];
    const gate = new Gate();
    const jobs = range(100).map((at) =>
      engine.run(gated, [{ value: at, gate: gate.shared }], { signal: signals[at % 2]! }),
    );
    expect(signals.map((signal) => getEventListeners(signal, "abort").length)).toEqual([1, 1]);
    for (let at = 0; at < 100; at += 2) jobs[at]?.cancel();
    expect(signals.map((signal) => getEventListeners(signal, "abort").length)).toEqual([0, 1]);
    gate.open();
    await Promise.all(jobs.filter((_, at) => at % 2 === 1).map(({ result }) => result));
    expect(signals.map((signal) => getEventListeners(signal, "abort").length)).toEqual([0, 0]);
  });

  test.each(CANCEL_SHAPES)(
    "cancels all items in the tick of its abort, whatever it was given to: %s",
    async (shape) => {
      const listeners: number[] = [];
      const figures = await soakCancel({
        shape,
        items: shape === "calls" ? 5_000 : 50_000,
        onAbort: (signal) => listeners.push(getEventListeners(signal, "abort").length),
      });
      expect(listeners).toEqual([1, 0]);
      expect(figures.settledInTick).toBe(figures.handles);
    },
  );
});

describe("what is between source and reader", () => {
  test.each([
    ["as maxInFlight says", { maxInFlight: 100 }, 100],
    ["as maxInFlight says, in order", { maxInFlight: 100, ordered: true }, 100],
    ["by default, for large batches", { batchSize: 4_096 }, 2 * 2 * 4_096],
    ["by default, with many lanes", { concurrency: 1_024, batchSize: 1 }, 2 * 2 * 1_024],
  ])("is bounded %s, however slow the reader", async (_, options, most) => {
    const engine = kit.engine();
    let pulled = 0;
    let read = 0;
    let between = 0;
    const source = function* (): Generator<number> {
      for (; pulled < 20_000; pulled++) {
        between = Math.max(between, pulled + 1 - read);
        yield pulled;
      }
    };
    for await (const outcomes of engine.run(doubled, source(), { ...options, collect: false }).batches()) {
      read += outcomes.length;
      // What a reader has in hand it has not passed on before it asks for more.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(read).toBe(20_000);
    expect(between).toBeGreaterThan(0);
    expect(between).toBeLessThanOrEqual(most);
  });
});

describe("events", () => {
  test("of progress come by the clock and not by the item", async () => {
    const progressMs = 20;
    const engine = kit.engine({ progressMs });
    let events = 0;
    const start = performance.now();
    const job = engine.run(doubled, range(300_000));
    job.on("progress", () => events++);
    await job.result;
    // A timer may be a millisecond early; one more comes at the end.
    expect(events).toBeLessThanOrEqual((performance.now() - start) / (progressMs - 1) + 2);
    expect(events).toBeGreaterThan(0);
  });

  test("of details are coalesced, by batch or by the clock, and the newest is among them", async () => {
    const engine = kit.single();
    const count = 50_000;
    const details: number[] = [];
    const start = performance.now();
    const job = engine.run(talkative, range(count));
    job.on("detail", (value) => details.push(value as number));
    const { stats } = await job.result;
    // In 50 ms one is sent at once, and one by the timer for those that were held back; a batch sends its last.
    expect(details.length).toBeLessThanOrEqual(stats.batches + (2 * (performance.now() - start)) / 50 + 1);
    expect(details.at(-1)).toBe(count - 1);
    expect(details).toEqual(details.toSorted((a, b) => a - b));
  });
});

describe("what is kept", () => {
  test("of settled jobs is a record of the last 256", async () => {
    const engine = kit.engine();
    for (let job = 0; job < 300; job++) {
      const handle = engine.run(doubled, [job % 3 === 0 ? -1 : job], { id: `job-${job}` });
      if (job % 3 === 1) handle.cancel();
      await handle.result.catch(() => undefined);
    }
    const kept = range(300).filter((job) => engine.job(`job-${job}`) !== undefined);
    expect(kept).toEqual(range(300).slice(-256));
    expect(engine.job("job-297")).toMatchObject({ state: "failed", stats: { failed: 1 } });
    expect(engine.job("job-298")).toMatchObject({ state: "cancelled", stats: { items: 0 } });
    expect(engine.job("job-299")).toMatchObject({ state: "completed", stats: { completed: 1 } });
  });

  test("of results is bounded in entries and in bytes at once", async () => {
    const maxBytes = 1_000_000;
    const engine = kit.engine({ results: { maxEntries: 5, maxBytes } });
    for (let job = 0; job < 20; job++) {
      await engine.run(text, [job % 2 === 0 ? 10 : 300_000], { id: `job-${job}` }).result;
      const { entries, bytes } = engine.results.stats;
      expect(entries).toBeLessThanOrEqual(5);
      expect(bytes).toBeLessThanOrEqual(maxBytes);
    }
    expect(engine.results.has("job-19")).toBe(true);
    expect(engine.results.has("job-0")).toBe(false);
    // One that is too large alone is not kept, and drives nobody out.
    const before = range(20).filter((job) => engine.results.has(`job-${job}`));
    await engine.run(text, [maxBytes], { id: "huge" }).result;
    expect(engine.results.has("huge")).toBe(false);
    expect(range(20).filter((job) => engine.results.has(`job-${job}`))).toEqual(before);
  });

  test("of results is bounded in bytes, wherever in them the large values lie", async () => {
    const maxBytes = 1_000_000;
    const engine = kit.engine({ results: { maxBytes } });
    for (const first of [0, 1]) {
      // 512 values, of which every other one is large: 25 MB.
      const lengths = range(512).map((at) => (at % 2 === first ? 100_000 : 1));
      await engine.run(text, lengths, { id: `from-${first}` }).result;
      expect(engine.results.has(`from-${first}`), `large values from ${first} on`).toBe(false);
    }
  });
});
