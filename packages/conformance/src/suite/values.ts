/** Section 4, settling: what a job takes, and what its result holds. */
import { describe, expect, test } from "vitest";
import { collect, range } from "../assertions.js";
import { addOne, addOneLater, double, echo, nothing, textLength, vandal } from "../fixtures/index.js";
import { useKit } from "../leaks.js";
import type { Subject } from "../subject.js";

async function* later<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  for (const item of items) {
    await Promise.resolve();
    yield item;
  }
}

function* each<Item>(items: Iterable<Item>): Generator<Item> {
  yield* items;
}

export function valuesSuite(subject: Subject): void {
  describe("values", () => {
    const kit = useKit(subject);

    test("come in the order of the items, however many there are", async () => {
      const { values, failures, jobId, stats } = await kit.engine().run(addOne, range(20_000)).result;
      expect(values).toEqual(range(20_000).map((value) => value + 1));
      expect(failures).toEqual([]);
      expect(jobId).toMatch(/^job-/);
      expect(stats).toMatchObject({ items: 20_000, completed: 20_000, failed: 0, retries: 0 });
      expect(stats.batches).toBeGreaterThan(0);
      expect(stats.batches).toBeLessThan(20_000);
    });

    test("of an array without items are none, and the job completes", async () => {
      const handle = kit.engine().run(addOne, []);
      expect((await handle.result).values).toEqual([]);
      expect(handle.state).toBe("completed");
      expect(handle.progress).toMatchObject({ completed: 0, failed: 0, total: 0 });
    });

    test("of an empty iterator and an empty async iterator are none", async () => {
      const engine = kit.engine();
      expect(await engine.map(addOne, each<number>([]))).toEqual([]);
      expect(await engine.map(addOne, later<number>([]))).toEqual([]);
    });

    test.each([
      ["a generator", () => each(range(3_000))],
      ["an async generator", () => later(range(3_000))],
      ["a set", () => new Set(range(3_000))],
      ["a typed array", () => Uint16Array.from(range(3_000))],
      ["an array with holes", () => Object.assign(Array.from<number>({ length: 3_000 }), range(3_000))],
    ])("are taken from %s", async (_, source) => {
      const { values } = await kit.engine().run(addOne, source()).result;
      expect(values).toEqual(range(3_000).map((value) => value + 1));
    });

    test("of a handler that is async are the same", async () => {
      expect(await kit.engine().map(addOneLater, range(500))).toEqual(range(500).map((value) => value + 1));
    });

    test("come from a plain function, a default export and a CommonJS module", async () => {
      const engine = kit.engine();
      expect(await engine.call(addOne, 1)).toBe(2);
      expect(await engine.call(textLength, "four")).toBe(4);
      expect(await engine.call(double, 21)).toBe(42);
    });

    test("that are undefined are values", async () => {
      const engine = kit.engine();
      const handle = engine.run(nothing, range(100));
      const outcomes = await collect(handle);
      expect(outcomes).toHaveLength(100);
      expect(outcomes.every((outcome) => outcome.status === "completed" && "value" in outcome)).toBe(true);
      expect((await handle.result).values).toEqual(Array.from({ length: 100 }, () => undefined));
      expect(await collect(engine.run(nothing, range(3)).values())).toEqual([undefined, undefined, undefined]);
    });

    test("of every kind that can be cloned arrive as they were", async () => {
      const items = [
        null,
        undefined,
        0,
        -0,
        Number.NaN,
        10n,
        "text",
        true,
        new Date(7),
        new Map([[1, { two: 3 }]]),
        new Set(["a"]),
        /x/giu,
        [1, [2, [3]]],
        { nested: { list: [1, 2] } },
        new Uint8Array([1, 2, 3]),
        new Float64Array([1.5]),
        new ArrayBuffer(4),
        new Error("an error as a value"),
      ];
      expect(await kit.engine().map(echo, items)).toEqual(items);
    });

    test("of many numbers are exact: fractions, infinities, minus zero and NaN", async () => {
      const numbers = [0.1, -0, Infinity, -Infinity, Number.NaN, 2 ** 53 - 1, 5e-324];
      const items = range(500).map((index) => numbers[index % numbers.length]);
      expect(await kit.engine().map(echo, items)).toEqual(items);
    });

    test("with an own __proto__ key do not change a prototype", async () => {
      const item: unknown = JSON.parse('{"__proto__": {"polluted": 1}}');
      const value = (await kit.engine().call(echo, item)) as object;
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
      expect(Object.keys(value)).toEqual(["__proto__"]);
      expect((value as { polluted?: number }).polluted).toBeUndefined();
    });

    test("are copies: a handler that changes its item leaves the caller's alone", async () => {
      const item = { list: [1, 2] };
      expect(await kit.engine().call(vandal, item)).toBe(3);
      expect(item).toEqual({ list: [1, 2] });
    });

    test.each([
      ["loses some", (items: number[]) => items.splice(0, 1_000)],
      ["gets more", (items: number[]) => items.push(1)],
    ])("fail the job by name when the caller's array %s during the job", async (_, change) => {
      const items = range(100_000);
      const handle = kit.engine().run(addOne, items);
      change(items);
      await expect(handle.result).rejects.toMatchObject({
        code: "SOURCE_FAILED",
        message: expect.stringMatching(/the array had 100000 items .*, and has \d+ now: .* give run a copy/) as string,
      });
      expect(await kit.engine().map(addOne, [1])).toEqual([2]);
    });

    test("are not looked at again once the job has ended", async () => {
      const items = range(10);
      const handle = kit.engine().run(addOne, items);
      await handle.result;
      items.length = 0;
      expect((await handle.result).values).toEqual(range(10).map((value) => value + 1));
    });

    test("of jobs side by side are not mixed up", async () => {
      const engine = kit.engine();
      const starts = range(30).map((start) => start * 100);
      const results = await Promise.all(
        starts.map((start) =>
          engine.map(
            addOne,
            range(100).map((at) => start + at),
          ),
        ),
      );
      expect(results.flat()).toEqual(range(3_000).map((value) => value + 1));
    });

    test("are the same for every batch size", async () => {
      const engine = kit.engine();
      const expected = range(100).map((value) => value + 1);
      for (const batchSize of [1, 7, 100, 1_000]) {
        const { values, stats } = await engine.run(addOne, range(100), { batchSize }).result;
        expect(values).toEqual(expected);
        expect(stats.batches).toBeGreaterThanOrEqual(Math.ceil(100 / batchSize));
      }
    });

    test("are shared by all who ask for the result, which is made once", async () => {
      const handle = kit.engine().run(addOne, [1]);
      expect(handle.result).toBe(handle.result);
      const [first, second] = await Promise.all([handle.result, handle.result]);
      expect(first).toBe(second);
    });

    test("of call and map are bare", async () => {
      const engine = kit.engine();
      expect(await engine.call(addOne, 41)).toBe(42);
      expect(await engine.map(addOne, [1, 2])).toEqual([2, 3]);
    });
  });
}
