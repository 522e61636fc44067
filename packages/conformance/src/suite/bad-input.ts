/** "Bad input, and what it gets": a clear error that names the thing, at once, and nothing has changed. */
import { type Engine, type EngineOptions, InvalidArgumentError, type RunOptions, task } from "@threadmill/engine";
import { describe, expect, test } from "vitest";
import { collect, expectUsable, failure, range, thrown } from "../assertions.js";
import { addOne, gated } from "../fixtures/index.js";
import { Gate } from "../gate.js";
import { aWhile, useKit } from "../leaks.js";
import type { Subject } from "../subject.js";

/** Options that a compiler would refuse: people write JavaScript too. */
const wrongRunOptions: readonly (readonly [name: string, options: unknown])[] = [
  ["options", null],
  ["options", "fast"],
  ["id", ""],
  ["id", 7],
  ["id", "x".repeat(1_001)],
  ["signal", {}],
  ["signal", new AbortController()],
  ["onError", "ignore"],
  ["retry", 3],
  ["retry", null],
  ["retry.attempts", { attempts: 0 }],
  ["retry.attempts", { attempts: 1.5 }],
  ["retry.attempts", { attempts: "3" }],
  ["retry.backoffMs", { backoffMs: -1 }],
  ["retry.maxBackoffMs", { maxBackoffMs: Number.NaN }],
  ["retry.jitter", { jitter: 2 }],
  ["retries", { retries: 3 }],
  ["timeoutMs", 0],
  ["timeoutMs", -5],
  ["timeoutMs", Infinity],
  ["weight", 0],
  ["weight", Number.NaN],
  ["weight", "1"],
  ["ordered", "yes"],
  ["collect", 1],
  ["fresh", null],
  ["maxInFlight", 0],
  ["maxInFlight", 2.5],
  ["weigh", 5],
  ["maxInFlightBytes", 100],
  ["concurrency", 0],
  ["concurrency", 5_000],
  ["batchSize", 0],
  ["batchSize", -3],
  ["total", -1],
  ["timeout", 100],
  ["Signal", AbortSignal.abort()],
];

function runOptions(name: string, value: unknown): RunOptions<number, undefined> {
  if (name === "options") return value as RunOptions<number, undefined>;
  if (name.startsWith("retry.") || name === "retries") return { retry: value } as never;
  return { [name]: value };
}

const wrongItems: readonly (readonly [name: string, items: unknown, named: string])[] = [
  ["a string", "photos", "string"],
  ["a Buffer", Buffer.from("photos"), "Buffer"],
  ["a number", 7, "number"],
  ["null", null, "null"],
  ["undefined", undefined, "undefined"],
  ["a plain object", { length: 3 }, "object"],
  ["a function", () => [], "function"],
  ["a promise", Promise.resolve([1]), "promise"],
  ["a DataView", new DataView(new ArrayBuffer(8)), "object"],
  ["an ArrayBuffer", new ArrayBuffer(8), "object"],
  ["numbers whose memory was transferred away", detached(), "detached"],
];

function detached(): Float64Array {
  const numbers = Float64Array.of(1, 2);
  structuredClone(numbers, { transfer: [numbers.buffer] });
  return numbers;
}

const wrongEngineOptions: readonly (readonly [name: string, value: unknown])[] = [
  ["threads", -1],
  ["threads", 1.5],
  ["threads", "2"],
  ["threads", 5_000],
  ["batchMs", 0],
  ["batchMs", Number.NaN],
  ["maxBatchItems", 0],
  ["maxJobs", 0],
  ["graceMs", -1],
  ["graceMs", Infinity],
  ["progressMs", 0],
  ["keepWarm", 0],
  ["results.maxEntries", { maxEntries: 0 }],
  ["results.maxBytes", { maxBytes: -1 }],
  ["results", 5],
  ["maxEntires", { maxEntires: 5 }],
  ["thread", 2],
];

