import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CacheEvents } from "../src/cache-events.js";
import { ResultCache } from "../src/result-cache.js";
import { Clock } from "./clock.js";

let warnings: (Error & { code?: string })[];
const onWarning = (warning: Error): unknown => warnings.push(warning);
const told = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  warnings = [];
  process.on("warning", onWarning);
});
afterEach(() => {
  process.off("warning", onWarning);
});

/** All events of a cache, in their order. */
function record<Value>(cache: ResultCache<Value>): unknown[] {
  const events: unknown[] = [];
  for (const name of ["hit", "miss", "set", "refuse", "evict", "expire", "delete", "clear", "invalidate"] as const) {
    cache.on(name, (event: object) => events.push([name, event]));
  }
  return events;
}

describe("the events of a cache", () => {
  it("say what happened, in its order", () => {
    const clock = new Clock();
    const cache = new ResultCache<number>({ maxEntries: 2, maxBytes: 100, now: clock.now });
    const events = record(cache);
    const entry = { bytes: 10, tags: [] };
    cache.get("a");
    cache.set("a", 1, { bytes: 10 });
    cache.get("a");
    cache.set("b", 2, { bytes: 10, ttlMs: 5, tags: ["x"] });
    cache.set("c", 3, { bytes: 95 });
    cache.set("d", 4, { bytes: 101 });
    expect(events.splice(0)).toEqual([
      ["miss", { key: "a" }],
      ["set", { key: "a", value: 1, ...entry }],
      ["hit", { key: "a", value: 1 }],
      ["set", { key: "b", value: 2, ...entry, tags: ["x"] }],
      ["set", { key: "c", value: 3, ...entry, bytes: 95 }],
      ["evict", { key: "a", value: 1, ...entry, reason: "entries" }],
      ["evict", { key: "b", value: 2, ...entry, tags: ["x"], reason: "bytes" }],
      ["refuse", { key: "d", value: 4, ...entry, bytes: 101 }],
    ]);
    cache.clear();
    cache.set("e", 5, { bytes: 10, ttlMs: 5 });
    clock.pass(5);
    cache.get("e");
    cache.set("f", 6, { bytes: 10, tags: ["x"] });
    cache.invalidate("x");
    cache.set("g", 7, { bytes: 10 });
    cache.delete("g");
    expect(events).toEqual([
      ["clear", { entries: 1 }],
      ["set", { key: "e", value: 5, ...entry }],
      ["expire", { key: "e", value: 5, ...entry }],
      ["miss", { key: "e" }],
      ["set", { key: "f", value: 6, ...entry, tags: ["x"] }],
      ["invalidate", { tag: "x", keys: ["f"] }],
      ["set", { key: "g", value: 7, ...entry }],
      ["delete", { key: "g", value: 7, ...entry }],
    ]);
  });

  it("reach all listeners, though one of them throws and one rejects, which become warnings", async () => {
    const cache = new ResultCache<number>();
    const heard: string[] = [];
    cache.on("set", () => {
      throw new Error("thrown by a listener");
    });
    // oxlint-disable-next-line typescript/no-misused-promises -- what a user may do
    cache.on("set", async () => {
      await Promise.reject(new Error("rejected by a listener"));
    });
    cache.on("set", () => {
      throw Object.assign(new Error("with an odd stack"), { stack: Symbol("no text") });
    });
    cache.on("set", ({ key }) => heard.push(key));
    expect(cache.set("a", 1)).toBe(true);
    await told();
    expect(heard).toEqual(["a"]);
    expect(warnings.map(({ code }) => code)).toEqual(Array(3).fill("THREADMILL_LISTENER"));
    expect(warnings.map(({ message }) => message).join()).toMatch(/thrown by a listener[^]*rejected by a listener/);
  });

  it("come when the cache is in order again, so that a listener may use it", () => {
    const cache = new ResultCache<number>({ maxEntries: 2 });
    const sizes: number[] = [];
    cache.on("evict", ({ key, value }) => {
      sizes.push(cache.stats.entries);
      if (value < 10) cache.set(`${key}-again`, value + 10);
    });
    for (const key of ["a", "b", "c"]) cache.set(key, 1);
    expect(sizes).toEqual([2, 2, 2, 2]);
    expect(cache.entries().map(({ key }) => key)).toEqual(["b-again", "c-again"]);
  });

  it("end for a listener that is taken off, or that wanted one", () => {
    const cache = new ResultCache<number>();
    const heard: string[] = [];
    const listener = ({ key }: { key: string }): void => void heard.push(key);
    cache.on("set", listener).once("set", listener);
    cache.set("a", 1);
    cache.off("set", listener);
    cache.set("b", 1);
    expect(heard).toEqual(["a", "a"]);
    expect(cache.listenerCount("set")).toBe(0);
  });

  it("are made only if somebody listens", () => {
    const made: string[] = [];
    class Watched extends ResultCache<number> {
      protected override note<Name extends keyof CacheEvents<number>>(
        name: Name,
        event: Parameters<CacheEvents<number>[Name]>[0],
      ): void {
        made.push(name);
        super.note(name, event);
      }
    }
    const cache = new Watched({ maxEntries: 1 });
    const use = (): void => {
      for (const key of ["a", "b"]) cache.set(key, 1, { tags: ["x"] });
      for (const key of ["a", "b"]) cache.get(key);
      cache.invalidate("x");
      cache.clear();
    };
    use();
    expect(made).toEqual([]);
    cache.on("evict", () => undefined);
    use();
    expect(made).toEqual(["evict"]);
  });
});
