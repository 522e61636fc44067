/** The cache itself: bounded in entries, bytes and time, least recently used first out, with loads that are shared. */
import type { CacheEvents } from "./cache-events.js";
import {
  type CacheLimits,
  DEFAULT_LIMITS,
  type ResultCacheOptions,
  type SetOptions,
  checkBytes,
  checkKey,
  checkLimits,
  checkNames,
  checkOptions,
  checkSetOptions,
  checkTag,
  checkTags,
} from "./cache-options.js";
import { type EntryInfo, type ResultCacheStats, Tally } from "./cache-stats.js";
import { eventOf, fromStored, infoOf, toStored } from "./entry-forms.js";
import { Entry, EntryStore, type RemovalReason } from "./entry-store.js";
import { estimateEntryBytes } from "./estimate-bytes.js";
import type { Load } from "./flights.js";
import { onInvalidate, type Following, announce, follow, unfollow } from "./invalidation.js";
import type { CacheFileOptions } from "./persistence/cache-file.js";
import { SafeEmitter } from "./safe-emitter.js";
import { type FetchOptions, SharedLoads, checkFetch } from "./shared-loads.js";
import { type CacheKeeper, KEEP, type StoredEntry, checkStored } from "./stored-entry.js";

/** What a look-up found: a stored `undefined` is a hit. */
export type LookUp<Value> =
  { readonly hit: true; readonly value: Value } | { readonly hit: false; readonly value: undefined };

export interface OpenOptions<Value> extends ResultCacheOptions<Value> {
  /** Where the entries outlive the process. */
  readonly persist: Omit<CacheFileOptions, "now" | "disk">;
}

const MISS = { hit: false, value: undefined } as const;

/**
 * Values by key. They are shared by reference: what one caller changes, the next one sees. What is not there, whether it
 * was evicted, has expired or never was, is a miss.
 */
export class ResultCache<Value> extends SafeEmitter<CacheEvents<Value>> {
  readonly #store: EntryStore<Value>;
  readonly #loads: SharedLoads<Value>;
  readonly #tally = new Tally();
  readonly #sizeOf: ((value: Value, key: string) => number) | undefined;
  readonly #now: () => number;
  #ttlMs: number;
  #isOpen: boolean;
  #isClosed = false;
  #closing: Promise<void> | undefined;
  #generation = 0;
  #keeper: CacheKeeper | undefined;
  /** Its place among those that hear of invalidations, from its first tag on. */
  #following: Following | undefined;