export function badInputSuite(subject: Subject): void {
  describe("bad input to run", () => {
    const kit = useKit(subject);
    const usable = (engine: Engine): Promise<void> => expectUsable(engine, () => engine.run(addOne, [1]));

    test.each(wrongRunOptions)("%s: %j is refused by name, at once, and nothing has changed", async (name, value) => {
      const engine = kit.engine();
      const error = thrown(() => engine.run(addOne, range(5), runOptions(name, value)));
      expect(error.code).toBe("INVALID_ARGUMENT");
      expect(error.message).toContain(name);
      await usable(engine);
    });

    test("weigh without maxInFlightBytes is refused", () => {
      const engine = kit.engine();
      expect(thrown(() => engine.run(addOne, [1], { weigh: () => 1 })).code).toBe("INVALID_ARGUMENT");
    });

    test.each(wrongItems)("items that are %s are refused, and the message says what came", async (_, items, named) => {
      const engine = kit.engine();
      const error = thrown(() => engine.run(addOne, items as number[]));
      expect(error.code).toBe("INVALID_ARGUMENT");
      expect(error.message).toContain("items");
      expect(error.message).toContain(named);
      await usable(engine);
    });

    test.each([
      ["nothing", undefined],
      ["a function", (value: number) => value],
      ["an empty object", {}],
      ["null", null],
    ])("a task that is %s is refused", async (_, reference) => {
      const engine = kit.engine();
      const error = thrown(() => engine.run(reference as never, [1] as never[]));
      expect(error.code).toBe("INVALID_ARGUMENT");
      expect(error.message).toContain("task(");
      await usable(engine);
    });

    test.each([
      ["a function", { compute: () => 1 }],
      ["a signal", { signal: new AbortController().signal }],
      ["a URL", { url: new URL("file:///x") }],
      ["a symbol", { mark: Symbol("no") }],
    ])("task options that hold %s are refused: they could not travel", async (_, options) => {
      const engine = kit.engine();
      const error = thrown(() => engine.run(addOne, [1], { options } as never));
      expect(error.code).toBe("INVALID_ARGUMENT");
      expect(error.message).toContain("options");
      await usable(engine);
    });

    test("more than maxJobs live jobs are refused, until one has ended", async () => {
      const engine = kit.engine({ maxJobs: 2 });
      const gate = new Gate();
      const handles = range(2).map((value) =>
        engine.run(gated, [{ value, gate: gate.shared }], { id: `job ${value}` }),
      );
      const error = thrown(() => engine.run(gated, [{ value: 3 }]));
      expect(error).toMatchObject({ code: "QUEUE_FULL", maxJobs: 2 });
      expect(error.message).toContain("2");
      expect(engine.jobs()).toHaveLength(2);
      await failure(engine.call(addOne, 1), "QUEUE_FULL");
      // Joining a live job is no new one.
      const joined = engine.run(gated, [], { id: "job 0" });
      gate.open();
      await Promise.all([...handles, joined].map((handle) => handle.result));
      expect(await engine.map(addOne, [1])).toEqual([2]);
    });

    test("does not open or pull the source", async () => {
      const engine = kit.engine();
      let opened = 0;
      const items: Iterable<number> = {
        [Symbol.iterator]: () => {
          opened++;
          return [][Symbol.iterator]();
        },
      };
      thrown(() => engine.run(addOne, items, { weight: -1 }));
      await aWhile();
      expect(opened).toBe(0);
    });

    test("leaves no listener on the signal", () => {
      const { signal } = kit.controller();
      const engine = kit.engine();
      const errors = [
        thrown(() => engine.run(addOne, "items" as never, { signal })),
        thrown(() => engine.run(addOne, [1], { signal, weight: -1 })),
        thrown(() => engine.run(addOne, [1], { signal, options: () => 1 } as never)),
      ];
      // The kit looks at the signal.
      expect(errors.map(({ code }) => code)).toEqual(errors.map(() => "INVALID_ARGUMENT"));
    });

    test("call and map reject rather than throw", async () => {
      const engine = kit.engine();
      await failure(engine.map(addOne, "text" as never), "INVALID_ARGUMENT");
      await failure(engine.map(undefined as never, [1] as never), "INVALID_ARGUMENT");
      await failure(engine.call(addOne, 1, { weight: -1 }), "INVALID_ARGUMENT");
      await failure(engine.map(addOne, [1], { onError: "collect" }), "INVALID_ARGUMENT");
      await failure(engine.map(addOne, [1], { collect: false }), "INVALID_ARGUMENT");
      expect(await failure(engine.warm(undefined as never), "INVALID_ARGUMENT")).toBeInstanceOf(InvalidArgumentError);
      await usable(engine);
    });
  });

  describe("bad input to createEngine", () => {
    test.each(wrongEngineOptions)("%s: %j is refused by name", async (name, value) => {
      const options = (
        name.startsWith("results.") || name === "maxEntires" ? { results: value } : { [name]: value }
      ) as EngineOptions;
      let engine: Engine | undefined;
      try {
        const error = thrown(() => (engine = subject.createEngine(options)));
        expect(error.code).toBe("INVALID_ARGUMENT");
        expect(error.message).toContain(name);
      } finally {
        await engine?.close({ deadlineMs: 0 });
      }
    });
  });

  describe("bad input to task", () => {
    test.each([
      ["a relative path", "./task.js"],
      ["a bare name", "task"],
      ["a remote URL", "https://example.com/task.js"],
      ["a remote URL object", new URL("https://example.com/task.js")],
      ["a file URL with a host", new URL("file://host/task.js")],
      ["nothing", undefined],
      ["a number", 7],
    ])("%s is refused", (_, module) => {
      const error = thrown(() => task(module as string));
      expect(error.code).toBe("INVALID_ARGUMENT");
      expect(error.message).toContain("task");
    });

    test("an empty export name is refused", () => {
      expect(thrown(() => task("/tmp/x.js", "")).code).toBe("INVALID_ARGUMENT");
    });

    test("absolute paths, file URLs and data URLs are taken", async () => {
      const engine = subject.createEngine();
      try {
        const source = "export default (value) => value + 1;";
        const reference = task<(value: number) => number>(`data:text/javascript,${encodeURIComponent(source)}`);
        expect(await collect(engine.run(reference, [1]).values())).toEqual([2]);
        const path = new URL(addOne.url).pathname;
        expect(await engine.map(task<(value: number) => number>(decodeURIComponent(path), "addOne"), [1])).toEqual([2]);
      } finally {
        await engine.close();
      }
    });
  });
}
