/** Section 9, `cache`: items of one job with the same key. One is run, and the others wait for it. */
import type { ItemCache } from "@threadmill/engine";
import { describe, expect, test } from "vitest";
import { byIndex, collect, range, rejection, testWith } from "../assertions.js";
import { addOne, deadly, echo, failOdd, failOddOnes, flaky, gated, waiting } from "../fixtures/index.js";
import type { DeadlyItem } from "../fixtures/deadly.js";
import type { GatedItem } from "../fixtures/gated.js";
import { Gate } from "../gate.js";
import { aWhile, until, useKit } from "../leaks.js";
import type { Subject } from "../subject.js";
import { Tally } from "../tally.js";
import { byItem, byValue } from "./stored.js";

/** Holds nothing: what was computed is lost as soon as it is stored. */
const refusing: ItemCache<number> = { get: () => undefined, has: () => false, set: () => false };

export function itemCacheDoublesSuite(subject: Subject): void {
  describe("items of one job with the same key", () => {
    const kit = useKit(subject);

    test.each([
      ["that collects", {}],
      ["that is read in order", { ordered: true }],
      ["that streams", { collect: false }],
      ["that streams in order", { collect: false, ordered: true }],
      ["with room for one item", { maxInFlight: 1, collect: false, ordered: true }],
      ["with room for two items", { maxInFlight: 2 }],
      ["with less room than there are keys", { maxInFlight: 7, collect: false }],
      ["with batches of many", { batchSize: 64 }],
      ["that is bounded in bytes", { weigh: () => 10, maxInFlightBytes: 25, ordered: true }],
    ] as const)("are run once and delivered each in its place, by a job %s", async (_, options) => {
      const tally = new Tally(10);
      const items = range(1_000).map((index): GatedItem => ({ value: index % 10, tally: tally.shared }));
      const cache = { store: new Map<string, number>(), key: byItem };
      const handle = kit.engine().run(gated, items, { ...options, cache });
      const outcomes = await collect(handle);
      const order = outcomes.map(({ index }) => index);
      expect("ordered" in options ? order : order.toSorted((a, b) => a - b)).toEqual(range(1_000));
      expect(byIndex(outcomes)).toEqual(
        range(1_000).map((index) => ({ index, status: "completed", value: index % 10, attempt: index < 10 ? 1 : 0 })),
      );
      expect(tally.all).toEqual(range(10).map(() => 1));
      expect(handle.progress).toMatchObject({ completed: 1_000, failed: 0, total: 1_000 });
    });

    test("get the value of the one that was run, whatever the store makes of it", async () => {
      const gate = new Gate();
      const tally = new Tally(2);
      const items = range(6).map((index): GatedItem => ({
        value: index % 2,
        gate: gate.shared,
        tally: tally.shared,
      }));
      const handle = kit.engine().run(gated, items, { cache: { store: refusing, key: byItem }, maxInFlight: 6 });
      let pulled = 0;
      handle.on("batch", ({ items: count }) => (pulled += count));
      await gate.arrived(1);
      gate.open();
      const { values, stats } = await handle.result;
      expect(values).toEqual([0, 1, 0, 1, 0, 1]);
      expect([tally.all, stats.fromCache, pulled]).toEqual([[1, 1], 4, 2]);
    });

    test("share its value, and are known as never run when the result is kept by id", async () => {
      const engine = kit.engine();
      const cache = { store: new Map<string, unknown>(), key: (item: unknown) => (item as { name: string }).name };
      const items = range(9).map((index) => ({ name: `item ${index % 3}` }));
      const handle = engine.run(echo, items, { cache, id: "doubles" });
      const outcomes = byIndex(await collect(handle));
      expect(outcomes.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 0, 0, 0, 0, 0, 0]);
      const { values } = await handle.result;
      expect(values[3]).toBe(values[0]);
      const again = engine.run(echo, items, { id: "doubles" });
      expect(again.fromCache).toBe(true);
      expect(byIndex(await collect(again))).toEqual(outcomes);
    });

    test("wait through the retries of the one that is run", async () => {
      const items = range(6).map((index) => ({ value: index % 2, succeedsAt: 3 }));
      const cache = { store: new Map<string, string>(), key: byItem };
      const retry = { attempts: 3, backoffMs: 1 };
      const handle = kit.engine().run(flaky, items, { cache, retry });
      const outcomes = byIndex(await collect(handle));
      expect(outcomes.map(({ attempt }) => attempt)).toEqual([3, 3, 0, 0, 0, 0]);
      expect((await handle.result).values).toEqual(range(6).map((index) => `${index % 2} at attempt 3`));
      expect((await handle.result).stats.retries).toBe(4);
    });

    test("are run themselves when that one fails, and fail or not by themselves", async () => {
      for (const task of [failOdd, failOddOnes]) {
        const items = [1, 3, 2, 4, 5, 6];
        const cache = { store: new Map<string, number>(), key: () => "the same" };
        const { values, failures, stats } = await kit
          .engine()
          .run(task, items, { cache, onError: "collect", batchSize: 1, maxInFlight: 6 }).result;
        expect(failures.map(({ index, attempt }) => [index, attempt])).toEqual(
          [0, 1, 4].slice(0, failures.length).map((index) => [index, 1]),
        );
        // The fifth may have been pulled when there was a value already.
        expect(failures.length).toBeGreaterThanOrEqual(2);
        expect(values.slice(0, 4)).toEqual([undefined, undefined, 2, 4]);
        expect(stats.completed + stats.failed).toBe(6);
      }
    });

    test("end with their job when that one fails it", async () => {
      const cache = { store: new Map<string, number>(), key: () => "the same" };
      const handle = kit.engine().run(failOdd, [1, 2, 4], { cache });
      await expect(handle.result).rejects.toMatchObject({ code: "TASK_FAILED", index: 0 });
      expect(cache.store.size).toBe(0);
      await handle.stopped;
    });

    test("are run themselves when that one takes too long", async () => {
      const tally = new Tally(1);
      const items = [true, false, false, false].map((isSlow) => ({ isSlow, tally: tally.shared }));
      const cache = { store: new Map<string, boolean>(), key: () => "the same" };
      const handle = kit.engine().run(waiting, items, { cache, timeoutMs: 40, onError: "collect", maxInFlight: 4 });
      const { values, failures } = await handle.result;
      expect(failures.map(({ index, error }) => [index, error.code])).toEqual([[0, "TASK_TIMEOUT"]]);
      expect(values).toEqual([undefined, true, true, true]);
    });

    testWith(subject, "ownThreads", "are run themselves when that one kills its threads", async () => {
      const items = range(8).map((value): DeadlyItem => (value === 0 ? { value, death: "exit" } : { value }));
      const cache = { store: new Map<string, number>(), key: () => "the same" };
      const handle = kit.engine().run(deadly, items, { cache, onError: "collect", maxInFlight: 8 });
      const { values, failures } = await handle.result;
      expect(failures.map(({ index, error }) => [index, error.code])).toEqual([[0, "THREAD_LOST"]]);
      expect(values.filter((value) => value === undefined)).toHaveLength(1);
      expect(values.every((value) => value === undefined || (value > 0 && value < 8))).toBe(true);
    });

    test("are all run by a fresh job", async () => {
      const tally = new Tally(1);
      const items = range(5).map((): GatedItem => ({ value: 0, tally: tally.shared }));
      const cache = { store: new Map<string, number>(), key: byItem };
      const { stats } = await kit.engine().run(gated, items, { cache, fresh: true }).result;
      expect([tally.at(0), stats.fromCache]).toEqual([5, 0]);
    });

    test("are held back by a pause, and come with resume", async () => {
      const gate = new Gate();
      const items = range(5).map((): GatedItem => ({ value: 0, gate: gate.shared }));
      const cache = { store: new Map<string, number>(), key: byItem };
      const handle = kit.engine().run(gated, items, { cache, maxInFlight: 5 });
      await gate.arrived();
      const paused = handle.pause();
      gate.open();
      await paused;
      expect(handle.progress).toMatchObject({ completed: 1, failed: 0 });
      handle.resume();
      expect((await handle.result).values).toEqual([0, 0, 0, 0, 0]);
      expect((await handle.result).stats.fromCache).toBe(4);
    });

    test("are gone with a cancel: nothing is delivered, run or stored after it", async () => {
      const gate = new Gate();
      const tally = new Tally(1);
      const items = range(5).map((): GatedItem => ({ value: 0, gate: gate.shared, tally: tally.shared }));
      const cache = { store: new Map<string, number>(), key: byItem };
      const engine = kit.engine();
      const handle = engine.run(gated, items, { cache, maxInFlight: 5 });
      await gate.arrived();
      handle.cancel("enough");
      gate.open();
      expect(await rejection(handle.result)).toBe("enough");
      await handle.stopped;
      await aWhile();
      expect([handle.progress.completed, tally.at(0), cache.store.size]).toEqual([0, 1, 0]);
      expect(await engine.map(addOne, [1])).toEqual([2]);
    });

    test("leave room for others when they end: a source is pulled no further than the window meanwhile", async () => {
      const gate = new Gate();
      let pulled = 0;
      const items = (function* (): Generator<GatedItem> {
        for (; pulled < 50; pulled++) yield { value: 0, gate: gate.shared };
      })();
      const cache = { store: refusing, key: byItem };
      const handle = kit.engine().run(gated, items, { cache, maxInFlight: 8 });
      await gate.arrived();
      await until(() => pulled >= 7);
      await aWhile();
      // The one that is asked for has yielded, and not gone on.
      expect(pulled).toBe(7);
      expect(gate.arrivals).toBe(1);
      gate.open();
      const { values, stats } = await handle.result;
      expect(values).toEqual(range(50).map(() => 0));
      // Nothing stays in the store: each window has one that is run.
      expect(stats.fromCache).toBeGreaterThanOrEqual(7);
      expect(stats.fromCache).toBeLessThanOrEqual(43);
    });

    test("are told apart by their keys alone, and have none if they are to have none", async () => {
      const tally = new Tally(2);
      const items = range(4).map((index): GatedItem => ({ value: index >> 1, tally: tally.shared }));
      const key = ({ value }: GatedItem): string | undefined => (value === 0 ? undefined : byValue(value));
      const cache = { store: new Map<string, number>(), key };
      expect((await kit.engine().run(gated, items, { cache }).result).values).toEqual([0, 0, 1, 1]);
      expect(tally.all).toEqual([2, 1]);
    });
  });
}
