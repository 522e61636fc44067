/** Section 10: when either side dies, all that is pending on the other settles, and nothing of it is left. */
import { getEventListeners } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { MessageChannel, type Worker } from "node:worker_threads";
import { type Outcome, createEngine } from "@threadmill/engine";
import { connectEngine, exposeEngine } from "@threadmill/engine/remote";
import { describe, expect, test } from "vitest";
import { collect, failure, range, rejection } from "../src/assertions.js";
import { addOne, echo, gated } from "../src/fixtures/index.js";
import { Gate } from "../src/gate.js";
import { until, useKit } from "../src/leaks.js";
import { connectPair } from "../src/remote/pair.js";
import { nextMessage, startThread } from "../src/remote/threads.js";

const kit = useKit({ createEngine, slots: 2, lacks: {}, engineOptions: {} });

const deaths: readonly (readonly [how: string, end: (worker: Worker) => unknown])[] = [
  ["is terminated", (worker) => worker.terminate()],
  ["calls process.exit", (worker) => worker.postMessage("exit")],
  ["closes its connection", (worker) => worker.postMessage("close")],
];

describe("a client whose thread", () => {
  test.each(deaths)("%s in mid-job leaves nothing: its jobs are cancelled, and the engine works on", async (_, end) => {
    const engine = kit.engine({ threads: 1 });
    const gate = new Gate();
    const { port1, port2 } = new MessageChannel();
    const exposure = exposeEngine(engine, port1);
    const items = range(50).map((value) => ({ value, gate: gate.shared }));
    const worker = startThread("client-thread", { port: port2, items, jobs: 20 });
    await nextMessage(worker);
    await gate.arrived();
    await until(() => exposure.jobs === 20);
    expect(engine.jobs()).toHaveLength(20);
    void end(worker);
    await exposure.closed;
    expect(exposure.isOpen).toBe(false);
    expect(exposure.jobs).toBe(0);
    expect(engine.jobs()).toEqual([]);
    expect(getEventListeners(port1, "message")).toEqual([]);
    gate.open();
    await engine.drain();
    expect(await engine.map(addOne, [1])).toEqual([2]);
    await worker.terminate();
  });

  test("dies leaves a job that somebody else wants, and takes its own items with it", async () => {
    const engine = kit.engine({ threads: 1 });
    const { port1, port2 } = new MessageChannel();
    const exposure = exposeEngine(engine, port1);
    const worker = startThread("client-thread", { port: port2, items: undefined, jobs: 1, id: "shared" });
    await nextMessage(worker);
    const handle = engine.run(gated, [], { id: "shared" });
    await worker.terminate();
    await exposure.closed;
    // Its items came from the thread that is gone.
    const error = await failure(handle.result, "SOURCE_FAILED");
    expect(error.cause).toMatchObject({ code: "ENGINE_CLOSED" });
  });

  test("dies leaves a shared job whose items are all there to those who stay", async () => {
    const engine = kit.engine({ threads: 1 });
    const gate = new Gate();
    const { port1, port2 } = new MessageChannel();
    const exposure = exposeEngine(engine, port1);
    const items = range(3).map((value) => ({ value, gate: gate.shared }));
    const worker = startThread("client-thread", { port: port2, items, jobs: 1, id: "shared" });
    await nextMessage(worker);
    const handle = engine.run(gated, [], { id: "shared" });
    await worker.terminate();
    await exposure.closed;
    expect(handle.state).toBe("running");
    gate.open();
    expect((await handle.result).values).toEqual([0, 1, 2]);
  });
});

