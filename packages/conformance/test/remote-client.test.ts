/** Section 10: where a remote client differs from the engine itself, and what the suite cannot ask of it. */
import { ResultCache } from "@threadmill/cache";
import { QueueFullError, TaskError } from "@threadmill/engine";
import { type RemoteJobHandle, connectEngine, exposeEngine } from "@threadmill/engine/remote";
import { MessageChannel } from "node:worker_threads";
import { afterEach, describe, expect, test } from "vitest";
import { byIndex, collect, failure, once, range, rejection, thrown } from "../src/assertions.js";
import { addOne, counted, failOdd, flaky, gated, gatedToo } from "../src/fixtures/index.js";
import { SETUPS } from "../src/fixtures/setups.js";
import { Gate } from "../src/gate.js";
import { until, watchLeaks } from "../src/leaks.js";
import { type RemotePair, connectPair } from "../src/remote/pair.js";
import { Tally } from "../src/tally.js";

// Before the hook below: those after a test are called in reverse.
watchLeaks();

const pairs: RemotePair[] = [];
afterEach(async () => {
  for (const { engine, remote } of pairs.splice(0)) {
    await remote.close();
    await engine.close({ deadlineMs: 0 });
  }
});

function connect(options = {}): RemotePair {
  const pair = connectPair({ threads: 0, ...options });
  pairs.push(pair);
  return pair;
}

/** What of a reason must arrive. */
function parts(reason: unknown): unknown {
  if (!(reason instanceof Error)) return reason;
  const { constructor, name, message, code } = reason as Error & { code?: unknown };
  return { constructor, name, message, code };
}

/** One more client of the same engine. */
function joinIn({ engine }: RemotePair) {
  const { port1, port2 } = new MessageChannel();
  exposeEngine(engine, port1);
  return connectEngine(port2);
}

describe("what the engine refuses", () => {
  test("rejects the result with the engine's own error, and the handle has failed", async () => {
    const { engine, remote } = connect({ maxJobs: 1 });
    const gate = new Gate();
    const first = remote.run(gated, [{ value: 1, gate: gate.shared }], { id: "album" });
    await gate.arrived();
    const full = remote.run(gated, [{ value: 1 }]);
    const error = await failure(full.result, "QUEUE_FULL");
    expect(error).toBeInstanceOf(QueueFullError);
    expect(error).toMatchObject({ maxJobs: 1 });
    expect(full.state).toBe("failed");
    await full.stopped;
    expect(await failure(remote.run(gatedToo, [], { id: "album" }).result, "JOB_ID_CONFLICT")).toMatchObject({
      jobId: "album",
      message: expect.stringContaining('"album"') as string,
    });
    await failure(remote.run(gated, [], { id: "album", collect: false }).result, "JOB_ID_CONFLICT");
    expect(engine.jobs()).toHaveLength(1);
    gate.open();
    expect((await first.result).values).toEqual([1]);
  });

  test("is told by a settle event too, and ends loops", async () => {
    const { engine, remote } = connect();
    await engine.close();
    const handle = remote.run(addOne, range(10));
    const loop = collect(handle);
    expect(await once(handle, "settle")).toMatchObject({ state: "failed", error: { code: "ENGINE_CLOSED" } });
    await failure(loop, "ENGINE_CLOSED");
  });

  test("closes the source of a job that never was one", async () => {
    const { engine, remote } = connect();
    await engine.close();
    let returned = 0;
    const items = {
      [Symbol.iterator]: () => items,
      next: () => ({ done: false as const, value: 1 }),
      return: () => ({ done: true as const, value: returned++ }),
    };
    await failure(remote.run(addOne, items).result, "ENGINE_CLOSED");
    expect(returned).toBe(1);
  });
});

