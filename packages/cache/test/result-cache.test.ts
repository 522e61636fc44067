import { InvalidArgumentError } from "@threadmill/protocol";
import { describe, expect, it } from "vitest";
import { ResultCache } from "../src/result-cache.js";
import { Clock } from "./clock.js";

describe("a result cache", () => {
  it("gives back what was stored, by reference", () => {
    const cache = new ResultCache<object>();
    const value = { a: 1 };
    expect(cache.set("a", value)).toBe(true);
    expect(cache.get("a")).toBe(value);
    expect([cache.has("a"), cache.has("b"), cache.get("b")]).toEqual([true, false, undefined]);
  });

  it("keeps a stored undefined apart from nothing", () => {
    const cache = new ResultCache<undefined>();
    cache.set("a", undefined);
    expect(cache.get("a")).toBeUndefined();
    expect(cache.has("a")).toBe(true);
    expect(cache.stats).toMatchObject({ hits: 1, misses: 0, entries: 1 });
  });

  it("lets the least recently used entry go first when it has too many", () => {
    const cache = new ResultCache<number>({ maxEntries: 2 });
    cache.set("a", 1);
    cache.set("b", 2);
    cache.get("a");
    cache.set("c", 3);
    expect([cache.has("a"), cache.has("b"), cache.has("c")]).toEqual([true, false, true]);
    expect(cache.stats).toMatchObject({ entries: 2, evictions: 1 });
  });

  it("lets entries go when they hold too much together", () => {
    const cache = new ResultCache<Uint8Array>({ maxBytes: 10_000 });
    for (const key of ["a", "b", "c"]) cache.set(key, new Uint8Array(4_000));
    expect([cache.has("a"), cache.has("b"), cache.has("c")]).toEqual([false, true, true]);
    expect(cache.stats.bytes).toBeLessThanOrEqual(10_000);
    expect(cache.stats.bytes).toBeGreaterThanOrEqual(8_000);
  });

  it("does not keep a value that is larger alone than it may be, and keeps the others", () => {
    const cache = new ResultCache<Uint8Array>({ maxBytes: 10_000 });
    cache.set("small", new Uint8Array(10));
    expect(cache.set("large", new Uint8Array(20_000))).toBe(false);
    expect([cache.has("large"), cache.has("small")]).toEqual([false, true]);
  });

  it("does not go on with an old value when the new one is too large", () => {
    const cache = new ResultCache<Uint8Array>({ maxBytes: 10_000 });
    cache.set("a", new Uint8Array(10));
    expect(cache.set("a", new Uint8Array(20_000))).toBe(false);
    expect(cache.get("a")).toBeUndefined();
  });

  it("shows a value to `peek` and `has` without a trace", () => {
    const cache = new ResultCache<number>({ maxEntries: 2 });
    cache.set("a", 1);
    cache.set("b", 2);
    expect([cache.peek("a"), cache.peek("x"), cache.has("a")]).toEqual([1, undefined, true]);
    cache.set("c", 3);
    expect(cache.has("a")).toBe(false);
    expect(cache.stats).toMatchObject({ hits: 0, misses: 0 });
  });

  it("counts hits and misses, and knows their rate", () => {
    const cache = new ResultCache<number>();
    expect(cache.stats.hitRate).toBe(0);
    cache.set("a", 1);
    for (const key of ["a", "a", "a", "b"]) cache.get(key);
    expect(cache.stats).toMatchObject({ hits: 3, misses: 1, hitRate: 0.75 });
  });

  it("counts an entry that was replaced, deleted or cleared as no eviction", () => {
    const cache = new ResultCache<number>();
    cache.set("a", 1);
    cache.set("a", 2);
    expect([cache.get("a"), cache.delete("a"), cache.delete("a")]).toEqual([2, true, false]);
    cache.set("b", 1);
    cache.clear();
    expect(cache.stats).toMatchObject({ entries: 0, bytes: 0, evictions: 0 });
  });

  it.each([0, -1, 1.5, NaN, Infinity, "64"])("refuses %s as a bound", (bound) => {
    expect(() => new ResultCache({ maxEntries: bound as number })).toThrow(/maxEntries must be a whole number above 0/);
    expect(() => new ResultCache({ maxBytes: bound as number })).toThrow(InvalidArgumentError);
  });
});

