/** Section 9, `cache`: single items that were had before are not run again. */
import { describe, expect, test } from "vitest";
import { byIndex, collect, range, testWith } from "../assertions.js";
import {
  addOne,
  deadly,
  doubleAll,
  echo,
  failOdd,
  failOddOnes,
  flaky,
  gated,
  missingModule,
  nothing,
} from "../fixtures/index.js";
import type { GatedItem } from "../fixtures/gated.js";
import { Gate } from "../gate.js";
import { until, useKit } from "../leaks.js";
import type { Subject } from "../subject.js";
import { Tally } from "../tally.js";
import { byItem, byValue, evenOnes, isFound, stored } from "./stored.js";

export function itemCacheSuite(subject: Subject): void {
  describe("a job with a cache", () => {
    const kit = useKit(subject);

    test("delivers found items in their place, with attempt 0, and computed ones beside them", async () => {
      const handle = kit.engine().run(addOne, range(500), { cache: { store: evenOnes(500), key: byValue } });
      const outcomes = byIndex(await collect(handle));
      expect(outcomes).toEqual(
        range(500).map((index) => ({
          index,
          status: "completed",
          value: index + 1,
          attempt: isFound({ index }) ? 0 : 1,
        })),
      );
      const { values, failures, stats } = await handle.result;
      expect(values).toEqual(range(500).map((value) => value + 1));
      expect(failures).toEqual([]);
      expect(stats).toMatchObject({ items: 500, completed: 500, failed: 0, fromCache: 250, retries: 0 });
    });

    test.each([
      ["collecting", { ordered: true }],
      ["streaming", { ordered: true, collect: false }],
      ["streaming with a small window", { ordered: true, collect: false, maxInFlight: 3 }],
    ] as const)("keeps the order of the input when %s", async (_, options) => {
      const cache = { store: evenOnes(300), key: byValue };
      const engine = kit.engine();
      const indices = (await collect(engine.run(addOne, range(300), { ...options, cache }))).map(({ index }) => index);
      expect(indices).toEqual(range(300));
      const again = { store: evenOnes(300), key: byValue };
      const batches = await collect(engine.run(addOne, range(300), { ...options, cache: again }).batches());
      expect(batches.flat().map(({ index }) => index)).toEqual(range(300));
      const { store } = { store: evenOnes(300) };
      const bare = await collect(
        engine.run(addOne, range(300), { ...options, cache: { store, key: byValue } }).values(),
      );
      expect(bare).toEqual(range(300).map((value) => value + 1));
    });

    test("sends 100 of 10,000 items if it finds 9,900", async () => {
      const tally = new Tally(10_000);
      const missing = (value: number): boolean => value % 100 === 37;
      const store = new Map(range(10_000).flatMap((value) => (missing(value) ? [] : [[byValue(value), value]])));
      const items = range(10_000).map((value): GatedItem => ({ value, tally: tally.shared }));
      const handle = kit.engine().run(gated, items, { cache: { store, key: byItem } });
      let sent = 0;
      handle.on("batch", (batch) => (sent += batch.items));
      const { values, stats } = await handle.result;
      expect(values).toEqual(range(10_000));
      expect(tally.all).toEqual(range(10_000).map((value) => (missing(value) ? 1 : 0)));
      expect(sent).toBe(100);
      expect(stats.batches).toBeLessThanOrEqual(100);
      expect(stats.fromCache).toBe(9_900);
      expect(store.size).toBe(10_000);
    });

    test("puts items that lie apart into one batch", async () => {
      const engine = kit.single();
      await engine.warm(addOne);
      let asked = 0;
      const key = (value: number): string => {
        asked++;
        return byValue(value);
      };
      const cache = { store: evenOnes(200), key };
      const handle = engine.run(addOne, range(200), { cache, batchSize: 50, maxInFlight: 100 });
      // Paused, it is looked up as far as maxInFlight allows, and nothing is sent before all is there.
      await handle.pause();
      await until(() => asked === 200);
      handle.resume();
      const { values, stats } = await handle.result;
      expect(values).toEqual(range(200).map((value) => value + 1));
      expect(stats.batches).toBe(2);
    });

    test("of which all is found touches no thread: its task is not even loaded", async () => {
      const engine = kit.engine();
      const handle = engine.run(missingModule, range(5_000), { cache: { store: stored(range(5_000)), key: byValue } });
      let starts = 0;
      handle.on("start", () => starts++);
      const { values, stats } = await handle.result;
      expect(values).toEqual(range(5_000).map((value) => value + 1));
      expect(stats).toMatchObject({ completed: 5_000, fromCache: 5_000, batches: 0, threadMs: 0 });
      expect(handle.progress).toMatchObject({ completed: 5_000, total: 5_000, etaMs: 0 });
      expect([starts, engine.stats().batches]).toEqual([0, 0]);
      expect(handle.fromCache).toBe(false);
      await handle.stopped;
    });

    test.each([
      ["an iterable", () => new Set(range(300))],
      ["a typed array", () => Float64Array.from(range(300))],
      [
        "an async iterable",
        async function* () {
          for (const value of range(300)) {
            if (value % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
            yield value;
          }
        },
      ],
      ["another job's values", () => kit.engine().run(addOne, range(300), { collect: false }).values()],
    ])("takes its items from %s", async (name, items) => {
      const handle = kit.engine().run(addOne, items(), { cache: { store: evenOnes(400), key: byValue } });
      const { values, stats } = await handle.result;
      const shift = name.startsWith("another") ? 1 : 0;
      expect(values).toEqual(range(300).map((value) => value + shift + 1));
      expect(stats.fromCache).toBe(150);
    });

    test("of one item is answered by call, and by map", async () => {
      const engine = kit.engine();
      const cache = { store: stored([1]), key: byValue };
      expect(await engine.call(missingModule, 1, { cache })).toBe(2);
      expect(await engine.map(addOne, [1, 2, 3], { cache })).toEqual([2, 3, 4]);
      // In no order: two threads have none.
      expect(Object.fromEntries(cache.store)).toEqual({ 1: 2, 2: 3, 3: 4 });
    });

    test("without items completes", async () => {
      const cache = { store: new Map<string, number>(), key: byValue };
      expect((await kit.engine().run(addOne, [], { cache }).result).values).toEqual([]);
    });

    test("weighs only what it has to send", async () => {
      const weighed: number[] = [];
      const weigh = (value: number): number => {
        weighed.push(value);
        return 10;
      };
      const cache = { store: evenOnes(100), key: byValue };
      const handle = kit.engine().run(addOne, range(100), { cache, weigh, maxInFlightBytes: 25 });
      expect((await handle.result).values).toEqual(range(100).map((value) => value + 1));
      expect(weighed).toEqual(range(100).filter((value) => value % 2 === 1));
    });

    test("counts what it has found while the rest is held", async () => {
      const gate = new Gate();
      const store = new Map(range(100).flatMap((value) => (value % 50 === 0 ? [] : [[byValue(value), value]])));
      const items = range(100).map((value): GatedItem => ({ value, gate: gate.shared }));
      const handle = kit.engine().run(gated, items, { cache: { store, key: byItem }, maxInFlight: 3 });
      await gate.arrived();
      await until(() => handle.progress.completed >= 98);
      expect(handle.progress).toMatchObject({ completed: 98, failed: 0, total: 100 });
      gate.open();
      await handle.result;
      expect(handle.progress).toMatchObject({ completed: 100, total: 100 });
    });

    test("remembers which values were found when its result is kept by id", async () => {
      const engine = kit.engine();
      const cache = { store: evenOnes(9), key: byValue };
      const first = engine.run(addOne, range(9), { id: "kept", cache });
      const outcomes = byIndex(await collect(first));
      const second = engine.run(addOne, range(9), { id: "kept" });
      expect(second.fromCache).toBe(true);
      expect(byIndex(await collect(second))).toEqual(outcomes);
      expect(outcomes.map(({ attempt }) => attempt)).toEqual([0, 1, 0, 1, 0, 1, 0, 1, 0]);
      expect((await second.result).stats.fromCache).toBe(5);
    });
  });

  describe("what a job with a cache stores", () => {
    const kit = useKit(subject);

    test("is what it computes, and a second job finds it: the same objects", async () => {
      const engine = kit.engine();
      const store = new Map<string, unknown>();
      const cache = { store, key: (item: unknown) => (item as { name: string }).name };
      const items = range(200).map((value) => ({ name: `item ${value}` }));
      const first = await engine.run(echo, items, { cache }).result;
      expect(store.size).toBe(200);
      const second = await engine.run(echo, items, { cache }).result;
      expect(second.stats).toMatchObject({ fromCache: 200, batches: 0 });
      for (const [index, value] of first.values.entries()) {
        expect(value).toEqual({ name: `item ${index}` });
        expect(second.values[index]).toBe(value);
        expect(store.get(`item ${index}`)).toBe(value);
      }
    });

    test("is there when the outcome is read", async () => {
      const cache = { store: new Map<string, number>(), key: byValue };
      for await (const { index } of kit.engine().run(addOne, range(50), { cache, collect: false, maxInFlight: 4 })) {
        expect(cache.store.get(byValue(index))).toBe(index + 1);
      }
      expect(cache.store.size).toBe(50);
    });

    test("can be undefined or null: a stored one is a hit", async () => {
      const engine = kit.engine();
      const cache = { store: new Map<string, undefined>(), key: byValue };
      expect((await engine.run(nothing, range(20), { cache }).result).stats.fromCache).toBe(0);
      const { values, stats } = await engine.run(nothing, range(20), { cache }).result;
      expect(values).toEqual(range(20).map(() => undefined));
      expect(stats.fromCache).toBe(20);
      const nulls = { store: new Map<string, unknown>([["x", null]]), key: String };
      expect(await engine.map(echo, ["x"], { cache: nulls })).toEqual([null]);
      expect((await engine.run(echo, ["x"], { cache: nulls }).result).stats.fromCache).toBe(1);
    });

    test("is no failure, whichever way it came", async () => {
      const engine = kit.engine();
      for (const task of [failOdd, failOddOnes]) {
        const cache = { store: new Map<string, number>(), key: byValue };
        const { failures } = await engine.run(task, range(20), { cache, onError: "collect" }).result;
        expect(failures).toHaveLength(10);
        expect([...cache.store.keys()].toSorted()).toEqual(
          range(20)
            .filter((value) => value % 2 === 0)
            .map(byValue)
            .toSorted(),
        );
        // And what has failed is run again.
        const again = await engine.run(task, range(20), { cache, onError: "collect" }).result;
        expect(again.failures).toHaveLength(10);
        expect(again.stats).toMatchObject({ fromCache: 10, completed: 10, failed: 10 });
      }
    });

    test("is the value of the attempt that succeeded, and retries are as ever", async () => {
      const items = range(30).map((value) => ({ value, succeedsAt: 1 + (value % 3) }));
      const cache = { store: new Map([["4", "known"]]), key: byItem };
      const retry = { attempts: 3, backoffMs: 1 };
      const handle = kit.engine().run(flaky, items, { cache, retry, ordered: true });
      const attempts = (await collect(handle)).map(({ attempt }) => attempt);
      expect(attempts).toEqual(range(30).map((value) => (value === 4 ? 0 : 1 + (value % 3))));
      expect(cache.store.get("5")).toBe("5 at attempt 3");
      expect(cache.store.get("4")).toBe("known");
      expect(cache.store.size).toBe(30);
    });

    test("has nothing of items without a key, and they are not looked up", async () => {
      const asked: string[] = [];
      const store = new (class extends Map<string, number> {
        override get(key: string): number | undefined {
          asked.push(key);
          return super.get(key);
        }
      })();
      const key = (value: number, index: number): string | undefined => (index < 10 ? byValue(value) : undefined);
      expect((await kit.engine().run(addOne, range(40), { cache: { store, key } }).result).values).toHaveLength(40);
      expect(asked).toEqual(range(10).map(byValue));
      expect(store.size).toBe(10);
    });

    test("comes from all items of a fresh job, which looks nothing up", async () => {
      const store = new Map(range(10).map((value) => [byValue(value), -1]));
      const options = { cache: { store, key: byValue }, fresh: true };
      const { values, stats } = await kit.engine().run(addOne, range(10), options).result;
      expect(values).toEqual(range(10).map((value) => value + 1));
      expect(stats.fromCache).toBe(0);
      expect([...store.values()]).toEqual(values);
    });

    test("is found by later items of the same job", async () => {
      const items = Array.from({ length: 1_000 }, (_, index) => index % 10);
      const cache = { store: new Map<string, number>(), key: byValue };
      const { values, stats } = await kit.engine().run(addOne, items, { cache, maxInFlight: 20 }).result;
      expect(values).toEqual(items.map((value) => value + 1));
      expect(stats.fromCache).toBe(990);
    });

    test("is what batch handlers give, item by item", async () => {
      const engine = kit.engine();
      const cache = { store: new Map<string, number>(), key: byValue };
      await engine.map(doubleAll, range(50), { cache });
      expect(cache.store.get("21")).toBe(42);
      const { values, stats } = await engine.run(doubleAll, range(60), { cache }).result;
      expect(values).toEqual(range(60).map((value) => value * 2));
      expect(stats.fromCache).toBe(50);
    });

    testWith(subject, "ownThreads", "is all but the item that kills its threads", async () => {
      const items = range(40).map((value) => (value === 13 ? { value, death: "exit" as const } : { value }));
      const store = new Map(range(40).flatMap((value) => (value % 3 === 0 ? [[byValue(value), value]] : [])));
      const cache = { store, key: byItem };
      const { values, failures } = await kit.engine().run(deadly, items, { cache, onError: "collect" }).result;
      expect(failures.map(({ index, error }) => [index, error.code])).toEqual([[13, "THREAD_LOST"]]);
      expect(values).toEqual(range(40).map((value) => (value === 13 ? undefined : value)));
      expect(store.size).toBe(39);
    });
  });
}
