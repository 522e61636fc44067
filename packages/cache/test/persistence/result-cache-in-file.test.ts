import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ResultCache, invalidate } from "../../src/index.js";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kept-cache-"));
  file = join(folder, "labels.cache");
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

describe("a cache that outlives its process", () => {
  it("comes back with its values, their order, tags and times", async () => {
    let nowMs = 1_000_000;
    const options = { persist: { file }, now: () => nowMs, maxEntries: 3 };
    const first = await ResultCache.open<unknown>(options);
    first.set("a", new Float32Array([1, 2]), { tags: ["album"] });
    first.set("b", undefined, { ttlMs: 5_000 });
    first.set("c", { taken: new Date(0) });
    first.get("a");
    await first.close();
    nowMs += 4_000;
    const second = await ResultCache.open<unknown>(options);
    expect(second.entries().map(({ key, ageMs, accesses }) => [key, ageMs, accesses])).toEqual([
      ["b", 4_000, 0],
      ["c", 4_000, 0],
      ["a", 4_000, 1],
    ]);
    expect(second.get("a")).toEqual(new Float32Array([1, 2]));
    expect(second.lookUp("b")).toEqual({ hit: true, value: undefined });
    nowMs += 1_000;
    expect(second.has("b")).toBe(false);
    expect(second.invalidate("album")).toBe(1);
    await second.close();
    const third = await ResultCache.open<unknown>(options);
    expect(third.entries().map(({ key }) => key)).toEqual(["c"]);
    await third.close();
    expect(readdirSync(folder)).toEqual(["labels.cache"]);
  });

  it("takes in as much as it may hold, the most recently used first of all", async () => {
    const large = await ResultCache.open<number>({ persist: { file }, maxEntries: 1_000 });
    for (let at = 0; at < 1_000; at++) large.set(`k${at}`, at);
    await large.close();
    const small = await ResultCache.open<number>({ persist: { file }, maxEntries: 2 });
    expect(small.entries().map(({ key }) => key)).toEqual(["k998", "k999"]);
    await small.close();
  });

  it("does not bring back what was invalidated while it was opened", async () => {
    const first = await ResultCache.open<number>({ persist: { file } });
    first.set("old", 1, { tags: ["album"] });
    first.set("other", 2);
    await first.close();
    const opening = ResultCache.open<number>({ persist: { file } });
    invalidate("album");
    const second = await opening;
    expect(second.entries().map(({ key }) => key)).toEqual(["other"]);
    await second.close();
    const third = await ResultCache.open<number>({ persist: { file } });
    expect(third.entries().map(({ key }) => key)).toEqual(["other"]);
    await third.close();
  });

  it("is written when any of its closes has ended, and has then no more to flush", async () => {
    const cache = await ResultCache.open<number>({ persist: { file } });
    cache.set("a", 1);
    void cache.close();
    await cache.close();
    expect(readdirSync(folder)).toEqual(["labels.cache"]);
    await expect(cache.flush()).rejects.toMatchObject({ code: "CACHE_FILE_CLOSED" });
  });

  it("says at every close that the last changes are lost", async () => {
    const cache = await ResultCache.open<number>({ persist: { file, onWarning: () => undefined } });
    cache.set("a", 1);
    rmSync(folder, { recursive: true });
    const closes = await Promise.allSettled([cache.close(), cache.close()]);
    closes.push(...(await Promise.allSettled([cache.close()])));
    expect(closes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    mkdirSync(folder);
  });

  it("refuses a misspelt option, and makes no file", async () => {
    const persist = { file, flush: 5 } as { file: string };
    await expect(ResultCache.open({ persist })).rejects.toThrow('persist: unknown option "flush"');
    await expect(ResultCache.open({} as never)).rejects.toThrow("persist: options must be an object");
    expect(readdirSync(folder)).toEqual([]);
  });

  it("gives the file free if it cannot take in what is there", async () => {
    const first = await ResultCache.open<number>({ persist: { file } });
    first.set("a", 1);
    await first.close();
    let calls = 0;
    const now = (): number => {
      if (calls++ > 0) throw new Error("a clock that stops");
      return Date.now();
    };
    await expect(ResultCache.open({ persist: { file }, now })).rejects.toThrow("a clock that stops");
    expect(readdirSync(folder)).toEqual(["labels.cache"]);
  });

  it("leaves the file alone when it is disabled", async () => {
    const first = await ResultCache.open<number>({ persist: { file } });
    first.set("a", 1);
    await first.close();
    const disabled = await ResultCache.open<number>({ persist: { file }, enabled: false });
    expect(readdirSync(folder)).toEqual(["labels.cache"]);
    expect(disabled.set("b", 2)).toBe(false);
    await disabled.close();
    await using second = await ResultCache.open<number>({ persist: { file } });
    expect(second.get("a")).toBe(1);
  });

  it("refuses a second owner, and gives the file free when it is closed", async () => {
    const first = await ResultCache.open<number>({ persist: { file } });
    await expect(ResultCache.open<number>({ persist: { file } })).rejects.toMatchObject({
      code: "CACHE_FILE_IN_USE",
      pid: process.pid,
    });
    await first.close();
    await (await ResultCache.open<number>({ persist: { file } })).close();
  });
});

describe("when a change is written", () => {
  /** Lets timers fire and gives what they began all the turns that it needs. */
  async function pass(ms: number, isDone: () => boolean): Promise<void> {
    vi.advanceTimersByTime(ms);
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    while (!isDone()) await new Promise((resolve) => setImmediate(resolve));
  }
  const isThere = (): boolean => readdirSync(folder).includes("labels.cache");

  it("is a moment after the first one of content, and half a minute after one of use", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const cache = await ResultCache.open<number>({ persist: { file, flushMs: 200 } });
    const forget = async (): Promise<void> => {
      // The write may still be at its last step. There is nothing else to flush.
      await cache.flush();
      rmSync(file);
    };
    cache.set("a", 1);
    await pass(199, () => true);
    expect(isThere()).toBe(false);
    cache.set("b", 2);
    await pass(1, isThere);
    await forget();
    cache.get("a");
    await pass(29_999, () => true);
    expect(isThere()).toBe(false);
    await pass(1, isThere);
    await forget();
    // A change of content does not wait for it.
    cache.get("b");
    cache.delete("a");
    await pass(200, isThere);
    await forget();
    // Whoever asks for it gets it now.
    cache.get("b");
    await cache.flush();
    expect(isThere()).toBe(true);
    await forget();
    await cache.flush();
    expect(isThere()).toBe(false);
    cache.get("b");
    await cache.close();
    expect(isThere()).toBe(true);
  });
});