describe("what a look-up answers", () => {
  it.each([undefined, null, 0, "", false])("tells a stored %s from nothing", (value) => {
    const cache = new ResultCache<unknown>();
    cache.set("a", value);
    expect(cache.lookUp("a")).toEqual({ hit: true, value });
    expect(cache.lookUp("b")).toEqual({ hit: false, value: undefined });
    expect(cache.stats).toMatchObject({ hits: 1, misses: 1 });
  });

  it("is a miss for what was evicted, as for what never was", () => {
    const cache = new ResultCache<number>({ maxEntries: 1 });
    cache.set("a", 1);
    cache.set("b", 2);
    expect(cache.lookUp("a")).toEqual({ hit: false, value: undefined });
  });
});

describe("the time to live", () => {
  it("ends an entry at its very instant, for every way to look", () => {
    const clock = new Clock();
    const cache = new ResultCache<number>({ ttlMs: 100, now: clock.now });
    cache.set("a", 1);
    clock.pass(99);
    expect([cache.get("a"), cache.peek("a"), cache.has("a")]).toEqual([1, 1, true]);
    clock.pass(1);
    expect([cache.peek("a"), cache.has("a"), cache.get("a")]).toEqual([undefined, false, undefined]);
    expect(cache.stats).toMatchObject({ entries: 0, bytes: 0, expirations: 1, evictions: 0 });
  });

  it("counts from when the entry was stored, not from when it was used", () => {
    const clock = new Clock();
    const cache = new ResultCache<number>({ ttlMs: 100, now: clock.now });
    cache.set("a", 1);
    clock.pass(60);
    cache.get("a");
    clock.pass(60);
    expect(cache.has("a")).toBe(false);
  });

  it("can be an entry's own, shorter, longer or without an end", () => {
    const clock = new Clock();
    const cache = new ResultCache<number>({ ttlMs: 100, now: clock.now });
    cache.set("short", 1, { ttlMs: 10 });
    cache.set("long", 2, { ttlMs: 1_000 });
    cache.set("endless", 3, { ttlMs: Infinity });
    clock.pass(100);
    expect(cache.entries().map(({ key }) => key)).toEqual(["long", "endless"]);
    clock.pass(1e9);
    expect(cache.entries()).toMatchObject([{ key: "endless", expiresAtMs: undefined, expiresInMs: undefined }]);
  });

  it("lets what has expired go before anything that has not", () => {
    const clock = new Clock();
    const cache = new ResultCache<number>({ maxEntries: 2, now: clock.now });
    cache.set("good", 1);
    cache.set("over", 2, { ttlMs: 5 });
    clock.pass(5);
    cache.set("new", 3);
    expect([cache.has("good"), cache.has("over"), cache.has("new")]).toEqual([true, false, true]);
    expect(cache.stats).toMatchObject({ expirations: 1, evictions: 0 });
  });

  it("is not prolonged by a clock that is set back, whichever way the entry came", () => {
    const clock = new Clock();
    const cache = new ResultCache<number>({ now: clock.now });
    cache.set("a", 1, { ttlMs: 100 });
    cache.set("endless", 2);
    const stored = [...cache.dump()];
    clock.pass(-50_000);
    expect([cache.has("a"), cache.get("a"), cache.has("endless")]).toEqual([false, undefined, true]);
    const other = new ResultCache<number>({ now: clock.now });
    expect([other.restore(stored), other.has("endless")]).toEqual([1, true]);
  });

  it("keeps no memory of thousands that were replaced before their time", () => {
    const clock = new Clock();
    const cache = new ResultCache<number>({ ttlMs: 1_000, now: clock.now });
    for (let at = 0; at < 10_000; at++) {
      cache.set(`${at % 10}`, at);
      clock.pass(1);
    }
    expect(cache.stats).toMatchObject({ entries: 10, expirations: 0 });
    clock.pass(1_000);
    expect(cache.stats).toMatchObject({ entries: 0, expirations: 10 });
  });
});

