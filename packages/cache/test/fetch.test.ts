import { describe, expect, it } from "vitest";
import { ResultCache } from "../src/result-cache.js";
import { Clock } from "./clock.js";

/** Loads that the test lets end. */
class Loads {
  readonly signals: AbortSignal[] = [];
  readonly #ends: { resolve(value: string): void; reject(error: unknown): void }[] = [];

  get count(): number {
    return this.#ends.length;
  }

  readonly load = ({ signal }: { signal: AbortSignal }): Promise<string> => {
    this.signals.push(signal);
    return new Promise((resolve, reject) => this.#ends.push({ resolve, reject }));
  };

  end(at: number, value: string): void {
    this.#ends[at]!.resolve(value);
  }

  fail(at: number, error: unknown): void {
    this.#ends[at]!.reject(error);
  }
}

describe("fetch", () => {
  it("loads what is not there, once, for all who ask meanwhile", async () => {
    const cache = new ResultCache<string>();
    const loads = new Loads();
    const asked = [1, 2, 3].map(() => cache.fetch("a", loads.load));
    expect(loads.count).toBe(1);
    loads.end(0, "value");
    expect(await Promise.all(asked)).toEqual(["value", "value", "value"]);
    expect(await cache.fetch("a", loads.load)).toBe("value");
    expect(loads.count).toBe(1);
    expect(cache.stats).toMatchObject({ hits: 1, misses: 3, loads: 1, loadFailures: 0 });
  });

  it("takes a stored undefined for what it is", async () => {
    const cache = new ResultCache<undefined>();
    await cache.fetch("a", () => undefined);
    await cache.fetch("a", () => expect.unreachable());
    expect(cache.stats).toMatchObject({ hits: 1, loads: 1 });
  });

  it("stores with the time to live, the tags and the size that the first caller gave", async () => {
    const clock = new Clock();
    const cache = new ResultCache<string>({ now: clock.now });
    await cache.fetch("a", () => "value", { ttlMs: 10, tags: ["x"], sizeOf: (value) => value.length });
    expect(cache.entries()).toMatchObject([{ key: "a", bytes: 5, tags: ["x"], expiresInMs: 10 }]);
  });

  it.each<[string, (cache: ResultCache<string>) => void]>([
    ["deleted", (cache) => cache.delete("a")],
    ["cleared", (cache) => cache.clear()],
    ["invalidated", (cache) => cache.invalidate("tag")],
    ["invalidated by the tag of one who joined", (cache) => cache.invalidate("joined")],
  ])("does not store what was %s while it was loaded, nor give it to who asks later", async (_, act) => {
    const cache = new ResultCache<string>();
    const loads = new Loads();
    const early = cache.fetch("a", loads.load, { tags: ["tag"] });
    const joined = cache.fetch("a", loads.load, { tags: ["joined"] });
    act(cache);
    const late = cache.fetch("a", loads.load);
    expect(loads.count).toBe(2);
    loads.end(1, "new");
    expect(await late).toBe("new");
    loads.end(0, "old");
    expect(await Promise.all([early, joined])).toEqual(["old", "old"]);
    expect(cache.get("a")).toBe("new");
  });

  it("does not replace what was set while it loaded", async () => {
    const cache = new ResultCache<string>();
    const loads = new Loads();
    const asked = cache.fetch("a", loads.load);
    cache.set("a", "set");
    loads.end(0, "loaded");
    expect(await asked).toBe("loaded");
    expect(cache.get("a")).toBe("set");
  });

  it("is not disturbed by what happens to other keys and tags", async () => {
    const cache = new ResultCache<string>();
    const loads = new Loads();
    const asked = cache.fetch("a", loads.load, { tags: ["mine"] });
    cache.set("b", "b");
    cache.delete("b");
    cache.invalidate("other");
    loads.end(0, "loaded");
    await asked;
    expect(cache.get("a")).toBe("loaded");
  });

  it("keeps no failure, unless asked to for a time", async () => {
    const clock = new Clock();
    const cache = new ResultCache<string>({ now: clock.now });
    const failure = new Error("broken");
    const fail = (): never => {
      throw failure;
    };
    await expect(cache.fetch("a", fail)).rejects.toBe(failure);
    await expect(cache.fetch("a", fail, { cacheFailuresMs: 100 })).rejects.toBe(failure);
    const unreached = (): never => expect.unreachable();
    await expect(cache.fetch("a", unreached)).rejects.toBe(failure);
    expect([cache.has("a"), cache.stats.loads, cache.stats.loadFailures]).toEqual([false, 2, 2]);
    clock.pass(100);
    expect(await cache.fetch("a", () => "mended")).toBe("mended");
  });

  it("keeps no failure for longer because the clock is set back", async () => {
    const clock = new Clock();
    const cache = new ResultCache<string>({ now: clock.now });
    await expect(cache.fetch("a", () => Promise.reject(new Error("no")), { cacheFailuresMs: 5 })).rejects.toThrow("no");
    clock.pass(-100_000);
    expect(await cache.fetch("a", () => "mended")).toBe("mended");
  });

  it.each<[string, (cache: ResultCache<string>) => void]>([
    ["set", (cache) => cache.set("a", "fresh")],
    ["deleted", (cache) => cache.delete("a")],
    ["cleared", (cache) => cache.clear()],
    ["invalidated", (cache) => cache.invalidate("tag")],
  ])("forgets a kept failure when its key is %s", async (_, act) => {
    const cache = new ResultCache<string>();
    const failed = cache.fetch("a", () => Promise.reject(new Error("broken")), { cacheFailuresMs: 1e6, tags: ["tag"] });
    await expect(failed).rejects.toThrow("broken");
    act(cache);
    expect(await cache.fetch("a", () => "fresh")).toBe("fresh");
  });

  it("keeps no more than a thousand failures", async () => {
    const cache = new ResultCache<string>();
    const fail = (): Promise<string> => Promise.reject(new Error("broken"));
    for (let at = 0; at <= 1_000; at++) {
      await expect(cache.fetch(`${at}`, fail, { cacheFailuresMs: 1e6 })).rejects.toThrow("broken");
    }
    expect(await cache.fetch("0", () => "the oldest was let go")).toBe("the oldest was let go");
    await expect(cache.fetch("1", () => "not asked")).rejects.toThrow("broken");
  });
});

describe("a caller of fetch that is aborted", () => {
  it("leaves at once with its reason, and the others stay", async () => {
    const cache = new ResultCache<string>();
    const loads = new Loads();
    const controller = new AbortController();
    const leaves = cache.fetch("a", loads.load, { signal: controller.signal });
    const stays = cache.fetch("a", loads.load, { signal: new AbortController().signal });
    controller.abort("no longer needed");
    await expect(leaves).rejects.toBe("no longer needed");
    expect(loads.signals[0]!.aborted).toBe(false);
    loads.end(0, "value");
    expect(await stays).toBe("value");
    expect(cache.get("a")).toBe("value");
  });

  it("ends the load as the last one, whose value is then not stored, and whoever comes next begins another", async () => {
    const cache = new ResultCache<string>();
    const loads = new Loads();
    const controllers = [new AbortController(), new AbortController()];
    const asked = controllers.map(({ signal }) => cache.fetch("a", loads.load, { signal }));
    controllers[0]!.abort("first");
    controllers[1]!.abort("last");
    expect(await Promise.allSettled(asked)).toMatchObject([{ reason: "first" }, { reason: "last" }]);
    expect([loads.signals[0]!.aborted, loads.signals[0]!.reason]).toEqual([true, "last"]);
    const next = cache.fetch("a", loads.load);
    loads.end(0, "abandoned");
    loads.end(1, "next");
    expect(await next).toBe("next");
    expect(cache.get("a")).toBe("next");
  });

  it("never ends a load that somebody without a signal waits for", async () => {
    const cache = new ResultCache<string>();
    const loads = new Loads();
    const controller = new AbortController();
    const stays = cache.fetch("a", loads.load);
    const leaves = cache.fetch("a", loads.load, { signal: controller.signal });
    controller.abort("gone");
    await expect(leaves).rejects.toBe("gone");
    loads.end(0, "value");
    expect(await stays).toBe("value");
  });

  it("before it asked begins nothing, not even where the value is there", async () => {
    const cache = new ResultCache<string>();
    cache.set("a", "value");
    const signal = AbortSignal.abort("before");
    await expect(cache.fetch("a", () => expect.unreachable(), { signal })).rejects.toBe("before");
    expect(cache.stats).toMatchObject({ hits: 0, misses: 0, loads: 0 });
  });

  it("costs its signal one listener, however many share it, and leaves none behind", async () => {
    const cache = new ResultCache<string>();
    const warnings: Error[] = [];
    const onWarning = (warning: Error): unknown => warnings.push(warning);
    process.on("warning", onWarning);
    const { signal } = new AbortController();
    let listening = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listening++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listening--;
      remove(...args);
    };
    const loads = new Loads();
    const asked = Array.from({ length: 100 }, () => cache.fetch("a", loads.load, { signal }));
    expect(listening).toBe(1);
    loads.end(0, "value");
    await Promise.all(asked);
    expect(listening).toBe(0);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
  });
});

