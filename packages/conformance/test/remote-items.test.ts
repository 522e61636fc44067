/** The items of a remote job: they lie with the client that brought them, whoever wants the job by then. */
import { MessageChannel } from "node:worker_threads";
import { createEngine } from "@threadmill/engine";
import { connectEngine, exposeEngine } from "@threadmill/engine/remote";
import { describe, expect, test } from "vitest";
import { failure, range, rejection, thrown } from "../src/assertions.js";
import { addOne, echo, failOdd, gated } from "../src/fixtures/index.js";
import { Gate } from "../src/gate.js";
import { until, useKit } from "../src/leaks.js";

const kit = useKit({ createEngine, slots: 1, lacks: {}, engineOptions: {} });

function connect() {
  const engine = kit.engine({ threads: 0 });
  const join = () => {
    const { port1, port2 } = new MessageChannel();
    exposeEngine(engine, port1);
    return connectEngine(port2);
  };
  return { engine, join, remote: join() };
}

describe("a client that leaves a job by its signal, while others go on with it", () => {
  test("still gives the items that it has brought", async () => {
    const { join, remote } = connect();
    const other = join();
    const controller = kit.controller();
    const gate = new Gate();
    let isClosed = false;
    async function* source() {
      try {
        for (const value of range(300)) yield await Promise.resolve({ value, gate: gate.shared });
      } finally {
        isClosed = true;
      }
    }
    const leaving = remote.run(gated, source(), { id: "album", signal: controller.signal, maxInFlight: 10 });
    await gate.arrived();
    const staying = other.run(gated, [], { id: "album" });
    await until(() => staying.state === "running");
    controller.abort("leaving");
    expect(await rejection(leaving.result)).toBe("leaving");
    expect(isClosed).toBe(false);
    gate.open();
    expect((await staying.result).values).toEqual(range(300));
    await leaving.stopped;
    await Promise.all([remote.close(), other.close()]);
  });

  test("closes its source when the last one has left", async () => {
    const { engine, join, remote } = connect();
    const other = join();
    const [one, two] = [kit.controller(), kit.controller()];
    let returned = 0;
    const source = {
      [Symbol.asyncIterator]: () => source,
      next: () => new Promise<IteratorResult<number>>(() => undefined),
      return: () => Promise.resolve({ done: true as const, value: ++returned }),
    };
    const first = remote.run(addOne, source, { id: "album", signal: one.signal });
    await until(() => engine.jobs().length === 1);
    const second = other.run(addOne, [], { id: "album", signal: two.signal });
    await until(() => second.state === "running" || engine.job("album") !== undefined);
    one.abort("one");
    expect([await rejection(first.result), returned]).toEqual(["one", 0]);
    two.abort("two");
    await rejection(second.result);
    await first.stopped;
    expect(returned).toBe(1);
    await Promise.all([remote.close(), other.close()]);
  });
});

describe("an array", () => {
  test("that loses items while they are sent fails the job by name", async () => {
    const { remote } = connect();
    const gate = new Gate();
    const items = range(10_000).map((value) => ({ value, gate: gate.shared }));
    const handle = remote.run(gated, items);
    await gate.arrived();
    items.length = 5_000;
    gate.open();
    const error = await failure(handle.result, "SOURCE_FAILED");
    expect(error.cause).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("had 10000 items") as string,
    });
    await remote.close();
  });

  test.each([60, 6_000])("that cannot be read fails the job with its error as the cause: %i items", async (count) => {
    const { remote } = connect();
    const cause = new RangeError("unreadable");
    const items = range(count);
    Object.defineProperty(items, count - 10, {
      get() {
        throw cause;
      },
    });
    expect((await failure(remote.run(addOne, items).result, "SOURCE_FAILED")).cause).toBe(cause);
    await remote.close();
  });
});

describe("an item that cannot be read", () => {
  const throwing = () => {
    throw new Error("unreadable");
  };
  test.each([
    ["a getter that throws", Object.defineProperty({}, "x", { get: throwing, enumerable: true })],
    ["a proxy that throws", new Proxy({}, { ownKeys: throwing, getPrototypeOf: throwing })],
  ])("fails alone, and the client works on: %s", async (_, item) => {
    const { remote } = connect();
    for (const items of [[1, item, 3], new Set([1, item, 3])]) {
      const { values, failures } = await remote.run(echo, items, { onError: "collect" }).result;
      expect(values).toEqual([1, undefined, 3]);
      expect(failures).toMatchObject([{ index: 1, error: { code: "NOT_CLONEABLE" } }]);
    }
    expect(await remote.call(addOne, 1)).toBe(2);
    await remote.close();
  });
});

test("options may be inherited, as without a port", async () => {
  const { engine, remote } = connect();
  const options = Object.create({ onError: "collect", retry: { attempts: 2, backoffMs: 1 } }) as { onError: "collect" };
  for (const { result } of [engine.run(failOdd, [0, 1], options), remote.run(failOdd, [0, 1], options)]) {
    expect((await result).failures).toMatchObject([{ index: 1, attempt: 2 }]);
  }
  await remote.close();
});

test.each([[null], [undefined], ["a text"], [new Error("unreadable")]])(
  "options that throw %s when they are read are refused by name, as without a port",
  async (reason) => {
    const { engine, remote } = connect();
    const options = Object.defineProperty({}, "model", {
      enumerable: true,
      get() {
        // oxlint-disable-next-line typescript/only-throw-error -- getters of others may throw anything
        throw reason;
      },
    });
    const run = (one: Pick<typeof remote, "run">) => one.run(echo, [1], { options } as never);
    const errors = [engine as unknown as typeof remote, remote].map((one) => thrown(() => run(one)));
    expect(errors.map(({ code }) => code)).toEqual(["INVALID_ARGUMENT", "INVALID_ARGUMENT"]);
    expect(errors[1]?.message).toBe(errors[0]?.message);
    await remote.close();
  },
);

test("options are as they were when run was called", async () => {
  const { remote } = connect();
  const retry = { attempts: 1 };
  const handle = remote.run(addOne, [1], { retry });
  retry.attempts = -1;
  expect((await handle.result).values).toEqual([2]);
  await remote.close();
});