describe("an engine whose thread", () => {
  test("is killed settles every pending call and handle with ENGINE_CLOSED", async () => {
    const worker = startThread("engine-thread", { threads: 1 });
    const remote = connectEngine(worker);
    const gate = new Gate();
    expect(await remote.call(addOne, 1)).toBe(2);
    const items = range(10).map((value) => ({ value, gate: gate.shared }));
    const collecting = remote.run(gated, items, { id: "one" });
    const streaming = remote.run(gated, items, { collect: false });
    const loop = collect(streaming);
    const paused = remote.run(gated, items);
    const looking = collecting[Symbol.asyncIterator]();
    await gate.arrived();
    const pending: [what: string, promise: Promise<unknown>][] = [
      ["result", collecting.result],
      ["loop", looking.next()],
      ["streaming loop", loop],
      ["stopped", collecting.stopped],
      ["pause", paused.pause()],
      ["call", remote.call(gated, { value: 1, gate: gate.shared })],
      ["map", remote.map(gated, items)],
      ["drain", remote.drain()],
      ["warm", remote.warm(gated)],
    ];
    // A call that was never answered is pending for ever in Comlink itself.
    const ends = pending.map(async ([what, promise]) => [what, await rejection(promise)] as const);
    await worker.terminate();
    for (const [what, error] of await Promise.all(ends)) {
      expect({ what, error }).toMatchObject({ what, error: { code: "ENGINE_CLOSED", name: "EngineClosedError" } });
      expect((error as Error).cause).toMatchObject({
        message: expect.stringContaining("connection was lost") as string,
      });
    }
    await remote.closed;
    expect(remote.isConnected).toBe(false);
    expect([collecting.state, streaming.state]).toEqual(["failed", "failed"]);
    // And what is asked for now settles as well.
    const late = remote.run(addOne, [1]);
    expect(late.state).toBe("failed");
    await failure(late.result, "ENGINE_CLOSED");
    await failure(remote.jobs(), "ENGINE_CLOSED");
    await remote.close();
  });

  test("goes away under a client that reads leaves it what had come before", async () => {
    const { engine, remote } = connectPair({ threads: 0 });
    const handle = remote.run(addOne, range(100));
    await handle.result;
    await remote.close();
    expect(await collect(handle)).toHaveLength(100);
    await engine.close();
  });
});

describe("an exposure that the engine's side closes", () => {
  test("settles what the client waits for, and cancels its jobs", async () => {
    const engine = kit.engine({ threads: 0 });
    const gate = new Gate();
    const { port1, port2 } = new MessageChannel();
    const exposure = exposeEngine(engine, port1);
    const remote = connectEngine(port2);
    const handle = remote.run(gated, [{ value: 1, gate: gate.shared }]);
    await gate.arrived();
    exposure.close();
    await failure(handle.result, "ENGINE_CLOSED");
    expect(engine.jobs()).toEqual([]);
    await remote.closed;
    gate.open();
  });
});

describe("memory", () => {
  test("of the outcomes of a cancelled job is given back, though its handle is kept", async () => {
    const { engine, remote } = connectPair({ threads: 0 });
    setFlagsFromString("--expose-gc");
    const gc = runInNewContext("gc") as () => void;
    const handle = remote.run(echo, oneAndNoMore(), { batchSize: 1 });
    const { result } = handle;
    result.catch(() => undefined);
    const first = await firstValue(handle);
    handle.cancel("enough");
    await until(() => {
      gc();
      return first.deref() === undefined;
    });
    expect(first.deref()).toBeUndefined();
    expect(handle.state).toBe("cancelled");
    await remote.close();
    await engine.close();
  });

  test("of a client that has gone is given back, and so is that of jobs that are over", async () => {
    const engine = kit.engine({ threads: 0 });
    setFlagsFromString("--expose-gc");
    const gc = runInNewContext("gc") as () => void;
    const refs: WeakRef<object>[] = [];
    for (let round = 0; round < 10; round++) {
      const { port1, port2 } = new MessageChannel();
      const exposure = exposeEngine(engine, port1);
      const remote = connectEngine(port2);
      const handle = remote.run(addOne, range(100));
      await handle.result;
      await handle.stopped;
      await until(() => exposure.jobs === 0);
      refs.push(new WeakRef(exposure), new WeakRef(handle));
      // Half of the clients leave a job behind.
      if (round % 2 === 0) remote.run(addOne, range(10_000));
      void remote.close();
      await exposure.closed;
    }
    await engine.drain();
    await until(() => {
      gc();
      return refs.filter((ref) => ref.deref() !== undefined).length <= 2;
    });
    expect(refs.filter((ref) => ref.deref() !== undefined).length).toBeLessThanOrEqual(2);
  });
});

/** The first value, not held by who asks. */
async function firstValue(handle: AsyncIterable<Outcome<unknown>>): Promise<WeakRef<object>> {
  for await (const outcome of handle) if (outcome.status === "completed") return new WeakRef(outcome.value as object);
  throw new Error("there was none");
}

async function* oneAndNoMore(): AsyncGenerator<object> {
  yield { some: "value" };
  await new Promise(() => undefined);
}
