/** Section 10, endpoints: ports of Node, Workers, ports of the web, and Electron's `MessagePortMain` by its interface. */
import { EventEmitter } from "node:events";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { TaskError, createEngine, task } from "@threadmill/engine";
import { type ElectronEndpoint, type RemoteEngine, connectEngine, exposeEngine } from "@threadmill/engine/remote";
import { describe, expect, test } from "vitest";
import { collect, failure, range, rejection, thrown } from "../src/assertions.js";
import { addOne, echo, failOdd, gated, roots } from "../src/fixtures/index.js";
import { Gate } from "../src/gate.js";
import { until, useKit } from "../src/leaks.js";
import { HeldPort } from "../src/remote/held-port.js";
import { startThread } from "../src/remote/threads.js";

const kit = useKit({ createEngine, slots: 1, lacks: {}, engineOptions: {} });

/** As Electron's: an emitter whose messages come as events, which wait until `start`, and carry nothing but clones. */
class PortMain extends EventEmitter implements ElectronEndpoint {
  other!: PortMain;
  #waiting: unknown[] | undefined = [];
  #isClosed = false;

  static pair(): [PortMain, PortMain] {
    const [one, two] = [new PortMain(), new PortMain()];
    one.other = two;
    two.other = one;
    return [one, two];
  }

