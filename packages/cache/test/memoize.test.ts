import { describe, expect, it } from "vitest";
import { invalidate } from "../src/invalidation.js";
import { memoize } from "../src/memoize.js";
import { ResultCache } from "../src/result-cache.js";

/** Makes functions that count their calls. */
function counted<Arguments extends unknown[], Result>(
  fn: (...args: Arguments) => Result,
): ((...args: Arguments) => Result) & { calls: number } {
  const wrapped = Object.assign(
    (...args: Arguments): Result => {
      wrapped.calls++;
      return fn(...args);
    },
    { calls: 0 },
  );
  return wrapped;
}

describe("a memoised function", () => {
  it("is called once for equal arguments, by content", () => {
    const area = counted(({ width, height }: { width: number; height: number }) => width * height);
    const memoized = memoize(area);
    expect([memoized({ width: 2, height: 3 }), memoized({ height: 3, width: 2 })]).toEqual([6, 6]);
    expect(memoized({ width: 2, height: 4 })).toBe(8);
    expect(area.calls).toBe(2);
    expect(memoized.cache.stats).toMatchObject({ entries: 2 });
  });

  it.each([undefined, null, 0])("remembers that the answer was %s", (answer) => {
    const fn = counted((_word: string) => answer);
    const memoized = memoize(fn);
    expect([memoized("a"), memoized("a")]).toEqual([answer, answer]);
    expect(fn.calls).toBe(1);
  });

  it("keeps nothing that was thrown", () => {
    const fn = counted((_number: number): number => {
      if (fn.calls === 1) throw new Error("at first");
      return fn.calls;
    });
    const memoized = memoize(fn);
    expect(() => memoized(1)).toThrow("at first");
    expect([memoized(1), memoized(1)]).toEqual([2, 2]);
  });

  it("may call itself", () => {
    const fibonacci = memoize((n: number): number => (n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2)), {
      key: String,
      maxEntries: 1_000,
    });
    expect(fibonacci(70)).toBe(190_392_490_709_135);
  });

  it("has the `this` of its call", () => {
    const greeter = {
      name: "mill",
      greet: memoize(function (this: { name: string }, word: string) {
        return `${word}, ${this.name}`;
      }),
    };
    expect(greeter.greet("hello")).toBe("hello, mill");
  });

  it("does not keep what was made of something that was invalidated meanwhile", () => {
    const fn = counted((tag: string): number => {
      if (fn.calls === 1) invalidate(tag);
      return fn.calls;
    });
    const memoized = memoize(fn, { tags: (tag) => [tag] });
    expect([memoized("album"), memoized("album"), memoized("album")]).toEqual([1, 2, 2]);
    invalidate("album");
    expect(memoized("album")).toBe(3);
  });

  it("can be asked past, emptied, and made to forget", () => {
    const fn = counted((n: number) => n);
    const memoized = memoize(fn);
    memoized(1);
    memoized(2);
    expect([memoized.forget(1), memoized.forget(1), memoized.cache.stats.entries]).toEqual([true, false, 1]);
    memoized.clear();
    expect(memoized.cache.stats.entries).toBe(0);
    const past = memoize(fn, { enabled: false });
    fn.calls = 0;
    past(1);
    past(1);
    expect([fn.calls, past.cache.stats.entries]).toEqual([2, 0]);
  });

  it("holds its limits, and counts by sizeOf", () => {
    const memoized = memoize((n: number) => "x".repeat(n), {
      sizeOf: (text) => text.length,
      maxBytes: 10,
      maxEntries: 2,
    });
    memoized(4);
    memoized(5);
    expect(memoized.cache.stats).toMatchObject({ entries: 2, bytes: 9 });
    memoized(6);
    expect(memoized.cache.stats).toMatchObject({ entries: 1, bytes: 6 });
  });

  it("can share a cache of the caller's", () => {
    const cache = new ResultCache<number>();
    const double = memoize((n: number) => n * 2, { cache, key: (n) => `double ${n}`, ttlMs: 1_000 });
    const square = memoize((n: number) => n * n, { cache, key: (n) => `square ${n}` });
    expect([double(3), square(3), double.cache === cache]).toEqual([6, 9, true]);
    expect(cache.entries()).toMatchObject([{ key: "double 3" }, { key: "square 3", expiresAtMs: undefined }]);
    expect(cache.entries()[0]!.expiresInMs).toBeLessThanOrEqual(1_000);
  });

  it("waits once for what does its work each time that it is waited for", async () => {
    let queries = 0;
    const find = memoize((name: string): PromiseLike<string> => {
      const query = Promise.resolve(`found ${name}`);
      return {
        // oxlint-disable-next-line unicorn/no-thenable -- as the query builders of databases are
        then: (...args) => {
          queries++;
          return query.then(...args);
        },
      };
    });
    expect(await find("a")).toBe("found a");
    expect([await find("a"), queries]).toEqual(["found a", 1]);
    expect([await find("b"), queries]).toEqual(["found b", 2]);
  });

  it.each<[string, () => unknown]>([
    ["no function", () => memoize(5 as never)],
    ["a key that is no function", () => memoize(String, { key: "a" as never })],
    ["a key that answers no text", () => memoize((n: number) => n, { key: (n) => n as never })(5)],
    ["a time to live of 0", () => memoize(String, { ttlMs: 0 })],
    ["a flag that is neither", () => memoize(String, { enabled: 1 as never })],
    ["a bound of 0", () => memoize(String, { maxEntries: 0 })],
    ["an option that is misspelt", () => memoize(String, { ttl: 5 } as object)],
    ["options that are none", () => memoize(String, null as never)],
    ["a cache that is none", () => memoize(String, { cache: new Map() as never })],
    [
      "a bound for a cache that has its own",
      () => memoize(String, { cache: new ResultCache<string>(), maxEntries: 5 }),
    ],
  ])("is refused: %s", (_, act) => {
    expect(act).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }) as Error);
  });
});

