/** A peer that is broken or hostile: what it sends is ignored or refused, and hurts nobody else. */
import { MessageChannel } from "node:worker_threads";
import { createEngine } from "@threadmill/engine";
import { connectEngine, exposeEngine } from "@threadmill/engine/remote";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { collect, failure, range, rejection, thrown } from "../src/assertions.js";
import { addOne, gated } from "../src/fixtures/index.js";
import { Gate } from "../src/gate.js";
import { HeldPort } from "../src/remote/held-port.js";
import { aWhile, until, useKit } from "../src/leaks.js";

const kit = useKit({ createEngine, slots: 1, lacks: {}, engineOptions: {} });

const TAG = "threadmill.remote";
const methods = ["run", "cancel", "leave", "pause", "resume", "listen", "read", "observe", "jobs", "cancelJob", "warm"];

const call = (name: unknown, ...args: unknown[]) => [
  TAG,
  1,
  "call",
  { id: "1", type: "APPLY", path: [name], argumentList: args.map((value) => ({ type: "RAW", value })) },
];

const request = {
  key: 1,
  task: { url: addOne.url, exportName: addOne.exportName },
  id: "forged",
  isNamed: true,
  items: { kind: "list", items: [1, 2] },
  options: {},
  listensTo: [],
  isQuiet: false,
};

/** A clone of it takes a few bytes; a copy would take a hundred megabytes. */
const holes: unknown[] = [];
holes.length = 10_000_000;

const garbage: readonly (readonly [what: string, message: unknown])[] = [
  ["nothing", undefined],
  ["null", null],
  ["a text", "hello"],
  ["a foreign message", { type: "hello" }],
  ["an empty array", []],
  ["a tag alone", [TAG]],
  ["an unknown kind", [TAG, 1, "dance", {}]],
  ["a call without a body", [TAG, 1, "call"]],
  ["a call of null", [TAG, 1, "call", null]],
  ["a call without a path", [TAG, 1, "call", { id: "1", type: "APPLY", argumentList: [] }]],
  [
    "a path to the constructor",
    [
      TAG,
      1,
      "call",
      {
        id: "1",
        type: "APPLY",
        path: ["constructor", "constructor"],
        argumentList: [{ type: "RAW", value: "process.exit(1)" }],
      },
    ],
  ],
  [
    "a path to a prototype",
    [TAG, 1, "call", { id: "1", type: "SET", path: ["__proto__", "polluted"], value: { type: "RAW", value: 1 } }],
  ],
  ["a path to a property", [TAG, 1, "call", { id: "1", type: "GET", path: ["run"], argumentList: [] }]],
  ["a release", [TAG, 1, "call", { id: "1", type: "RELEASE", path: [], argumentList: [] }]],
  [
    "an argument of an unknown handler",
    [
      TAG,
      1,
      "call",
      { id: "1", type: "APPLY", path: ["jobs"], argumentList: [{ type: "HANDLER", name: "nobody", value: 1 }] },
    ],
  ],
  [
    "an argument that is a proxy",
    [
      TAG,
      1,
      "call",
      { id: "1", type: "APPLY", path: ["jobs"], argumentList: [{ type: "HANDLER", name: "proxy", value: {} }] },
    ],
  ],
  ["an answer to nothing", [TAG, 1, "answer", { id: "nobody", type: "RAW", value: { ok: true } }]],
  ["an answer that throws", [TAG, 1, "answer", { id: "1", type: "HANDLER", name: "throw", value: null }]],
  ["a method that is none", call("toString")],
  ["a run of nothing", call("run")],
  ["a run of null", call("run", null)],
  ["a run without a key", call("run", { ...request, key: "one" })],
  ["a run without a task", call("run", { ...request, task: null })],
  ["a run of a task without a URL", call("run", { ...request, task: { url: 1, exportName: 2 } })],
  ["a run without items", call("run", { ...request, items: undefined })],
  ["a run of items of an unknown kind", call("run", { ...request, items: { kind: "cake" } })],
  ["a run of a list that is none", call("run", { ...request, items: { kind: "list", items: { length: 1e9 } } })],
  ["a run of a list of holes", call("run", { ...request, items: { kind: "list", items: holes } })],
  [
    "a run of positions that are holes",
    call("run", { ...request, items: { kind: "list", items: [1], uncloneable: holes } }),
  ],
  ["a run of a column that is none", call("run", { ...request, items: { kind: "column", items: [1] } })],
  ["a run with a signal", call("run", { ...request, options: { signal: {} } })],
  ["a run with an unknown option", call("run", { ...request, options: { fast: true } })],
  ["a run without an id", call("run", { ...request, id: undefined })],
  ["a run that listens to anything", call("run", { ...request, listensTo: ["constructor"] })],
  ["task options without a key", call("run", { ...request, taskOptions: { value: 1 } })],
  ["a cancel of an unknown key", call("cancel", 99, { kind: "value", value: 1 })],
  ["a pause of nothing", call("pause")],
  ["a listen to nothing", call("listen", 1, "nothing")],
  ["an observation without a key", call("observe", {}, "id")],
  ["a cancel by a nonsense reason", call("cancelJob", "x", 7)],
  ["a close", call("close", {})],
];