  postMessage(message: unknown, transfer: unknown[] = []): void {
    if (transfer.length > 0) throw new TypeError("only a MessagePortMain can be transferred");
    refuseShared(message);
    const data = structuredClone(message);
    setImmediate(() => this.other.#arrive(data));
  }

  #arrive(data: unknown): void {
    if (this.#isClosed) return;
    if (this.#waiting === undefined) this.emit("message", { data, ports: [] });
    else this.#waiting.push(data);
  }

  start(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const data of waiting) setImmediate(() => this.#arrive(data));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    setImmediate(() => this.other.#die());
  }

  #die(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.emit("close");
  }
}

/** Memory is not shared between processes. */
function refuseShared(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  const { buffer } = value as { buffer?: unknown };
  if (value instanceof SharedArrayBuffer || buffer instanceof SharedArrayBuffer) {
    throw new DOMException("shared memory cannot be cloned", "DataCloneError");
  }
  if (!ArrayBuffer.isView(value)) for (const inner of Object.values(value)) refuseShared(inner);
}

/** Ends that carry no shared memory, as between processes. */
function pairApart(): [HeldPort, HeldPort] {
  return HeldPort.pair((message) => {
    refuseShared(message);
    return structuredClone(message);
  });
}

const pairs = {
  "ports of Node": (): [MessagePort, MessagePort] => {
    const { port1, port2 } = new MessageChannel();
    return [port1, port2];
  },
  "ports of the web": () => HeldPort.pair(),
  "ports of Electron's main process": () => PortMain.pair(),
};

describe.each(Object.entries(pairs))("%s", (_, makePair) => {
  test("carry jobs of every kind", async () => {
    const engine = kit.engine({ threads: 0 });
    const [engineEnd, clientEnd] = makePair();
    const exposure = exposeEngine(engine, engineEnd);
    const remote = connectEngine(clientEnd);
    expect(await remote.call(addOne, 1)).toBe(2);
    expect(await remote.map(addOne, range(10_000))).toEqual(range(10_000).map((value) => value + 1));
    expect(await remote.map(roots, Float64Array.of(4, 9))).toEqual(Float32Array.of(2, 3));
    const values = [new Date(7), new Map([[1, "one"]]), new Uint8Array([1, 2])];
    expect(await remote.map(echo, values)).toEqual(values);
    const streaming = remote.run(addOne, new Set(range(500)), { collect: false });
    expect(await collect(streaming.values())).toEqual(range(500).map((value) => value + 1));
    const error = await failure(remote.run(failOdd, [0, 1], { id: "odd" }).result, "TASK_FAILED");
    expect(error).toMatchObject({ index: 1, jobId: "odd", attempt: 1, cause: { name: "RangeError" } });
    await remote.close();
    await exposure.closed;
    expect(exposure.jobs).toBe(0);
  });

  test("tell each side when the other one closes", async () => {
    const engine = kit.engine({ threads: 0 });
    for (const closes of ["client", "engine"] as const) {
      const [engineEnd, clientEnd] = makePair();
      const exposure = exposeEngine(engine, engineEnd);
      const remote = connectEngine(clientEnd);
      const gate = new Gate();
      const items = clientEnd instanceof PortMain ? range(3) : range(3).map((value) => ({ value, gate: gate.shared }));
      const handle = remote.run(gated, items as never);
      const { result } = handle;
      result.catch(() => undefined);
      await until(() => exposure.jobs > 0 || handle.state !== "waiting");
      (closes === "client" ? clientEnd : engineEnd).close();
      await (closes === "client" ? exposure.closed : remote.closed);
      gate.open();
    }
    await engine.close({ deadlineMs: 0 });
    expect(engine.jobs()).toEqual([]);
  });

  test("have no listener of ours left when the connection is over", async () => {
    const engine = kit.engine({ threads: 0 });
    const [engineEnd, clientEnd] = makePair();
    const exposure = exposeEngine(engine, engineEnd);
    const remote = connectEngine(clientEnd);
    await remote.call(addOne, 1);
    await remote.close();
    await exposure.closed;
    for (const end of [engineEnd, clientEnd]) {
      for (const event of ["message", "messageerror", "close", "exit"]) {
        expect([event, end.listenerCount(event)]).toEqual([event, 0]);
      }
    }
  });
});

describe("a Worker", () => {
  test("that has the engine is an endpoint, and stays when the client leaves", async () => {
    const worker = startThread("engine-thread", { threads: 1 });
    const remote = connectEngine(worker);
    expect(await remote.map(addOne, range(1_000))).toHaveLength(1_000);
    const listeners = worker.listenerCount("message");
    await remote.close();
    expect(worker.listenerCount("message")).toBe(listeners - 1);
    expect(worker.threadId).toBeGreaterThan(0);
    await worker.terminate();
  });

  test("that is asked to close its engine does, and its client hears of it", async () => {
    const worker = startThread("engine-thread", { threads: 1 });
    const remote = connectEngine(worker);
    expect(await remote.call(addOne, 1)).toBe(2);
    expect(await remote.closeEngine()).toEqual({ leftBehind: [], cancelledJobs: [] });
    await failure(remote.run(addOne, [1]).result, "ENGINE_CLOSED");
    await worker.terminate();
    await remote.closed;
  });
});

describe("what cannot be sent on to this client", () => {
  const sharing = task<(value: number) => Promise<unknown>>(
    `data:text/javascript,${encodeURIComponent(`export default async (value, ctx) => {
      if (value === 4) ctx.detail(new SharedArrayBuffer(8));
      await new Promise((resolve) => setTimeout(resolve, 5));
      return value === 3 ? new SharedArrayBuffer(8) : value;
    }`)}`,
  );

  test.each([
    ["a value", (remote: RemoteEngine) => remote.call(sharing, 3)],
    [
      "a value of a job that goes on",
      (remote: RemoteEngine) => remote.map(sharing, [3, ...range(50)], { batchSize: 1 }),
    ],
    ["a detail", (remote: RemoteEngine) => remote.run(sharing, [4, ...range(3)], { batchSize: 1 }).result],
    [
      "a value in a loop that sets the pace",
      (remote: RemoteEngine) => collect(remote.run(sharing, [3, ...range(5_000)], { collect: false, maxInFlight: 2 })),
    ],
  ])("%s: fails the job there by name, once, and both sides are well", async (_, ask) => {
    const engine = kit.engine({ threads: 0, progressMs: 1 });
    const [engineEnd, clientEnd] = pairApart();
    const exposure = exposeEngine(engine, engineEnd);
    const remote = connectEngine(clientEnd);
    const error = await failure(ask(remote), "NOT_CLONEABLE");
    expect(error).toBeInstanceOf(TaskError);
    expect(error.message).toContain("cannot be sent to this client");
    await until(() => exposure.jobs === 0 && engine.jobs().length === 0);
    expect([exposure.jobs, engine.jobs()]).toEqual([0, []]);
    expect(await remote.call(addOne, 1)).toBe(2);
    await remote.close();
  });

  test("an answer: says so by its code", async () => {
    const engine = kit.engine({ threads: 0 });
    const [engineEnd, clientEnd] = pairApart();
    exposeEngine(engine, engineEnd);
    const remote = connectEngine(clientEnd);
    const handle = engine.run(addOne, [1], { id: "one" });
    handle.cancel(new SharedArrayBuffer(8));
    await rejection(handle.result);
    await failure(remote.job("one"), "NOT_CLONEABLE");
    expect(await remote.jobs()).toEqual([]);
    await remote.close();
  });
});

describe("an endpoint", () => {
  test("that carries a connection takes no second one, until that is over", async () => {
    const engine = kit.engine({ threads: 0 });
    const { port1, port2 } = new MessageChannel();
    const exposure = exposeEngine(engine, port1);
    expect(thrown(() => exposeEngine(engine, port1)).code).toBe("INVALID_ARGUMENT");
    const remote = connectEngine(port2);
    expect(thrown(() => connectEngine(port2))).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("MessageChannel for each") as string,
    });
    expect(await collect(remote.run(addOne, [1, 2]).values())).toEqual([2, 3]);
    await remote.close();
    await exposure.closed;
  });