describe.each<[string, <T>(make: () => T) => (key: string) => Promise<T>]>([
  ["an async function", (make) => async (_key) => Promise.resolve(make())],
  ["a function that returns promises", (make) => (_key) => new Promise((resolve) => setImmediate(resolve)).then(make)],
])("%s that is memoised", (_, promised) => {
  it("runs once for all who ask at the same time, and later ones get a promise too", async () => {
    let calls = 0;
    const memoized = memoize(promised(() => ++calls));
    expect(await Promise.all([memoized("a"), memoized("a"), memoized("a")])).toEqual([1, 1, 1]);
    const later = memoized("a");
    expect(later).toBeInstanceOf(Promise);
    expect(await later).toBe(1);
    expect(await memoized("b")).toBe(2);
  });

  it("keeps no rejection", async () => {
    let calls = 0;
    const memoized = memoize(
      promised(() => {
        if (++calls === 1) throw new Error("at first");
        return calls;
      }),
    );
    const both = await Promise.allSettled([memoized("a"), memoized("a")]);
    expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect([await memoized("a"), await memoized("a")]).toEqual([2, 2]);
  });

  it("rejects, and does not throw, when its key cannot be made", async () => {
    const memoized = memoize(promised(() => 1)) as (key: unknown) => Promise<number>;
    expect(await memoized("a")).toBe(1);
    let answer: Promise<number> | undefined;
    expect(() => (answer = memoized(() => "no content"))).not.toThrow();
    await expect(answer).rejects.toThrow("the value[0] is a function");
  });

  it("answers from a cache that was filled before with a promise, at its first call too", async () => {
    const cache = new ResultCache<string>();
    cache.set("a", "of before");
    const memoized = memoize(
      promised(() => "made now"),
      { cache, key: (key) => key },
    );
    const answer = memoized("a");
    expect(answer).toBeInstanceOf(Promise);
    expect(await answer).toBe("of before");
  });

  it("does not keep what was invalidated while it was made", async () => {
    let calls = 0;
    const memoized = memoize(
      promised(() => ++calls),
      { tags: () => ["changing"] },
    );
    const early = memoized("a");
    invalidate("changing");
    expect(await Promise.all([early, memoized("a")])).toEqual([1, 2]);
    expect(await memoized("a")).toBe(2);
  });
});