describe("new limits", () => {
  it("hold when resize returns, for entries and for bytes, the least recently used going first", () => {
    const cache = new ResultCache<number>({ maxEntries: 10 });
    for (const key of ["a", "b", "c", "d"]) cache.set(key, 1, { bytes: 100 });
    cache.get("a");
    cache.resize({ maxEntries: 3 });
    expect(cache.entries().map(({ key }) => key)).toEqual(["c", "d", "a"]);
    cache.resize({ maxBytes: 100 });
    expect(cache.entries().map(({ key }) => key)).toEqual(["a"]);
    expect(cache.stats).toMatchObject({
      evictions: 3,
      evictionsByReason: { entries: 1, bytes: 2 },
      maxEntries: 3,
      maxBytes: 100,
      utilisation: { entries: 1 / 3, bytes: 1 },
    });
  });

  it("may be wider, and leave alone what is not named", () => {
    const cache = new ResultCache<number>({ maxEntries: 1, maxBytes: 1_000 });
    cache.resize({ maxEntries: 2 });
    cache.set("a", 1);
    cache.set("b", 2);
    expect(cache.stats).toMatchObject({ entries: 2, maxBytes: 1_000 });
  });

  it("of time hold for what was stored without a time of its own", () => {
    const clock = new Clock();
    const cache = new ResultCache<number>({ ttlMs: 1_000, now: clock.now });
    cache.set("default", 1);
    cache.set("own", 2, { ttlMs: 500 });
    clock.pass(200);
    cache.resize({ ttlMs: 100 });
    expect([cache.has("default"), cache.has("own")]).toEqual([false, true]);
    cache.resize({ ttlMs: 10_000 });
    clock.pass(300);
    expect(cache.stats).toMatchObject({ entries: 0, expirations: 2 });
  });
});

describe("the largest bounds", () => {
  it("hold as others do: what goes is told, and leaves nothing behind", () => {
    const cache = new ResultCache<number>({ maxBytes: Number.MAX_SAFE_INTEGER });
    const gone: string[] = [];
    cache.on("evict", ({ key }) => gone.push(key));
    cache.set("a", 1, { bytes: Number.MAX_SAFE_INTEGER, tags: ["x"], ttlMs: 1_000 });
    cache.set("b", 2, { bytes: 5 });
    expect([gone, cache.invalidate("x"), cache.stats.entries, cache.stats.evictions]).toEqual([["a"], 0, 1, 1]);
  });
});

describe("what counts", () => {
  it("is what the caller says, as it is, or what sizeOf says", () => {
    const cache = new ResultCache<string>({ sizeOf: (value, key) => value.length + key.length });
    cache.set("a", "four");
    cache.set("b", "four", { bytes: 100 });
    cache.set("nothing", "", { bytes: 0 });
    expect(cache.entries().map(({ bytes }) => bytes)).toEqual([5, 100, 1]);
  });

  it("has the tags in it: they take memory too", () => {
    const cache = new ResultCache<number>({ maxBytes: 100_000 });
    const tags = Array.from({ length: 100 }, (_, at) => `${at} ${"long".repeat(100)}`);
    for (const key of ["a", "b", "c"]) cache.set(key, 1, { tags });
    expect(cache.stats.entries).toBe(1);
    expect(cache.stats.bytes).toBeGreaterThan(40_000);
  });

  it("is listed for each entry, with age, use, expiry and tags", () => {
    const clock = new Clock();
    const cache = new ResultCache<number>({ now: clock.now });
    cache.set("a", 1, { ttlMs: 100, tags: ["x", "y", "x"], bytes: 7 });
    clock.pass(10);
    cache.get("a");
    cache.peek("a");
    clock.pass(5);
    expect(cache.entries()).toEqual([
      {
        key: "a",
        bytes: 7,
        ageMs: 15,
        accesses: 1,
        lastAccessMs: 1_000_010,
        expiresAtMs: 1_000_100,
        expiresInMs: 85,
        tags: ["x", "y"],
      },
    ]);
  });
});