  /** @throws {InvalidArgumentError} an option that makes no sense. */
  constructor(options: ResultCacheOptions<Value> = {}) {
    super();
    checkOptions(options);
    const { maxEntries = DEFAULT_LIMITS.maxEntries, maxBytes = DEFAULT_LIMITS.maxBytes } = options;
    this.#store = new EntryStore({ maxEntries, maxBytes }, (entry, reason) => this.#onRemoved(entry, reason));
    this.#ttlMs = options.ttlMs ?? DEFAULT_LIMITS.ttlMs;
    this.#sizeOf = options.sizeOf;
    this.#now = options.now ?? Date.now;
    this.#isOpen = options.enabled ?? true;
    this.#loads = new SharedLoads(this.#tally, this.#now, {
      isShared: () => this.#isOpen,
      measure: (key, value, tags, sizeOf) => this.#bytesOf(key, value, tags, sizeOf?.(value)),
      store: (key, value, { bytes, tags, ttlMs }) => {
        this.#put(key, value, bytes, tags, ttlMs);
        this.tell();
      },
    });
  }

  /**
   * A cache that begins with what its file holds, and writes its changes there a moment after they were made. Close it:
   * the file is locked until then, and what changed last is not yet written. A disabled cache leaves the file alone.
   *
   * @throws {CacheFileInUseError} another cache, here or in another process, has the file open.
   * @throws {CacheFileError} `CACHE_FILE_UNUSABLE`: the system refuses the file or its folder.
   * @throws {InvalidArgumentError} an option that makes no sense.
   */
  static async open<Value>(options: OpenOptions<Value>): Promise<ResultCache<Value>> {
    const { persist, ...others } = options;
    checkNames("persist", persist, ["file", "flushMs", "onWarning"]);
    const cache = new ResultCache<Value>(others);
    // What is invalidated while the file is read must not come back from it.
    const invalidated = new Set<string>();
    const stop = onInvalidate((tag) => invalidated.add(tag));
    try {
      // Loaded when it is needed: it is half of this package, and most caches have no file.
      const { keepInFile } = await import("./persistence/keep-in-file.js");
      if (cache.#isOpen) await keepInFile(cache, { ...persist, now: cache.#now }, invalidated);
    } catch (error) {
      await cache.close();
      throw error;
    } finally {
      stop();
    }
    return cache;
  }

  /** The value, which becomes the most recently used one; counted as a hit or a miss. See also {@link lookUp}. */
  get(key: string): Value | undefined {
    return this.#use(key)?.value;
  }

  /** As {@link get}, and tells a stored `undefined` from nothing. */
  lookUp(key: string): LookUp<Value> {
    const entry = this.#use(key);
    return entry === undefined ? MISS : { hit: true, value: entry.value };
  }

  /** The value, without a trace: neither its place nor any figure changes, and no event is told. */
  peek(key: string): Value | undefined {
    return this.#peek(key)?.value;
  }

  /** Without a trace, as {@link peek}. */
  has(key: string): boolean {
    return this.#peek(key) !== undefined;
  }

  /**
   * Stores the value as the most recently used one. What is being loaded for the key will not replace it.
   *
   * @returns false if it was not stored: it is larger than the whole cache may be, the cache is disabled or closed, or
   *   `generation` is not the present one. An older value under the key is gone all the same, but for the last case.
   * @throws {InvalidArgumentError} an option that makes no sense, before anything has changed.
   */
  set(key: string, value: Value, options: SetOptions = NO_OPTIONS): boolean {
    checkKey(key);
    checkSetOptions(options);
    const tags = checkTags(options.tags);
    const bytes = this.#bytesOf(key, value, tags, options.bytes);
    if (!this.#isOpen || (options.generation !== undefined && options.generation !== this.#generation)) return false;
    this.#loads.overtake(key);
    const isStored = this.#put(key, value, bytes, tags, options.ttlMs);
    this.tell();
    return isStored;
  }

  /** True if there was a value. What is being loaded for the key will not be stored. */
  delete(key: string): boolean {
    this.#generation++;
    this.#loads.overtake(key);
    const entry = this.#sweep().peek(key);
    if (entry !== undefined) this.#store.remove(entry, "delete");
    this.tell();
    return entry !== undefined;
  }

  /** Lets everything go. What is being loaded will not be stored. Figures stay. */
  clear(): void {
    this.#generation++;
    this.#loads.overtakeAll();
    const { entries } = this.#sweep();
    this.#store.clear();
    if (this.isHeard("clear")) this.note("clear", { entries });
    this.tell();
  }

  /**
   * The value, loaded if it is not there. All who ask meanwhile share the one load; what the first caller says of it
   * holds for all. What was set, deleted or invalidated while it ran makes it out of date: those who wait get its value,
   * later ones do not, and it is not stored.
   *
   * Rejects with what the load throws, with `signal.reason`, or with an `AbortError` once the cache is closed.
   */
  async fetch(key: string, load: Load<Value>, options: FetchOptions<Value> = NO_OPTIONS): Promise<Value> {
    checkFetch(key, load, options);
    const tags = checkTags(options.tags);
    this.#refuseLoad(options.signal);
    const known = this.#use(key);
    if (known !== undefined) return known.value;
    // A listener to `miss` may have closed the cache, or aborted this caller.
    this.#refuseLoad(options.signal);
    if (tags.length > 0) this.#follow();
    return this.#loads.join(key, load, tags, options);
  }

  #refuseLoad(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (this.#isClosed) throw closedError();
  }

  /**
   * Lets everything go that has the tag; what is being loaded with it will not be stored. Callbacks of `onInvalidate`
   * are told; other caches are not touched (that is what the function `invalidate` is for).
   *
   * @returns how many entries went.
   * @throws {InvalidArgumentError} a tag that is no text: nothing can have it.
   */
  invalidate(tag: string): number {
    checkTag(tag);
    const keys = this.#dropTagged(tag);
    announce(tag);
    return keys.length;
  }

  /**
   * New limits, which hold when it returns. A limit that is not named stays. A new `ttlMs` holds for all entries that
   * were stored without one of their own, counted from when they were stored.
   *
   * @throws {InvalidArgumentError} a limit that makes no sense, before anything has changed.
   */
  resize(limits: CacheLimits): void {
    checkLimits(limits);
    const { bounds } = this.#sweep();
    if (limits.ttlMs !== undefined && limits.ttlMs !== this.#ttlMs) {
      this.#ttlMs = limits.ttlMs;
      this.#store.changeDefaultTtl(limits.ttlMs);
      this.#sweep();
      this.#keeper?.changed("content");
    }
    bounds.maxEntries = limits.maxEntries ?? bounds.maxEntries;
    bounds.maxBytes = limits.maxBytes ?? bounds.maxBytes;
    this.#store.keepBounds();
    this.tell();
  }

  /** Changes with every delete, clear and invalidation: see `SetOptions.generation`. */
  get generation(): number {
    // Whoever asks is about to make a value, and may store it with a tag.
    this.#follow();
    return this.#generation;
  }

  get stats(): ResultCacheStats {
    const { entries, bytes, bounds } = this.#sweep();
    const stats = this.#tally.stats({ entries, bytes }, bounds);
    this.tell();
    return stats;
  }

  /** What is there, least recently used first. */
  entries(): EntryInfo[] {
    const nowMs = this.#now();
    const infos = Array.from(this.#sweep().oldestFirst(), (entry) => infoOf(entry, nowMs));
    this.tell();
    return infos;
  }

  /** All of it, to be kept elsewhere; least recently used first. Read it in one go. */
  dump(): Iterable<StoredEntry<Value>> {
    const entries = this.#sweep().oldestFirst();
    this.tell();
    return toStored(entries);
  }

  /**
   * Takes in what {@link dump} gave, into a cache that is empty or nearly so: each as more recently used than those
   * before. What has expired meanwhile stays out; the bounds hold, so that the first may go again; a key that is there
   * already keeps its value.
   *
   * @returns how many were taken in.
   * @throws {InvalidArgumentError} what is no such entry; nothing has changed.
   */
  restore(entries: Iterable<StoredEntry<Value>>): number {
    const all = [...entries];
    for (const stored of all) checkStored(stored);
    if (!this.#isOpen) return 0;
    const nowMs = this.#now();
    let restored = 0;
    for (const stored of all) {
      const entry = fromStored(stored, this.#ttlMs);
      const { key, bytes } = entry;
      if (!entry.isGood(nowMs) || bytes > this.#store.bounds.maxBytes || this.#peek(key) !== undefined) continue;
      this.#add(entry);
      restored++;
    }
    this.tell();
    return restored;
  }

  /** Resolves when all changes are where they are kept; at once without such a place. Rejects once that is closed. */
  async flush(): Promise<void> {
    await this.#keeper?.flush();
  }

  /**
   * The end: loads are aborted, those who wait for one reject with an `AbortError`, and all entries are let go, after a
   * last flush where they are kept. From then on `get` misses, `set` stores nothing and `fetch` rejects. Whoever calls it
   * again waits for the same end, and hears the same of it.
   */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    this.#isClosed = true;
    this.#isOpen = false;
    this.#loads.close(closedError());
    if (this.#following !== undefined) unfollow(this.#following);
    try {
      await this.#keeper?.close();
    } finally {
      this.clear();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** From now on the keeper hears of every change. */
  [KEEP](keeper: CacheKeeper): void {
    this.#keeper = keeper;
  }

  #use(key: string): Entry<Value> | undefined {
    const entry = this.#store.use(key);
    if (entry !== undefined) {
      const nowMs = this.#now();
      if (entry.isGood(nowMs)) {
        entry.lastAccessMs = nowMs;
        entry.accesses++;
        this.#tally.hits++;
        this.#keeper?.changed("access");
        if (this.isHeard("hit")) {
          this.note("hit", { key, value: entry.value });
          this.tell();
        }
        return entry;
      }
      this.#store.remove(entry, "expire");
    }
    this.#tally.misses++;
    if (this.isHeard("miss")) this.note("miss", { key });
    this.tell();
    return undefined;
  }

  #peek(key: string): Entry<Value> | undefined {
    const entry = this.#store.peek(key);
    return entry?.isGood(entry.expiresAtMs === Infinity ? 0 : this.#now()) === true ? entry : undefined;
  }

  /** The store, without what has expired. */
  #sweep(): EntryStore<Value> {
    if (this.#store.nextExpiryMs !== Infinity) this.#store.removeExpired(this.#now());
    return this.#store;
  }

  #bytesOf(key: string, value: Value, tags: readonly string[], given: number | undefined): number {
    if (given !== undefined) return checkBytes("bytes", given);
    if (this.#sizeOf !== undefined) return checkBytes("what sizeOf answers", this.#sizeOf(value, key));
    return estimateEntryBytes(key, value, tags);
  }

  #put(key: string, value: Value, bytes: number, tags: readonly string[], ttlMs: number | undefined): boolean {
    this.#sweep();
    if (bytes > this.#store.bounds.maxBytes) {
      this.#tally.refusals++;
      const old = this.#store.peek(key);
      if (old !== undefined) this.#store.remove(old, "replace");
      if (this.isHeard("refuse")) this.note("refuse", { key, value, bytes, tags });
      return false;
    }
    const storedAtMs = this.#now();
    const expiresAtMs = storedAtMs + (ttlMs ?? this.#ttlMs);
    if (this.isHeard("set")) this.note("set", { key, value, bytes, tags });
    this.#add(new Entry(key, value, { bytes, tags, storedAtMs, usesDefaultTtl: ttlMs === undefined, expiresAtMs }));
    this.#keeper?.changed("content");
    return true;
  }

  #add(entry: Entry<Value>): void {
    if (entry.tags.length > 0) this.#follow();
    this.#store.add(entry);
  }

  #follow(): void {
    if (!this.#isClosed) this.#following ??= follow({ dropTagged: (tag) => this.#dropTagged(tag) });
  }

  #dropTagged(tag: string): readonly string[] {
    this.#generation++;
    this.#loads.overtakeTagged(tag);
    const keys = this.#sweep().removeTagged(tag);
    if (this.isHeard("invalidate")) this.note("invalidate", { tag, keys });
    this.tell();
    return keys;
  }

  #onRemoved(entry: Entry<Value>, reason: RemovalReason): void {
    this.#keeper?.changed("content");
    this.#tally.onRemoved(reason);
    if (reason === "expire" || reason === "delete") {
      if (this.isHeard(reason)) this.note(reason, eventOf(entry));
    } else if ((reason === "entries" || reason === "bytes") && this.isHeard("evict")) {
      this.note("evict", { ...eventOf(entry), reason });
    }
  }
}

const NO_OPTIONS = {};

function closedError(): DOMException {
  return new DOMException("the cache is closed", "AbortError");
}