  test("that was gone before settles all that is asked, as one that goes", async () => {
    const engine = kit.engine({ threads: 0 });
    const closed = new MessageChannel();
    closed.port2.close();
    await new Promise((resolve) => closed.port1.once("close", resolve));
    const worker = new Worker("", { eval: true });
    await new Promise((resolve) => worker.once("exit", resolve));
    for (const endpoint of [closed.port1, closed.port2, worker]) {
      const remote = connectEngine(endpoint);
      const handle = remote.run(addOne, [1]);
      await failure(handle.result, "ENGINE_CLOSED");
      await remote.closed;
      expect(remote.isConnected).toBe(false);
      const exposure = exposeEngine(engine, endpoint);
      await exposure.closed;
      expect(exposure.isOpen).toBe(false);
    }
  });

  test("may carry messages of others, which are left to them", async () => {
    const engine = kit.engine({ threads: 0 });
    const { port1, port2 } = new MessageChannel();
    const seen: unknown[] = [];
    port1.on("message", (message: unknown) => typeof message === "string" && seen.push(message));
    exposeEngine(engine, port1);
    const remote = connectEngine(port2);
    port2.postMessage("hello");
    expect(await remote.call(addOne, 1)).toBe(2);
    port2.postMessage("goodbye");
    expect(await remote.call(addOne, 2)).toBe(3);
    expect(seen).toEqual(["hello", "goodbye"]);
    await remote.close();
  });

  test.each([undefined, null, {}, 7, { postMessage: 1 }, { postMessage() {} }])(
    "that is %j is refused, and says so",
    (endpoint) => {
      expect(thrown(() => connectEngine(endpoint as never)).code).toBe("INVALID_ARGUMENT");
    },
  );

  test("whose message cannot be read ends the connection, and nothing waits for ever", async () => {
    const engine = kit.engine({ threads: 0 });
    const { port1, port2 } = new MessageChannel();
    const exposure = exposeEngine(engine, port1);
    const remote = connectEngine(port2);
    const gate = new Gate();
    const { result } = remote.run(gated, [{ value: 1, gate: gate.shared }]);
    await gate.arrived();
    port1.emit("messageerror", new Error("unreadable"));
    await exposure.closed;
    expect(await rejection(result)).toMatchObject({ code: "ENGINE_CLOSED" });
    gate.open();
  });
});
