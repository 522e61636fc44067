/** What can be done to a cache, on the model and on the real one, and what must be the same afterwards. */
import { deepStrictEqual, ok } from "node:assert/strict";
import { invalidate } from "@threadmill/cache";
import fc from "fast-check";
import type { CacheModel, LoadSettings, ModelLimits } from "./model.js";
import type { CacheStage } from "./stage.js";

type Play = (model: CacheModel, stage: CacheStage) => void;

class CacheCommand implements fc.AsyncCommand<CacheModel, CacheStage> {
  readonly #text: string;
  readonly #play: Play;
  readonly #isSeen: boolean;

  constructor(text: string, play: Play, isSeen = true) {
    this.#text = text;
    this.#play = play;
    this.#isSeen = isSeen;
  }

  check(): boolean {
    return true;
  }

  async run(model: CacheModel, stage: CacheStage): Promise<void> {
    this.#play(model, stage);
    if (!this.#isSeen) return;
    await stage.settle();
    compare(model, stage);
  }

  toString(): string {
    return this.#text;
  }
}

/** All that can be seen, after every command. The bounds hold because the model's do. */
function compare(model: CacheModel, stage: CacheStage): void {
  const { cache } = stage;
  const { limits, counts } = model;
  const { hits, misses, evictionsByReason, ...stats } = cache.stats;
  ok(stats.entries <= limits.maxEntries && stats.bytes <= limits.maxBytes, "a bound does not hold");
  deepStrictEqual(
    {
      ...evictionsByReason,
      hits,
      misses,
      held: [stats.entries, stats.bytes],
      limits: [stats.maxEntries, stats.maxBytes],
    },
    {
      entries: counts.evictedByEntries,
      bytes: counts.evictedByBytes,
      hits: counts.hits,
      misses: counts.misses,
      held: [model.entries.length, model.bytes],
      limits: [limits.maxEntries, limits.maxBytes],
    },
  );
  const { expirations, invalidations, refusals, loads, loadFailures } = stats;
  const { evictedByEntries: _1, evictedByBytes: _2, hits: _3, misses: _4, ...others } = counts;
  deepStrictEqual({ expirations, invalidations, refusals, loads, loadFailures }, others);

  deepStrictEqual(
    cache.entries().map(({ key, bytes, ageMs, accesses, expiresAtMs, tags }) => {
      return { key, value: cache.peek(key), bytes, ageMs, accesses, expiresAtMs, tags };
    }),
    model.entries.map((entry) => {
      const { key, value, bytes, storedAtMs, accesses, tags } = entry;
      const expiry = model.expiryOf(entry);
      const expiresAtMs = expiry === Infinity ? undefined : expiry;
      return { key, value, bytes, ageMs: model.nowMs - storedAtMs, accesses, expiresAtMs, tags: [...tags] };
    }),
  );
  deepStrictEqual(
    stage.callers.map(({ answer }) => answer),
    model.callers.map(({ answer }) => answer),
  );
  deepStrictEqual(
    stage.loads.map(({ signal }) => signal.aborted),
    model.loads.map(({ isAbandoned }) => isAbandoned),
  );
  deepStrictEqual(new Map(stage.mirror), new Map(model.entries.map((entry) => [entry.key, entry.value])));
  const evictions = counts.evictedByEntries + counts.evictedByBytes;
  deepStrictEqual(stage.heard, { hits, misses, evictions, expirations: counts.expirations });
}

/** Few, so that things often happen at the very instant at which something expires. */
const durationMs = fc.constantFrom(1, 5, 10, 15);
const key = fc.constantFrom("a", "b", "c", "d", "e");
const tag = fc.constantFrom("red", "green");
const tags = fc.uniqueArray(tag, { maxLength: 2 });
const bytes = fc.integer({ min: 1, max: 60 });
const ttlMs = fc.option(fc.oneof(durationMs, fc.constant(Infinity)), { nil: undefined });
const value = fc.nat();

export const limits: fc.Arbitrary<ModelLimits> = fc.record({
  maxEntries: fc.integer({ min: 1, max: 5 }),
  maxBytes: fc.integer({ min: 1, max: 150 }),
  ttlMs: fc.oneof(durationMs, fc.constant(Infinity)),
});

const set = fc.record({ key, value, bytes, tags, ttlMs }).map(
  (entry) =>
    new CacheCommand(`set ${JSON.stringify(entry)}`, (model, { cache }) => {
      const { key: name, value: number, ...options } = entry;
      deepStrictEqual(cache.set(name, number, options), model.set(entry));
    }),
);

const get = key.map(
  (name) =>
    new CacheCommand(`get ${name}`, (model, { cache }) => {
      const found = model.get(name);
      deepStrictEqual(cache.lookUp(name), { hit: found !== undefined, value: found?.value });
    }),
);

const look = key.map(
  (name) =>
    new CacheCommand(`peek and has ${name}`, (model, { cache }) => {
      const found = model.find(name);
      deepStrictEqual([cache.peek(name), cache.has(name)], [found?.value, found !== undefined]);
    }),
);

const remove = key.map(
  (name) =>
    new CacheCommand(`delete ${name}`, (model, { cache }) => deepStrictEqual(cache.delete(name), model.delete(name))),
);

const clear = fc.constant(
  new CacheCommand("clear", (model, { cache }) => {
    cache.clear();
    model.clear();
  }),
);

/** Not looked at: to look makes a cache throw out what has expired, and the next command is to find it there. */
const passTime = durationMs.map((ms) => {
  const play: Play = (model, stage) => {
    stage.nowMs += ms;
    model.passTime(ms);
  };
  return new CacheCommand(`pass ${ms} ms`, play, false);
});

const resize = fc
  .record(
    {
      maxEntries: fc.integer({ min: 1, max: 5 }),
      maxBytes: fc.integer({ min: 1, max: 150 }),
      ttlMs: fc.oneof(durationMs, fc.constant(Infinity)),
    },
    { requiredKeys: [] },
  )
  .map(
    (to) =>
      new CacheCommand(`resize ${JSON.stringify(to)}`, (model, { cache }) => {
        cache.resize(to);
        model.resize(to);
      }),
  );

const invalidateTag = fc.tuple(tag, fc.boolean()).map(
  ([name, isEverywhere]) =>
    new CacheCommand(`invalidate ${name}${isEverywhere ? " everywhere" : ""}`, (model, { cache }) => {
      const expected = model.invalidate(name);
      // Other caches of the process hold nothing with these tags.
      deepStrictEqual(isEverywhere ? invalidate(name) : cache.invalidate(name), expected);
    }),
);

const settings: fc.Arbitrary<LoadSettings> = fc.record({
  ttlMs,
  bytes,
  cacheFailuresMs: fc.option(durationMs, { nil: undefined }),
});

const beginFetch = fc.record({ name: key, tags, settings }).map(
  ({ name, tags: names, settings: how }) =>
    new CacheCommand(`fetch ${name} ${names.join(",")} ${JSON.stringify(how)}`, (model, stage) => {
      stage.fetch(name, names, how);
      model.beginFetch(name, names, how);
    }),
);

const endLoad = fc.record({ which: fc.nat(), value, fails: fc.boolean() }).map(
  ({ which, value: number, fails }) =>
    new CacheCommand(`end load ${which} ${fails ? "badly" : `with ${number}`}`, (model, stage) => {
      const open = model.loads.flatMap((load, at) => (load.isOver ? [] : [{ load, at }]));
      const chosen = open[which % Math.max(1, open.length)];
      if (chosen === undefined) return;
      const error = new Error(`load ${chosen.at}`);
      if (fails) stage.loads[chosen.at]?.reject(error);
      else stage.loads[chosen.at]?.resolve(number);
      model.endLoad(chosen.load, fails ? { error } : { value: number });
    }),
);

const abort = fc.nat().map(
  (which) =>
    new CacheCommand(`abort caller ${which}`, (model, stage) => {
      const waiting = model.callers.flatMap((caller, at) =>
        caller.answer.state === "waiting" ? [{ caller, at }] : [],
      );
      const chosen = waiting[which % Math.max(1, waiting.length)];
      if (chosen === undefined) return;
      const reason = new Error(`caller ${chosen.at} left`);
      stage.callers[chosen.at]?.controller.abort(reason);
      model.abort(chosen.caller, reason);
    }),
);

const reopen = fc.constant(
  new CacheCommand("reopen", (model, stage) => {
    stage.reopen(model.limits);
    model.reopen(new DOMException("the cache is closed", "AbortError"));
  }),
);

export const commands = [
  reopen,
  set,
  set,
  get,
  look,
  remove,
  clear,
  passTime,
  passTime,
  resize,
  invalidateTag,
  beginFetch,
  beginFetch,
  endLoad,
  endLoad,
  abort,
];