describe("an engine", () => {
  test.each(garbage)("is not hurt by %s", async (_, message) => {
    const engine = kit.engine({ threads: 0 });
    const { port1, port2 } = new MessageChannel();
    const exposure = exposeEngine(engine, port1);
    port2.on("message", () => undefined);
    port2.postMessage(message);
    // A message behind it, so that it has been read when that is answered.
    const answered = new Promise((resolve) => port2.on("message", resolve));
    port2.postMessage(call("jobs"));
    await answered;
    expect(exposure.isOpen).toBe(true);
    expect(engine.jobs()).toEqual([]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(await engine.map(addOne, [1])).toEqual([2]);
    port2.close();
    await exposure.closed;
  });

  test("is not hurt by anything that is drawn, between messages that are right", async () => {
    const engine = kit.engine({ threads: 0 });
    const value = fc.anything({ withNullPrototype: true, withTypedArray: true, withBigInt: true });
    const frame = fc.oneof(
      value,
      fc.tuple(fc.constant(TAG), fc.constant(1), fc.constantFrom("call", "answer", "dance"), value),
      fc.tuple(fc.constantFrom(...methods), value, value).map(([name, one, two]) => call(name, one, two)),
      fc
        .tuple(fc.constantFrom(...Object.keys(request)), value)
        .map(([name, one]) => call("run", { ...request, [name]: one })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 20 }), async (frames) => {
        const [engineEnd, clientEnd] = HeldPort.pair();
        const exposure = exposeEngine(engine, engineEnd);
        for (const one of frames) {
          try {
            clientEnd.postMessage(one);
          } catch {
            // What cannot be cloned cannot be sent either.
          }
        }
        await until(() => engineEnd.waiting.length === 0);
        exposure.close();
        expect(exposure.jobs).toBe(0);
      }),
      { numRuns: 150 },
    );
    await engine.close({ deadlineMs: 0 });
    expect(engine.jobs()).toEqual([]);
  });

  test("refuses more items than it has asked for", async () => {
    const engine = kit.engine({ threads: 0 });
    const [engineEnd, clientEnd] = HeldPort.pair();
    const exposure = exposeEngine(engine, engineEnd);
    clientEnd.addEventListener("message", ({ data }) => {
      const [, , kind, body] = data as [string, number, string, { id: string; path?: string[] }];
      if (kind !== "call" || body.path?.[0] !== "items") return;
      const items = range(1_000_000);
      clientEnd.postMessage([
        TAG,
        1,
        "answer",
        { id: body.id, type: "RAW", value: { ok: true, value: { items, isEnded: false } } },
      ]);
    });
    clientEnd.postMessage(call("run", { ...request, items: { kind: "pulled", isList: true } }));
    await until(() => engine.job("forged")?.state === "failed");
    expect(engine.job("forged")).toMatchObject({ state: "failed", error: { code: "SOURCE_FAILED" } });
    exposure.close();
  });

  test("reads no more causes of a reason than there may be", async () => {
    const engine = kit.engine({ threads: 0 });
    const { port1, port2 } = new MessageChannel();
    const exposure = exposeEngine(engine, port1);
    const gate = new Gate();
    const handle = engine.run(gated, [{ value: 1, gate: gate.shared }], { id: "one" });
    const reason: Record<string, unknown> = { kind: "error", record: { name: "Error", message: "its own cause" } };
    reason["cause"] = reason;
    port2.postMessage(call("cancelJob", "one", reason));
    const causes: unknown[] = [];
    for (let error = (await rejection(handle.result)) as Error | undefined; error; error = error.cause as Error) {
      causes.push(error.message);
    }
    expect(new Set(causes)).toEqual(new Set(["its own cause"]));
    expect(causes.length).toBeLessThan(10);
    gate.open();
    port2.close();
    await exposure.closed;
  });

  test.each(["an error", "a throw"])("gives a client up that answers all news with %s", async (how) => {
    const engine = kit.engine({ threads: 0 });
    const [engineEnd, clientEnd] = HeldPort.pair();
    const exposure = exposeEngine(engine, engineEnd);
    let heard = 0;
    clientEnd.addEventListener("message", ({ data }) => {
      const [, , kind, { id }] = data as [string, number, string, { id: string }];
      if (kind !== "call") return;
      heard++;
      const refused = { id, type: "RAW", value: { ok: false, error: { kind: "value", value: 1 } } };
      const threw = { id, type: "HANDLER", name: "throw", value: { isError: false, value: 1 } };
      clientEnd.postMessage([TAG, 1, "answer", how === "a throw" ? threw : refused]);
    });
    clientEnd.postMessage(call("run", request));
    await until(() => heard > 0 && exposure.jobs === 0);
    await aWhile();
    expect([exposure.jobs, engine.jobs()]).toEqual([0, []]);
    expect(heard).toBeLessThan(10);
    exposure.close();
  });

  test("that speaks another version says so to both sides", async () => {
    const engine = kit.engine({ threads: 0 });
    const [engineEnd, clientEnd] = HeldPort.pair((message) => {
      const copy = structuredClone(message) as unknown[];
      if (copy[2] === "call") copy[1] = 99;
      return copy;
    });
    const exposure = exposeEngine(engine, engineEnd);
    const remote = connectEngine(clientEnd);
    const error = await failure(remote.call(addOne, 1), "PROTOCOL_MISMATCH").catch((other: unknown) => other);
    expect(error).toBeInstanceOf(Error);
    await exposure.closed;
    await remote.closed;
  });

  test("does what a client may, and nothing more", async () => {
    const engine = kit.engine({ threads: 0 });
    const { port1, port2 } = new MessageChannel();
    exposeEngine(engine, port1, { mayRun: ({ exportName }) => exportName === "addOne" });
    const remote = connectEngine(port2);
    expect(await remote.call(addOne, 1)).toBe(2);
    const other = { ...addOne, exportName: "other" };
    expect((await failure(remote.call(other, 1), "INVALID_ARGUMENT")).message).toContain("may not run");
    await failure(remote.warm(other), "INVALID_ARGUMENT");
    await failure(remote.closeEngine(), "INVALID_ARGUMENT");
    expect(await remote.call(addOne, 1)).toBe(2);
    await remote.close();
  });
});

