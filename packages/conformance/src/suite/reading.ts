/** Section 4, reading: loops over a job that collects. */
import { describe, expect, test } from "vitest";
import { byIndex, collect, failure, range, rejection, valuesOf } from "../assertions.js";
import { addOne, failOdd, gated } from "../fixtures/index.js";
import { Gate } from "../gate.js";
import { useKit } from "../leaks.js";
import type { Subject } from "../subject.js";

export function readingSuite(subject: Subject): void {
  describe("reading", () => {
    const kit = useKit(subject);

    test("a loop gets every outcome exactly once, with its index", async () => {
      const outcomes = await collect(kit.engine().run(addOne, range(5_000)));
      expect(byIndex(outcomes)).toEqual(
        range(5_000).map((index) => ({ index, status: "completed", value: index + 1, attempt: 1 })),
      );
    });

    test("outcomes come as items end, not in the order of the input", async () => {
      const first = new Gate();
      // Four at a time in one thread: item 0 waits while the others pass.
      const items = range(4).map((value) => (value === 0 ? { value, gate: first.shared } : { value }));
      const indices: number[] = [];
      for await (const { index } of kit.engine().run(gated, items, { concurrency: 4, batchSize: 1 })) {
        indices.push(index);
        if (indices.length === 3) first.open();
      }
      expect(indices.at(-1)).toBe(0);
      expect(indices.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
    });

    test("with ordered they come in the order of the input, though they end in another", async () => {
      const first = new Gate();
      const items = range(40).map((value) => (value === 0 ? { value, gate: first.shared } : { value }));
      const handle = kit.engine().run(gated, items, { concurrency: 4, batchSize: 1, ordered: true });
      const reading = collect(handle);
      await first.arrived();
      first.open();
      expect((await reading).map(({ index }) => index)).toEqual(range(40));
    });

    test("values are read bare and in order", async () => {
      expect(await collect(kit.engine().run(addOne, range(3_000)).values())).toEqual(
        range(3_000).map((value) => value + 1),
      );
    });

    test("values end at the first failure in the order of the input, which is thrown", async () => {
      const handle = kit.engine().run(failOdd, [0, 2, 4, 5, 6, 7], { onError: "collect" });
      const seen: number[] = [];
      const error = await failure(
        (async () => {
          for await (const value of handle.values()) seen.push(value);
        })(),
        "TASK_FAILED",
      );
      expect(error.index).toBe(3);
      expect(seen).toEqual([0, 2, 4]);
      expect((await handle.result).failures).toHaveLength(2);
    });

    test("batches bring the same outcomes, an array at a time", async () => {
      const handle = kit.engine().run(addOne, range(2_000));
      const arrays = await collect(handle.batches());
      expect(arrays.length).toBeLessThan(2_000);
      expect(arrays.every((array) => array.length > 0)).toBe(true);
      expect(valuesOf(byIndex(arrays.flat()))).toEqual(range(2_000).map((value) => value + 1));
    });

    test("several loops each get everything from the start, also when they begin after the end", async () => {
      const handle = kit.engine().run(addOne, range(300));
      const [first, second] = await Promise.all([collect(handle), collect(handle)]);
      const third = await collect(handle);
      for (const outcomes of [first, second, third]) expect(byIndex(outcomes)).toEqual(byIndex(first));
      expect(first).toHaveLength(300);
      expect((await handle.result).values).toHaveLength(300);
    });

    test("a loop that is left does not disturb the job or other loops", async () => {
      const handle = kit.engine().run(addOne, range(1_000));
      for await (const _ of handle) break;
      expect(await collect(handle)).toHaveLength(1_000);
      expect(handle.state).toBe("completed");
    });

    test("a reader that is slow does not hold up the job", async () => {
      const handle = kit.engine().run(addOne, range(5_000));
      const loop = handle[Symbol.asyncIterator]();
      await loop.next();
      expect((await handle.result).values).toHaveLength(5_000);
      let rest = 0;
      for (let step = await loop.next(); step.done !== true; step = await loop.next()) rest++;
      expect(rest).toBe(4_999);
    });

    test("calls of next may be made before earlier ones have answered", async () => {
      const loop = kit.engine().run(addOne, range(10), { ordered: true })[Symbol.asyncIterator]();
      const steps = await Promise.all(range(12).map(() => loop.next()));
      expect(steps.slice(0, 10).map((step) => (step.done === true ? -1 : step.value.index))).toEqual(range(10));
      expect(steps.slice(10)).toEqual([
        { done: true, value: undefined },
        { done: true, value: undefined },
      ]);
    });

    test("a loop over a failed job gives what was committed, then throws what result rejects with", async () => {
      const engine = kit.engine();
      const handle = engine.run(failOdd, [0, 2, 4, 5], { batchSize: 1, concurrency: 1 });
      const seen: number[] = [];
      const error = await rejection(
        (async () => {
          for await (const outcome of handle) if (outcome.status === "completed") seen.push(outcome.value);
        })(),
      );
      expect(error).toBe(await rejection(handle.result));
      expect(seen.every((value) => value % 2 === 0)).toBe(true);
    });

    test("a loop over a cancelled job throws at once, though outcomes are left", async () => {
      const gate = new Gate();
      const items = [...range(10).map((value) => ({ value })), { value: 10, gate: gate.shared }];
      const handle = kit.engine().run(gated, items, { batchSize: 1, concurrency: 1 });
      const loop = handle[Symbol.asyncIterator]();
      await gate.arrived();
      await loop.next();
      const reason = new Error("enough");
      handle.cancel(reason);
      expect(await rejection(loop.next())).toBe(reason);
      expect(await loop.next()).toEqual({ done: true, value: undefined });
      expect(await rejection(handle[Symbol.asyncIterator]().next())).toBe(reason);
      gate.open();
    });

    test("a job that nobody awaits and that fails raises no unhandled rejection", async () => {
      const handle = kit.engine().run(failOdd, [1]);
      await handle.stopped;
      expect(handle.state).toBe("failed");
    });
  });
}