describe("a cache that is closed", () => {
  it("ends its loads, also overtaken ones, and tells those who wait", async () => {
    const cache = new ResultCache<string>();
    const loads = new Loads();
    const asked = [cache.fetch("a", loads.load)];
    cache.delete("a");
    asked.push(cache.fetch("a", loads.load));
    await cache.close();
    for (const one of asked) await expect(one).rejects.toMatchObject({ name: "AbortError" });
    expect(loads.signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    await expect(cache.fetch("a", () => expect.unreachable())).rejects.toMatchObject({ name: "AbortError" });
    loads.end(1, "late");
    await cache.close();
    expect(cache.stats.entries).toBe(0);
  });
});

describe("what the caller's code does in between", () => {
  it.each<[string, (cache: ResultCache<string>) => unknown]>([
    ["closes the cache", (cache) => cache.close()],
    ["deletes the key", (cache) => cache.delete("a")],
    ["invalidates the tag", (cache) => cache.invalidate("tag")],
    ["clears the cache", (cache) => cache.clear()],
  ])("is noticed if its sizeOf %s: the value is out of date, and not stored", async (_, act) => {
    const cache = new ResultCache<string>();
    const sizeOf = (): number => {
      void act(cache);
      return 5;
    };
    await cache.fetch("a", () => "value", { tags: ["tag"], sizeOf }).catch(() => undefined);
    expect([cache.has("a"), cache.stats.entries]).toEqual([false, 0]);
  });

  it("is noticed if its sizeOf sets the key: that value stays", async () => {
    const cache = new ResultCache<string>();
    const sizeOf = (): number => {
      cache.set("a", "newer", { bytes: 1 });
      return 5;
    };
    expect(await cache.fetch("a", () => "older", { sizeOf })).toBe("older");
    expect(cache.get("a")).toBe("newer");
  });

  it("is noticed if a listener to `miss` closes the cache: nothing is loaded", async () => {
    const cache = new ResultCache<string>();
    cache.on("miss", () => void cache.close());
    await expect(cache.fetch("a", () => expect.unreachable())).rejects.toMatchObject({ name: "AbortError" });
  });

  it("is noticed if a listener to `miss` aborts the caller: it does not wait for a load that never ends", async () => {
    const cache = new ResultCache<string>();
    const controller = new AbortController();
    cache.on("miss", () => controller.abort("gone"));
    const asked = cache.fetch("a", () => expect.unreachable(), { signal: controller.signal });
    await expect(asked).rejects.toBe("gone");
  });
});

describe("a disabled cache", () => {
  it("loads for everybody, and keeps nothing", async () => {
    const cache = new ResultCache<string>({ enabled: false });
    const loads = new Loads();
    const asked = [cache.fetch("a", loads.load), cache.fetch("a", loads.load)];
    expect(loads.count).toBe(2);
    loads.end(0, "one");
    loads.end(1, "two");
    expect(await Promise.all(asked)).toEqual(["one", "two"]);
    expect(cache.has("a")).toBe(false);
  });
});

describe("fetch with wrong arguments", () => {
  it.each<[string, (cache: ResultCache<string>) => Promise<unknown>]>([
    ["no key", (cache) => cache.fetch(undefined as never, () => "")],
    ["no load", (cache) => cache.fetch("a", undefined as never)],
    ["a time to live below 0", (cache) => cache.fetch("a", () => "", { ttlMs: -1 })],
    ["a time for failures of 0", (cache) => cache.fetch("a", () => "", { cacheFailuresMs: 0 })],
    ["a signal that is none", (cache) => cache.fetch("a", () => "", { signal: { aborted: false } as never })],
    ["an option that is misspelt", (cache) => cache.fetch("a", () => "", { ttl: 5 } as object)],
    ["options that are none", (cache) => cache.fetch("a", () => "", null as never)],
    ["tags that are none", (cache) => cache.fetch("a", () => "", { tags: [5 as never] })],
    ["a size that is no function", (cache) => cache.fetch("a", () => "", { sizeOf: 5 as never })],
    ["a size that is no number", (cache) => cache.fetch("a", () => "", { sizeOf: () => NaN })],
  ])("rejects by its code: %s", async (_, act) => {
    const cache = new ResultCache<string>();
    await expect(act(cache)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(cache.has("a")).toBe(false);
  });
});