describe("a wrong argument", () => {
  const cache = new ResultCache<number>();
  cache.set("a", 1, { tags: ["x"] });

  it.each<[string, () => unknown]>([
    ["a key that is no string", () => cache.set(1 as never, 1)],
    ["a time to live of 0", () => cache.set("a", 2, { ttlMs: 0 })],
    ["a time to live that is no number", () => cache.set("a", 2, { ttlMs: NaN })],
    ["bytes below 0", () => cache.set("a", 2, { bytes: -1 })],
    ["bytes that are no number", () => cache.set("a", 2, { bytes: "1" as never })],
    ["tags that are one text", () => cache.set("a", 2, { tags: "x" as never })],
    ["tags that are no texts", () => cache.set("a", 2, { tags: [1] as never })],
    ["a bound of 0", () => cache.resize({ maxEntries: 5, maxBytes: 0 })],
    ["a new time to live below 0", () => cache.resize({ maxEntries: 5, ttlMs: -1 })],
    ["a generation that is none", () => cache.set("a", 2, { generation: "1" as never })],
    ["an option that is misspelt", () => cache.set("a", 2, { ttl: 5 } as object)],
    ["options that are none", () => cache.set("a", 2, null as never)],
    ["a tag that is no text", () => cache.invalidate(undefined as never)],
    ["a bound that is misspelt", () => cache.resize({ max: 5 } as object)],
    ["another cache's bound", () => new ResultCache({ max: 5 } as object)],
    ["a file where none is opened", () => new ResultCache({ persist: { file: "x" } } as object)],
    [
      "a stored entry without a key",
      () => cache.restore([...cache.dump(), { ...[...cache.dump()][0]!, key: 5 as never }]),
    ],
    ["a stored entry of no size", () => cache.restore([{ ...[...cache.dump()][0]!, key: "b", bytes: NaN }])],
    ["nothing where an entry is to be", () => cache.restore([undefined as never])],
    ["a clock that is no function", () => new ResultCache({ now: 5 as never })],
    ["a size that is no function", () => new ResultCache({ sizeOf: 5 as never })],
    ["a flag that is neither", () => new ResultCache({ enabled: "yes" as never })],
    ["a size that is no number", () => new ResultCache({ sizeOf: () => NaN }).set("a", 1)],
  ])("is refused by its code, and changes nothing: %s", (_, act) => {
    const before = [cache.entries().map(({ key, tags }) => [key, tags]), cache.peek("a"), cache.stats];
    expect(act).toThrow(expect.objectContaining({ name: "InvalidArgumentError", code: "INVALID_ARGUMENT" }) as Error);
    expect([cache.entries().map(({ key, tags }) => [key, tags]), cache.peek("a"), cache.stats]).toEqual(before);
  });
});

describe("a cache that is taken down and put up again", () => {
  it("has the same entries in the same order, with their times and use", () => {
    const clock = new Clock();
    const one = new ResultCache<number>({ now: clock.now, ttlMs: 100 });
    one.set("a", 1, { tags: ["x"] });
    one.set("b", 2, { ttlMs: 50 });
    one.set("c", 3, { ttlMs: Infinity });
    clock.pass(10);
    one.get("a");
    const other = new ResultCache<number>({ now: clock.now, ttlMs: 100 });
    expect(other.restore(one.dump())).toBe(3);
    expect(other.entries()).toEqual(one.entries());
    expect(other.invalidate("x")).toBe(1);
  });

  it("leaves out what has expired meanwhile, by the time to live that holds now", () => {
    const clock = new Clock();
    const one = new ResultCache<number>({ now: clock.now });
    one.set("default", 1);
    one.set("own", 2, { ttlMs: 50 });
    one.set("endless", 3, { ttlMs: Infinity });
    const stored = [...one.dump()];
    clock.pass(60);
    const other = new ResultCache<number>({ now: clock.now, ttlMs: 40 });
    expect(other.restore(stored)).toBe(1);
    expect(other.has("endless")).toBe(true);
  });

  it("keeps its own bounds, and a newer value of its own", () => {
    const one = new ResultCache<number>();
    for (const key of ["a", "b", "c"]) one.set(key, 1);
    const other = new ResultCache<number>({ maxEntries: 2 });
    other.restore(one.dump());
    expect(other.entries().map(({ key }) => key)).toEqual(["b", "c"]);
    const third = new ResultCache<number>();
    third.set("b", 3);
    expect(third.restore(one.dump())).toBe(2);
    expect([third.peek("a"), third.peek("b")]).toEqual([1, 3]);
  });
});

describe("a cache that keeps nothing", () => {
  it.each(["disabled", "closed"])("because it is %s misses, and stores nothing", async (why) => {
    const cache = new ResultCache<number>({ enabled: why !== "disabled" });
    cache.set("before", 1);
    if (why === "closed") await cache.close();
    expect([cache.set("a", 1), cache.get("a"), cache.get("before"), cache.restore([])]).toEqual([
      false,
      undefined,
      undefined,
      0,
    ]);
    expect(cache.stats.entries).toBe(0);
  });
});