describe("mayRun", () => {
  const connectWith = (mayRun: (task: { url: string }) => unknown) => {
    const engine = kit.engine({ threads: 0 });
    const { port1, port2 } = new MessageChannel();
    const exposure = exposeEngine(engine, port1, { mayRun: mayRun as () => boolean });
    return { engine, exposure, remote: connectEngine(port2) };
  };

  test.each([
    ["a promise", Promise.resolve(false)],
    ["a text", "no"],
    ["nothing", undefined],
  ])("that answers %s has not allowed anything", async (_, answer) => {
    const { remote } = connectWith(() => answer);
    expect((await failure(remote.call(addOne, 1), "INVALID_ARGUMENT")).message).toContain("may not run");
    await remote.close();
  });

  test("is asked about the module that would be loaded, wherever its path seems to lead", async () => {
    const { href } = new URL("./", addOne.url);
    const asked: string[] = [];
    const { remote } = connectWith(({ url }) => {
      asked.push(url);
      return url.startsWith(`${href}safe/`);
    });
    for (const url of [`${href}safe/../plain.js`, `${href}safe/%2e%2e/plain.js`]) {
      expect((await failure(remote.call({ ...addOne, url }, 1), "INVALID_ARGUMENT")).message).toContain("may not run");
    }
    expect(asked).toEqual([addOne.url, addOne.url]);
    await failure(remote.call({ ...addOne, url: "node:child_process" }, 1), "INVALID_ARGUMENT");
    await remote.close();
  });

  test("that ends the connection leaves nothing behind", async () => {
    const { engine, exposure, remote } = connectWith(() => {
      exposure.close();
      return true;
    });
    await failure(remote.call(addOne, 1), "ENGINE_CLOSED");
    expect([engine.jobs(), exposure.jobs]).toEqual([[], 0]);
  });
});

