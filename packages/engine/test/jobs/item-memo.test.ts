import { ResultCache } from "@threadmill/cache";
import { describe, expect, it, vi } from "vitest";
import { type ItemCache, ItemMemo } from "../../src/jobs/item-memo.js";

function memoOf<Value>(cache: ItemCache<Value>): ItemMemo {
  const store = cache as unknown as ItemCache<unknown>;
  return new ItemMemo({ store, key: (item) => (item === null ? undefined : String(item)) }, false);
}

/** Takes items in as the source does. */
function pull(memo: ItemMemo, items: readonly unknown[], from = 0): void {
  for (const [at, item] of items.entries()) if (!memo.lookUp(item, from + at)) memo.noteMissing(from + at);
}

describe("a memo of items", () => {
  it("sorts what comes into ranges: found ones with their values, and those to run", () => {
    const memo = memoOf(new Map(["b", "c", "f", "g"].map((letter) => [letter, letter.toUpperCase()])));
    pull(memo, ["a", "b", "c", "d", "e", "f", "g"]);
    expect(memo.takeSorted()).toEqual({
      toRun: [
        { start: 0, count: 1 },
        { start: 3, count: 2 },
      ],
      found: [
        { start: 1, count: 2 },
        { start: 5, count: 2 },
      ],
      values: ["B", "C", "F", "G"],
    });
    pull(memo, ["b", "x"], 7);
    const [found, toRun] = [[{ start: 7, count: 1 }], [{ start: 8, count: 1 }]];
    expect(memo.takeSorted()).toEqual({ toRun, found, values: ["B"] });
  });

  it("takes a ResultCache for a store: hits, misses and what it may hold are that one's affair", () => {
    const store = new ResultCache<number>({ maxEntries: 2 });
    const memo = memoOf(store);
    pull(memo, ["a", "b", "c"]);
    memo.store(0, 3, [1, 2, 3], undefined);
    expect([store.has("a"), store.peek("b"), store.peek("c")]).toEqual([false, 2, 3]);
    pull(memo, ["a", "b", "c"], 3);
    expect(memo.takeSorted().values).toEqual([2, 3]);
    expect(store.stats).toMatchObject({ hits: 2, misses: 4 });
  });

  it("takes an entry that goes between two questions for a miss, never for an undefined value", () => {
    const store = { get: () => undefined, has: () => false, set: () => undefined };
    const memo = memoOf(store);
    expect(memo.lookUp("a", 0)).toBe(false);
    // The other way round it would have been there when `has` was asked, and gone when `get` was.
    let asked = 0;
    const expiring = { ...store, has: () => asked++ === 0, get: () => (asked > 0 ? undefined : "value") };
    expect(memoOf(expiring).lookUp("a", 0)).toBe(true);
    expect(asked).toBe(0);
  });

  it("stores what was claimed and did not fail, under its own key, once", () => {
    const store = new Map<string, unknown>();
    const memo = memoOf(store);
    pull(memo, ["a", null, "c", "d", "e"]);
    memo.store([0, 1, 2, 3], 3, ["A", "-", undefined], [[2, "TASK_FAILED", { name: "Error", message: "no" }]]);
    expect([...store]).toEqual([["a", "A"]]);
    memo.store(2, 3, Float64Array.of(3, 4, 5), [[0, "unrun", undefined]]);
    expect([...store]).toEqual([
      ["a", "A"],
      ["d", 4],
      ["e", 5],
    ]);
    store.clear();
    memo.store([0, 3], 2, ["again", "again"], undefined);
    expect(store.size).toBe(0);
  });

  it("forgets the keys of items that have ended, and all of them when its job has", () => {
    const store = new Map<string, unknown>();
    const memo = memoOf(store);
    pull(memo, ["a", "b", "c"]);
    memo.release(0, 2);
    memo.store(0, 2, ["A", "B"], undefined);
    expect(store.size).toBe(0);
    memo.close();
    memo.store(2, 1, ["C"], undefined);
    expect(store.size).toBe(0);
    expect(memo.takeSorted()).toEqual({ toRun: [], found: [], values: [] });
  });

  it("lets an item wait for the first one with its key, and hands on the value, not what the store has of it", () => {
    const memo = memoOf({ get: () => undefined, has: () => false, set: () => false });
    pull(memo, ["a", "b", "a", null, "a", null, "b"]);
    expect(memo.takeSorted().toRun).toEqual([
      { start: 0, count: 2 },
      { start: 3, count: 1 },
      { start: 5, count: 1 },
    ]);
    memo.store(0, 2, ["A", undefined], undefined);
    const found = [2, 4, 6].map((start) => ({ start, count: 1 }));
    expect(memo.takeSorted()).toEqual({ toRun: [], found, values: ["A", "A", undefined] });
    // Nobody has the value any more: the next one is the first again.
    pull(memo, ["a", "a"], 7);
    expect(memo.takeSorted()).toEqual({ toRun: [{ start: 7, count: 1 }], found: [], values: [] });
  });

  it("has those run that waited for an item which has failed, and what one of them gives is stored", () => {
    const store = new Map<string, unknown>();
    const memo = memoOf(store);
    pull(memo, ["a", "a", "a"]);
    memo.takeSorted();
    memo.store(0, 1, [undefined], [[0, "TASK_FAILED", undefined]]);
    // It may go again.
    expect(memo.takeSorted()).toEqual({ toRun: [], found: [], values: [] });
    memo.noteFailed(0);
    memo.release(0, 1);
    expect(memo.takeSorted().toRun).toEqual([{ start: 1, count: 2 }]);
    memo.store(1, 2, ["A", "A again"], undefined);
    expect([...store]).toEqual([["a", "A again"]]);
    expect(memo.takeSorted()).toEqual({ toRun: [], found: [], values: [] });
  });

  it("lets nobody wait in a fresh job, in which every item is run, nor after its end", () => {
    const fresh = new ItemMemo({ store: new Map(), key: String }, true);
    pull(fresh, ["a", "a"]);
    expect(fresh.takeSorted().toRun).toEqual([{ start: 0, count: 2 }]);
    const memo = memoOf(new Map());
    pull(memo, ["a", "a"]);
    memo.close();
    memo.noteFailed(0);
    memo.store(0, 1, ["A"], undefined);
    expect(memo.takeSorted()).toEqual({ toRun: [], found: [], values: [] });
  });

  it("warns of a store that fails too late for its job, and does not let that end the process", async () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const set = (): Promise<never> => Promise.reject(new Error("the disk is full"));
    const memo = memoOf({ get: () => undefined, has: () => false, set });
    pull(memo, ["a"]);
    memo.store(0, 1, ["A"], undefined);
    await vi.waitFor(() => expect(warned).toHaveBeenCalled());
    expect(warned.mock.calls).toMatchObject([
      [expect.stringContaining("the disk is full"), { code: "THREADMILL_CACHE_STORE" }],
    ]);
    expect(memo.fault).toBeUndefined();
    warned.mockRestore();
  });

  it("names what has failed, and for which item, only once it has", () => {
    const store = new Map<string, unknown>([["a", 1]]);
    const memo = memoOf(store);
    pull(memo, ["a", "b"]);
    memo.store(1, 1, ["B"], undefined);
    expect(memo.fault).toBeUndefined();
    expect(() => memo.lookUp(Symbol("no name"), 7)).not.toThrow();
    expect(() => memo.lookUp(Object.create(null), 8)).toThrow(TypeError);
    expect(memo.fault).toBe("cache.key failed for item 8");
  });
});
