/** Section 9, `cache`, at its edges: readers that set the pace, pause, cancel, stores that fail, wrong options. */
import type { ItemCache, JobHandle, Outcome } from "@threadmill/engine";
import { describe, expect, test } from "vitest";
import { collect, failure, range, rejection, thrown, valuesOf } from "../assertions.js";
import { addOne, gated, missingModule, roots } from "../fixtures/index.js";
import type { GatedItem } from "../fixtures/gated.js";
import { Gate } from "../gate.js";
import { aWhile, useKit } from "../leaks.js";
import type { Subject } from "../subject.js";
import { byItem, byValue, evenOnes, isFound, stored } from "./stored.js";

export function itemCacheEdgesSuite(subject: Subject): void {
  describe("a job with a cache that streams", () => {
    const kit = useKit(subject);

    test("counts found items as in flight until they are read", async () => {
      let pulled = 0;
      const items = (function* () {
        while (pulled < 1_000) yield pulled++;
      })();
      const cache = { store: stored(range(1_000)), key: byValue };
      const handle = kit.engine().run(missingModule, items, { cache, collect: false, maxInFlight: 10 });
      const loop = handle[Symbol.asyncIterator]();
      for (let read = 1; read <= 100; read++) {
        expect(await loop.next()).toMatchObject({ value: { index: read - 1, value: read, attempt: 0 } });
        if (read % 25 === 0) await aWhile();
        expect(pulled).toBeLessThanOrEqual(10 + read);
      }
      await loop.return?.();
      expect(handle.state).toBe("cancelled");
    });

    test("does not deadlock when an ordered reader waits for the first item and the rest is found", async () => {
      const gate = new Gate();
      const store = new Map(range(100).flatMap((value) => (value === 0 ? [] : [[byValue(value), value]])));
      const items = range(100).map((value): GatedItem => ({ value, gate: gate.shared }));
      const options = { cache: { store, key: byItem }, collect: false, ordered: true, maxInFlight: 4 } as const;
      const reading = collect(kit.engine().run(gated, items, options));
      await gate.arrived();
      await aWhile();
      gate.open();
      expect(valuesOf(await reading)).toEqual(range(100));
    });

    test("drops what nobody reads, and completes", async () => {
      const cache = { store: evenOnes(3_000), key: byValue };
      const { values, stats } = await kit.engine().run(addOne, range(3_000), { cache, collect: false }).result;
      expect(values).toEqual([]);
      expect(stats).toMatchObject({ completed: 3_000, fromCache: 1_500 });
    });

    test.each([
      ["it collects", () => ({}), undefined],
      ["nobody reads it", () => ({ collect: false }), undefined],
      ["it is read", () => ({ collect: false }), (handle: JobHandle<number>) => handle],
      ["its source is async", () => ({ collect: false }), (handle: JobHandle<number>) => handle.values()],
    ] as const)(
      "leaves the event loop its turns though all of an endless source is found: %s",
      async (name, of, open) => {
        const cache = { store: new Map([["x", 1]]), key: () => "x" };
        const items = name.includes("async")
          ? (async function* () {
              for (;;) yield await Promise.resolve(0);
            })()
          : (function* () {
              for (;;) yield 0;
            })();
        const handle = kit.engine().run(missingModule, items, { cache, ...of() });
        const reading = rejection(open === undefined ? handle.result : collect<unknown>(open(handle)));
        // A timer could not come if the loop were held, and nobody would cancel.
        await new Promise((resolve) => setTimeout(resolve, 1));
        handle.cancel("enough");
        const { completed } = handle.progress;
        expect(completed).toBeGreaterThan(0);
        expect(await rejection(handle.result)).toBe("enough");
        expect(await reading).toBe("enough");
        await aWhile();
        expect(handle.progress.completed).toBe(completed);
      },
    );
  });

  describe("pause and cancel of a job with a cache", () => {
    const kit = useKit(subject);

    test("a pause holds back what is found; it comes with resume", async () => {
      let asked = 0;
      const key = (value: number): string => {
        asked++;
        return byValue(value);
      };
      const handle = kit.engine().run(missingModule, range(5_000), { cache: { store: stored(range(5_000)), key } });
      await handle.pause();
      await aWhile();
      expect(handle.progress).toMatchObject({ completed: 0, total: 5_000 });
      // One pull may have been under way.
      expect(asked).toBeLessThan(5_000);
      const before = asked;
      await aWhile();
      expect(asked).toBe(before);
      expect(handle.state).toBe("paused");
      handle.resume();
      expect((await handle.result).values).toEqual(range(5_000).map((value) => value + 1));
      expect(asked).toBe(5_000);
    });

    test("a job whose last items were found during its pause completes when it is resumed", async () => {
      const handle = kit.engine().run(missingModule, range(3), { cache: { store: stored(range(3)), key: byValue } });
      await handle.pause();
      await aWhile();
      expect([handle.state, handle.progress.completed]).toEqual(["paused", 0]);
      handle.resume();
      expect((await handle.result).values).toEqual([1, 2, 3]);
    });

    test("nothing is delivered, looked up or stored after a cancel", async () => {
      const gate = new Gate();
      const store = new Map(range(1_000).flatMap((value) => (value % 2 === 0 ? [[byValue(value), value]] : [])));
      const before = store.size;
      let asked = 0;
      const key = ({ value }: GatedItem): string => {
        asked++;
        return byValue(value);
      };
      const items = range(1_000).map((value): GatedItem => ({ value, gate: gate.shared }));
      const handle = kit.engine().run(gated, items, { cache: { store, key }, maxInFlight: 10 });
      const outcomes: Outcome<number>[] = [];
      const reading = rejection(
        (async () => {
          for await (const outcome of handle) outcomes.push(outcome);
        })(),
      );
      await gate.arrived();
      handle.cancel("enough");
      const [askedThen, seenThen] = [asked, handle.progress.completed];
      gate.open();
      await handle.stopped;
      await aWhile();
      expect(await reading).toBe("enough");
      expect(outcomes.every(isFound)).toBe(true);
      expect([asked, handle.progress.completed, store.size]).toEqual([askedThen, seenThen, before]);
    });

    test.each(["key", "get", "has", "set"] as const)("a cancel from within %s is one like others", async (where) => {
      const map = new Map<string, number>();
      const held: { handle?: JobHandle<number> } = {};
      let calls = 0;
      const cancel = (now: typeof where): void => {
        if (now !== where) return;
        calls++;
        held.handle?.cancel("from within");
      };
      const store: ItemCache<number> = {
        get: (key) => (cancel("get"), map.get(key)),
        has: (key) => (cancel("has"), map.has(key)),
        set: (key, value) => (cancel("set"), map.set(key, value)),
      };
      const key = (value: number): string => (cancel("key"), byValue(value));
      const engine = kit.engine();
      const handle = engine.run(addOne, range(100), { cache: { store, key }, batchSize: 1 });
      held.handle = handle;
      expect(await rejection(handle.result)).toBe("from within");
      await handle.stopped;
      await aWhile();
      expect(calls).toBe(1);
      expect(engine.jobs()).toEqual([]);
      expect(await engine.map(addOne, [1])).toEqual([2]);
    });
  });

  describe("a cache that fails", () => {
    const kit = useKit(subject);
    const boom = new RangeError("boom");
    const bang = (): never => {
      throw boom;
    };

    test.each([
      ["cache.key", { key: bang }],
      ["cache.store.get", { get: bang }],
      ["cache.store.has", { has: bang }],
      ["cache.store.set", { set: bang }],
    ] as const)(
      "in %s fails the job by name, with its error as the cause, even at the last item",
      async (name, how) => {
        const engine = kit.engine();
        for (const last of [0, 19]) {
          const map = new Map<string, number>();
          const only =
            <Arguments extends unknown[], Result>(
              usual: (key: string, ...rest: Arguments) => Result,
              bad: (() => never) | undefined,
            ) =>
            (key: string, ...rest: Arguments): Result =>
              bad !== undefined && key === byValue(last) ? bad() : usual(key, ...rest);
          const all: { key?: () => never; get?: () => never; has?: () => never; set?: () => never } = how;
          const store: ItemCache<number> = {
            get: only((key) => map.get(key), all.get),
            has: only((key) => map.has(key), all.has),
            set: only((key, value: number) => map.set(key, value), all.set),
          };
          const key = (value: number): string => (all.key !== undefined && value === last ? all.key() : byValue(value));
          const handle = engine.run(addOne, range(20), { cache: { store, key }, onError: "collect" });
          const error = await failure(handle.result, "SOURCE_FAILED");
          expect(error.cause).toBe(boom);
          expect(error.message).toContain(`${name} failed for item ${last}: boom`);
          expect(error).toMatchObject({ index: -1, attempt: 0 });
          expect(handle.state).toBe("failed");
          await handle.stopped;
        }
        expect(engine.jobs()).toEqual([]);
        expect(await engine.map(addOne, [1])).toEqual([2]);
      },
    );

    test("closes its source", async () => {
      let returns = 0;
      const items: Iterable<number> = {
        [Symbol.iterator]: () => ({
          next: () => ({ done: false, value: 1 }),
          return: () => {
            returns++;
            return { done: true, value: undefined };
          },
        }),
      };
      const cache = { store: new Map<string, number>(), key: bang };
      await failure(kit.engine().run(addOne, items, { cache }).result, "SOURCE_FAILED");
      expect(returns).toBe(1);
    });

    test.each<[string, { get: () => unknown; has: () => unknown }]>([
      ["get", { get: () => Promise.resolve(1), has: () => true }],
      ["has", { get: () => undefined, has: () => Promise.resolve(false) }],
    ])("in that its %s answers with promises is refused: they would be taken for values", async (_, methods) => {
      const cache = { store: { ...methods, set: () => undefined } as never, key: byValue };
      const error = await failure(kit.engine().run(addOne, [1], { cache }).result, "SOURCE_FAILED");
      expect(error.message).toContain("promise");
      expect(error.cause).toMatchObject({ code: "INVALID_ARGUMENT" });
    });

    test.each([7, null, {}, Symbol("no")])("in that a key is no string fails the job: %s", async (key) => {
      const cache = { store: new Map<string, number>(), key: (): never => key as never };
      const error = await failure(kit.engine().run(addOne, [1], { cache }).result, "SOURCE_FAILED");
      expect(error.cause).toMatchObject({ code: "INVALID_ARGUMENT" });
    });
  });

  describe("the cache option", () => {
    const kit = useKit(subject);

    test.each([
      ["nothing", null],
      ["a store alone", { store: new Map() }],
      ["a key alone", { key: byValue }],
      ["a key that is none", { store: new Map(), key: "key" }],
      ["a store without set", { store: { get: byValue, has: byValue }, key: byValue }],
      ["a store that is none", { store: "memory", key: byValue }],
      ["more than is known", { store: new Map(), key: byValue, ttl: 5 }],
    ])("is refused at once if it is %s", (_, cache) => {
      const engine = kit.engine();
      const error = thrown(() => engine.run(addOne, [1], { cache: cache as never }));
      expect(error.code).toBe("INVALID_ARGUMENT");
      expect(error.message).toContain("cache");
      expect(engine.jobs()).toEqual([]);
    });

    test("does not go with a columns task: refused at once where that is known, else before its first batch", async () => {
      const engine = kit.engine();
      const options = { cache: { store: new Map<string, number>(), key: byValue } } as object;
      const column = new Float64Array(100);
      const error = await failure(engine.run(roots, column, options).result, "SOURCE_FAILED");
      expect(error.cause).toMatchObject({ code: "INVALID_ARGUMENT" });
      expect(error.message).toContain("cache");
      expect(thrown(() => engine.run(roots, column, options)).code).toBe("INVALID_ARGUMENT");
      expect(await engine.map(roots, column)).toHaveLength(100);
    });
  });
}