describe("exposeEngine", () => {
  test.each([
    ["a misspelt option", { mayrun: () => false }, "mayrun"],
    ["an option of the wrong kind", { mayRun: true }, "mayRun"],
    ["no options", null, "options"],
    ["options that are none", 7, "options"],
  ])("refuses %s by name, and the endpoint is free", async (_, options, name) => {
    const engine = kit.engine({ threads: 0 });
    const { port1, port2 } = new MessageChannel();
    const error = thrown(() => exposeEngine(engine, port1, options as never));
    expect([error.code, error.message]).toEqual(["INVALID_ARGUMENT", expect.stringContaining(name)]);
    exposeEngine(engine, port1);
    const remote = connectEngine(port2);
    expect(await remote.call(addOne, 1)).toBe(2);
    await remote.close();
  });

  test.each([undefined, null, {}, 7])("refuses %j as an engine", (engine) => {
    const { port1 } = new MessageChannel();
    expect(thrown(() => exposeEngine(engine as never, port1)).code).toBe("INVALID_ARGUMENT");
    port1.close();
  });
});

describe("a client", () => {
  test.each([0, -1, null, Number.NaN])("that is asked for %s items refuses, and works on", async (max) => {
    const [engineEnd, clientEnd] = HeldPort.pair();
    const answers: unknown[] = [];
    engineEnd.addEventListener("message", ({ data }) => {
      const [, , kind, body] = data as [string, number, string, { path?: string[]; value?: unknown }];
      if (kind === "answer") answers.push(body.value);
      else if (body.path?.[0] === "run") engineEnd.postMessage(call("items", 1, max));
    });
    const remote = connectEngine(clientEnd);
    const { result } = remote.run(addOne, new Set(range(10)));
    result.catch(() => undefined);
    await until(() => answers.length > 0);
    expect(answers).toMatchObject([{ ok: false, error: { record: { code: "INVALID_ARGUMENT" } } }]);
    await remote.close();
  });

  const standing = { state: "running", turn: 0, progress: { completed: 0, failed: 0 } };
  const answer = (id: string, value: unknown) => [TAG, 1, "answer", { id, type: "RAW", value: { ok: true, value } }];

  test.each([
    ["an empty answer", null, []],
    ["a stop without an end", { fromCache: false }, [{ standing, events: [], runs: [], isStopped: true }]],
    [
      "an end whose values are none",
      { fromCache: false },
      [{ standing, events: [], runs: [{ start: 0 }], isStopped: true, end: { state: "completed" } }],
    ],
    ["news that are none", { fromCache: false }, [null, 7, {}]],
  ])("settles all that it was asked for when it closes, after %s", async (_, admitted, news) => {
    const [engineEnd, clientEnd] = HeldPort.pair();
    engineEnd.addEventListener("message", ({ data }) => {
      const [, , kind, { id, path }] = data as [string, number, string, { id: string; path?: string[] }];
      if (kind !== "call") return;
      engineEnd.postMessage(answer(id, path?.[0] === "run" ? admitted : null));
      if (path?.[0] === "run") for (const one of news) engineEnd.postMessage(call("news", 1, one));
    });
    const remote = connectEngine(clientEnd);
    const handle = remote.run(addOne, [1]);
    const settled = Promise.allSettled([handle.result, collect(handle), handle.pause()]);
    handle.resume();
    await aWhile();
    await remote.close();
    await settled;
    expect(["completed", "cancelled"]).toContain(handle.state);
  });

  test("is not hurt by what an engine's side should not say", async () => {
    const [engineEnd, clientEnd] = HeldPort.pair();
    const remote = connectEngine(clientEnd);
    for (const [, message] of garbage) engineEnd.postMessage(message);
    for (const name of ["news", "items", "closeItems"]) {
      for (const args of [[], [1], ["x", null], [1, {}]]) engineEnd.postMessage(call(name, ...args));
    }
    await until(() => clientEnd.waiting.length === 0);
    await aWhile();
    expect(remote.isConnected).toBe(true);
    await remote.close();
  });
});
