import { InvalidArgumentError } from "@threadmill/protocol";
import { describe, expect, it } from "vitest";
import { ResultCache } from "../src/result-cache.js";

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
