/** Section 5: handlers for a whole batch. */
import { describe, expect, test } from "vitest";
import { failure, range } from "../assertions.js";
import {
  companions,
  doubleAll,
  doubleAllLater,
  failOddOnes,
  failOutside,
  failTwice,
  gatedBatch,
  noArray,
  superstitious,
  wrongCount,
  zeroHangs,
} from "../fixtures/index.js";
import { Gate } from "../gate.js";
import { useKit } from "../leaks.js";
import type { Subject } from "../subject.js";
import { Tally } from "../tally.js";

export function batchHandlersSuite(subject: Subject): void {
  describe("a batch handler", () => {
    const kit = useKit(subject);

    test("gives a value for each item, synchronous or not", async () => {
      const engine = kit.engine();
      const expected = range(5_000).map((value) => value * 2);
      expect(await engine.map(doubleAll, range(5_000))).toEqual(expected);
      expect(await engine.map(doubleAllLater, range(5_000))).toEqual(expected);
    });

    test("gets at most maxBatchItems at a time, each with its index", async () => {
      const values = await kit.engine().map(
        companions,
        range(50).map((value) => value * 10),
      );
      const sizes = values.map((text) => Number(text.split(":")[2]));
      expect(values.map((text) => text.split(":").slice(0, 2).join(":"))).toEqual(
        range(50).map((at) => `${at * 10}:${at}`),
      );
      expect(Math.max(...sizes)).toBeLessThanOrEqual(4);
      expect(Math.max(...sizes)).toBeGreaterThan(1);
    });

    test("may fail single items: the others keep their values, whatever lies in the failed places", async () => {
      const handle = kit.engine().run(failOddOnes, range(40), { onError: "collect" });
      const { values, failures, stats } = await handle.result;
      expect(values).toEqual(range(40).map((value) => (value % 2 === 0 ? value : undefined)));
      expect(failures.map(({ index, error }) => [index, error.code])).toEqual(
        range(20).map((at) => [at * 2 + 1, "TASK_FAILED"]),
      );
      expect(failures[0]?.error.cause).toBeInstanceOf(RangeError);
      expect(stats).toMatchObject({ completed: 20, failed: 20 });
    });

    test("may name a failure twice: it counts once, and is retried once", async () => {
      const engine = kit.engine();
      const handle = engine.run(failTwice, range(40), { retry: { attempts: 4, backoffMs: 1, jitter: 0 } });
      const { values, stats } = await handle.result;
      expect(values).toEqual(range(40).map((value) => `${value} at attempt ${(value % 2) + 1}`));
      expect(stats).toMatchObject({ items: 40, completed: 40, failed: 0, retries: 20 });
      const { failures } = await engine.run(failTwice, range(10), { onError: "collect" }).result;
      expect(failures.map(({ index }) => index)).toEqual([1, 3, 5, 7, 9]);
    });

    test("that throws is asked again with halves, until the bad item stands alone", async () => {
      const engine = kit.engine();
      const handle = engine.run(superstitious, range(64), { onError: "collect" });
      const { values, failures } = await handle.result;
      expect(values).toEqual(range(64).map((value) => (value === 13 ? undefined : value * 2)));
      expect(failures.map(({ index, attempt }) => [index, attempt])).toEqual([[13, 1]]);
      expect(failures[0]?.error.message).toContain("13 is in the batch");
    });

    test("that throws for an item under fail names that item", async () => {
      const error = await failure(kit.engine().run(superstitious, range(64), { batchSize: 16 }).result, "TASK_FAILED");
      expect(error.index).toBe(13);
    });

    test.each([
      ["too few results", wrongCount],
      ["no array", noArray],
    ])("that returns %s fails the items, and says so", async (_, reference) => {
      const { failures } = await kit.engine().run(reference, range(6), { onError: "collect" }).result;
      expect(failures.map(({ index }) => index)).toEqual(range(6));
      expect(failures[0]?.error.message).toContain("as many results as items");
    });

    test("that fails a position outside its batch has thrown", async () => {
      const error = await failure(kit.engine().call(failOutside, 1), "TASK_FAILED");
      expect(error.message).toContain("position 1");
    });

    test("that takes too long is split, which costs no attempt, until the slow item stands alone", async () => {
      const handle = kit.engine().run(zeroHangs, range(16), { onError: "collect", timeoutMs: 50 });
      const { values, failures } = await handle.result;
      expect(values.slice(1)).toEqual(range(16).slice(1));
      expect(failures.map(({ index, error, attempt }) => [index, error.code, attempt])).toEqual([
        [0, "TASK_TIMEOUT", 1],
      ]);
    });

    test("is not interrupted by pause: what has begun is finished, and nothing is run twice", async () => {
      const gate = new Gate();
      const tally = new Tally(40);
      const items = range(40).map((value) => ({
        value,
        tally: tally.shared,
        ...(value === 0 ? { gate: gate.shared } : {}),
      }));
      const handle = kit.engine().run(gatedBatch, items);
      await gate.arrived();
      const paused = handle.pause();
      gate.open();
      await paused;
      handle.resume();
      expect((await handle.result).values).toEqual(range(40));
      expect(tally.all).toEqual(range(40).map(() => 1));
    });
  });
}