describe("options of a remote run", () => {
  test.each(["weigh", "maxInFlightBytes"])("hold no functions: %s is refused by name", (name) => {
    const { remote } = connect();
    const options = { weigh: () => 1, maxInFlightBytes: 5 } as never;
    const error = thrown(() => remote.run(addOne, [1], options));
    expect(error.code).toBe("INVALID_ARGUMENT");
    expect(error.message).toContain("weigh");
    expect(thrown(() => remote.run(addOne, [1], { [name]: () => 1 } as never)).code).toBe("INVALID_ARGUMENT");
  });

  test("that are equal share what was set up, with shared memory in them too", async () => {
    const { remote } = connect();
    const tally = new Tally(2);
    for (const round of range(5)) {
      await remote.map(counted, range(20 + round), { options: { tally: tally.shared } });
    }
    expect(tally.at(SETUPS)).toBe(1);
  });
});

describe("a handle", () => {
  test("knows whether its result came from the cache when that is there", async () => {
    const { engine, remote } = connect();
    const items = [1, 2, 3].map((succeedsAt) => ({ succeedsAt, value: succeedsAt }));
    const options = { id: "flaky", retry: { attempts: 3, backoffMs: 1 } };
    const first = remote.run(flaky, items, options);
    const { values } = await first.result;
    expect(first.fromCache).toBe(false);
    const { batches } = engine.stats();
    const again = remote.run(flaky, [], options);
    expect((await again.result).values).toEqual(values);
    expect(again.fromCache).toBe(true);
    expect((await collect(again)).map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(again.progress).toMatchObject({ completed: 3, failed: 0, total: 3 });
    await again.stopped;
    expect(engine.stats().batches).toBe(batches);
  });

  test("has an id at once, under which nothing is kept unless the caller gave it", async () => {
    const { engine, remote } = connect();
    const handle = remote.run(addOne, [1]);
    expect(handle.id).toMatch(/^job-/);
    expect((await handle.result).jobId).toBe(handle.id);
    expect(engine.job(handle.id)).toMatchObject({ state: "completed" });
    expect(engine.results.stats.entries).toBe(0);
    const error = await failure(remote.run(failOdd, [1], {}).result, "TASK_FAILED");
    expect(error).toBeInstanceOf(TaskError);
    expect(error.message).toContain(error.jobId);
  });

  test.each([
    ["an error of a class of its own", Object.assign(new RangeError("enough"), { code: "E_ENOUGH" })],
    ["the platform's abort", new DOMException("enough", "AbortError")],
    ["the platform's timeout", new DOMException("enough", "TimeoutError")],
    ["a text", "enough"],
    ["an object", { why: ["enough"] }],
    ["nothing", null],
  ])("hears the reason of a cancel on the other side: %s", async (_, reason) => {
    const { engine, remote } = connect();
    const gate = new Gate();
    const handle = remote.run(gated, [{ value: 1, gate: gate.shared }], { id: "one" });
    await gate.arrived();
    engine.cancel("one", reason);
    const heard = await rejection(handle.result);
    expect(handle.state).toBe("cancelled");
    expect(parts(heard)).toEqual(parts(reason));
    gate.open();
    await handle.stopped;
  });

  test("passes the reason of its own cancel on, also one that cannot be cloned", async () => {
    const { engine, remote } = connect();
    const gate = new Gate();
    const seen: string[] = [];
    for (const reason of [new TypeError("by the client"), () => 1]) {
      const handle = remote.run(gated, [{ value: 1, gate: gate.shared }], { id: "one" });
      await until(() => engine.jobs().length === 1);
      handle.cancel(reason);
      expect(await rejection(handle.result)).toBe(reason);
      await handle.stopped;
      expect(engine.job("one")).toMatchObject({ state: "cancelled" });
      seen.push(String((engine.job("one") as { error: unknown }).error));
    }
    expect(seen).toEqual(["TypeError: by the client", expect.stringContaining("was thrown")]);
    gate.open();
  });

  test("of one client that leaves by its signal leaves the job to another client", async () => {
    const pair = connect();
    const other = joinIn(pair);
    const gate = new Gate();
    const controller = new AbortController();
    const items = [{ value: 1, gate: gate.shared }];
    const leaving = pair.remote.run(gated, items, { id: "album", signal: controller.signal });
    const staying = other.run(gated, items, { id: "album" });
    await gate.arrived();
    await until(() => staying.state === "running");
    controller.abort("leaving");
    expect(await rejection(leaving.result)).toBe("leaving");
    expect(pair.engine.jobs()).toHaveLength(1);
    gate.open();
    expect((await staying.result).values).toEqual([1]);
    await other.close();
  });

  test("that is the last to leave by a signal cancels the work", async () => {
    const { engine, remote } = connect();
    const gate = new Gate();
    const [one, two] = [new AbortController(), new AbortController()];
    const items = [{ value: 1, gate: gate.shared }];
    const first = remote.run(gated, items, { id: "album", signal: one.signal });
    const second = remote.run(gated, items, { id: "album", signal: two.signal });
    await gate.arrived();
    one.abort("one");
    expect([first.state, second.state]).toEqual(["cancelled", expect.stringMatching(/waiting|running/)]);
    two.abort("two");
    await first.stopped;
    expect(engine.jobs()).toEqual([]);
    expect(await rejection(first.result)).toBe("one");
    expect(await rejection(second.result)).toBe("two");
    gate.open();
  });

  test("is paused and resumed by itself, and told of it by others", async () => {
    const { engine, remote } = connect({ progressMs: 1 });
    const handle = remote.run(addOne, range(200_000), { id: "long" });
    await handle.pause();
    expect([handle.state, engine.job("long")?.state]).toEqual(["paused", "paused"]);
    handle.resume();
    expect(handle.state).not.toBe("paused");
    const local = engine.jobs()[0];
    await until(() => local?.state === "running");
    await local?.pause();
    await until(() => handle.state === "paused");
    expect(handle.state).toBe("paused");
    handle.resume();
    expect((await handle.result).values).toHaveLength(200_000);
  });

  test("whose source throws fails with that very error as the cause", async () => {
    const { remote } = connect();
    const cause = new RangeError("half-way");
    const items = (function* () {
      yield* range(3_000);
      throw cause;
    })();
    expect((await failure(remote.run(addOne, items).result, "SOURCE_FAILED")).cause).toBe(cause);
  });
});

describe("looking up", () => {
  test("answers by promises: live jobs, settled ones, and undefined", async () => {
    const pair = connect();
    const { engine, remote } = pair;
    const other = joinIn(pair);
    const gate = new Gate();
    const live = remote.run(
      gated,
      range(100).map((value) => ({ value, gate: gate.shared })),
      { id: "live" },
    );
    await gate.arrived();
    expect(await other.jobs()).toMatchObject([
      { id: "live", state: "running", progress: { completed: 0, total: 100 } },
    ]);
    expect((await other.stats()).jobs).toEqual({ waiting: 0, running: 1, paused: 0 });
    const seen = (await other.job("live")) as RemoteJobHandle<number>;
    expect(seen).toMatchObject({ id: "live", state: "running" });
    gate.open();
    expect((await seen.result).values).toEqual(range(100));
    expect(await collect(seen.values())).toEqual(range(100));
    await live.result;
    expect(await other.job("live")).toMatchObject({ id: "live", state: "completed", stats: { items: 100 } });
    const failed = remote.run(failOdd, [1], { id: "failed" });
    await rejection(failed.result);
    expect(await other.job("failed")).toMatchObject({ state: "failed", error: { code: "TASK_FAILED", index: 0 } });
    expect(await other.job("nobody")).toBeUndefined();
    expect(engine.jobs()).toEqual([]);
    await other.close();
  });

  test("again and again finds the same handle, and costs nothing", async () => {
    const pair = connect();
    const { engine, remote } = pair;
    const gate = new Gate();
    const job = remote.run(gated, [{ value: 1, gate: gate.shared }], { id: "one" });
    await gate.arrived();
    const looks = await Promise.all(range(1_000).map(() => remote.job("one")));
    expect(new Set(looks).size).toBe(1);
    expect(pair.exposure.jobs).toBe(2);
    expect(engine.jobs()[0]?.listenerCount("settle")).toBe(1);
    gate.open();
    expect((await (looks[0] as RemoteJobHandle<number>).result).values).toEqual([1]);
    await job.result;
    // The next job of this id is another one.
    const next = remote.run(gated, [{ value: 2 }], { id: "one", fresh: true });
    await until(() => engine.job("one") !== undefined);
    expect(await remote.job("one")).not.toBe(looks[0]);
    expect((await next.result).values).toEqual([2]);
    await until(() => pair.exposure.jobs === 0);
    expect(pair.exposure.jobs).toBe(0);
  });

  test("shows how many attempts items took, also those that were never run", async () => {
    const pair = connect();
    const { engine, remote } = pair;
    const store = new ResultCache<string>();
    store.set("2", "kept");
    const items = [1, 2, 3].map((succeedsAt) => ({ succeedsAt, value: succeedsAt }));
    const options = { id: "flaky", retry: { attempts: 3, backoffMs: 1 } };
    const job = engine.run(flaky, items, { ...options, cache: { store, key: ({ value }) => String(value) } });
    const seen = (await remote.job("flaky")) as RemoteJobHandle<string>;
    const joined = remote.run(flaky, [], options);
    await job.result;
    for (const handle of [job, seen, joined]) {
      expect(byIndex(await collect(handle)).map(({ attempt }) => attempt)).toEqual([1, 0, 3]);
    }
  });

  test("holds nothing: the job ends with those who wanted it", async () => {
    const pair = connect();
    const other = joinIn(pair);
    const gate = new Gate();
    const controller = new AbortController();
    pair.remote.run(gated, [{ value: 1, gate: gate.shared }], { id: "one", signal: controller.signal });
    await gate.arrived();
    const seen = (await other.job("one")) as RemoteJobHandle<number>;
    controller.abort("gone");
    expect(await rejection(seen.result)).toBe("gone");
    gate.open();
    await other.close();
  });

  test("of a job that does not collect does not take its loop", async () => {
    const pair = connect();
    const other = joinIn(pair);
    const loop = pair.remote.run(addOne, range(100), { id: "one", collect: false, maxInFlight: 10 }).values();
    const first = await loop.next();
    expect(first.value).toBe(1);
    const seen = (await other.job("one")) as RemoteJobHandle<number>;
    const [local] = pair.engine.jobs();
    // Not an empty success.
    for (const open of [() => seen.values(), () => seen.batches(), () => local?.values()]) {
      expect(thrown(open)).toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining("one loop only") as string,
      });
    }
    const rest: number[] = [];
    for await (const value of loop) rest.push(value);
    expect(rest).toHaveLength(99);
    expect((await seen.result).stats.completed).toBe(100);
    await other.close();
  });

  test("cancels by id for everybody, and says whether there was such a job", async () => {
    const pair = connect();
    const other = joinIn(pair);
    const gate = new Gate();
    const handle = pair.remote.run(gated, [{ value: 1, gate: gate.shared }], { id: "one" });
    await gate.arrived();
    expect(await other.cancel("one", "from elsewhere")).toBe(true);
    expect(await rejection(handle.result)).toBe("from elsewhere");
    expect(await other.cancel("one")).toBe(false);
    const mine = pair.remote.run(gated, [{ value: 1, gate: gate.shared }], { id: "two" });
    const cancelled = pair.remote.cancel("two", "by id");
    expect(mine.state).toBe("cancelled");
    expect(await cancelled).toBe(true);
    gate.open();
    await other.close();
  });
});

describe("close", () => {
  test("of the client cancels what is its own, and the engine goes on", async () => {
    const pair = connect();
    const other = joinIn(pair);
    const gate = new Gate();
    const handle = other.run(gated, [{ value: 1, gate: gate.shared }]);
    const late = other.run(addOne, range(10));
    await gate.arrived();
    const asking = rejection(other.drain());
    await other.close();
    expect([handle.state, late.state]).toEqual(["cancelled", "cancelled"]);
    expect(await rejection(handle.result)).toMatchObject({ name: "AbortError" });
    expect(await asking).toMatchObject({ code: "ENGINE_CLOSED" });
    expect(other.isConnected).toBe(false);
    await failure(other.call(addOne, 1), "ENGINE_CLOSED");
    await other.close();
    gate.open();
    expect(await pair.remote.call(addOne, 1)).toBe(2);
  });

  test("by disposal is the same", async () => {
    const pair = connect();
    const other = joinIn(pair);
    await other[Symbol.asyncDispose]();
    expect(other.isConnected).toBe(false);
    expect(await pair.remote.call(addOne, 1)).toBe(2);
  });
});
