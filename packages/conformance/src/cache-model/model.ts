/**
 * What a caller of a cache may expect, said as plainly as possible: a list of entries, least recently used first, from
 * which whatever has expired is gone at once. Slow, and obviously right.
 */

export interface ModelEntry {
  readonly key: string;
  readonly value: number;
  readonly bytes: number;
  readonly tags: readonly string[];
  readonly storedAtMs: number;
  /** Undefined: the cache's. */
  readonly ttlMs: number | undefined;
  accesses: number;
}

export interface ModelLoad {
  readonly key: string;
  readonly tags: Set<string>;
  readonly settings: LoadSettings;
  readonly callers: ModelCaller[];
  /** False: overtaken, abandoned or over. Its value is not stored, and nobody joins it. */
  isCurrent: boolean;
  isAbandoned: boolean;
  isOver: boolean;
}

export interface LoadSettings {
  readonly ttlMs: number | undefined;
  readonly bytes: number;
  readonly cacheFailuresMs: number | undefined;
}

/** What one caller of `fetch` has got so far. */
export type Answer =
  | { readonly state: "waiting" }
  | { readonly state: "resolved"; readonly value: number }
  | { readonly state: "rejected"; readonly error: unknown };

export interface ModelCaller {
  answer: Answer;
  readonly load: ModelLoad | undefined;
}

export interface ModelLimits {
  maxEntries: number;
  maxBytes: number;
  ttlMs: number;
}

export class CacheModel {
  entries: ModelEntry[] = [];
  readonly limits: ModelLimits;
  readonly loads: ModelLoad[] = [];
  readonly callers: ModelCaller[] = [];
  readonly #failures = new Map<string, { error: unknown; untilMs: number; tags: ReadonlySet<string> }>();
  nowMs = 0;
  readonly counts = {
    hits: 0,
    misses: 0,
    evictedByEntries: 0,
    evictedByBytes: 0,
    expirations: 0,
    invalidations: 0,
    refusals: 0,
    loads: 0,
    loadFailures: 0,
  };

  constructor(limits: ModelLimits) {
    this.limits = { ...limits };
  }

  get bytes(): number {
    return this.entries.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  expiryOf({ storedAtMs, ttlMs }: ModelEntry): number {
    return storedAtMs + (ttlMs ?? this.limits.ttlMs);
  }

  find(key: string): ModelEntry | undefined {
    return this.entries.find((entry) => entry.key === key);
  }

  get(key: string): ModelEntry | undefined {
    const entry = this.find(key);
    if (entry === undefined) {
      this.counts.misses++;
      return undefined;
    }
    this.counts.hits++;
    entry.accesses++;
    this.entries = [...this.entries.filter((other) => other !== entry), entry];
    return entry;
  }

  set(entry: Omit<ModelEntry, "storedAtMs" | "accesses">): boolean {
    this.overtake(entry.key);
    return this.#store(entry);
  }

  delete(key: string): boolean {
    this.overtake(key);
    const before = this.entries.length;
    this.entries = this.entries.filter((entry) => entry.key !== key);
    return this.entries.length < before;
  }

  clear(): void {
    for (const load of this.loads) load.isCurrent = false;
    this.#failures.clear();
    this.entries = [];
  }

  invalidate(tag: string): number {
    for (const load of this.loads) if (load.tags.has(tag)) load.isCurrent = false;
    for (const [key, { tags }] of this.#failures) if (tags.has(tag)) this.#failures.delete(key);
    const gone = this.entries.filter(({ tags }) => tags.includes(tag)).length;
    this.entries = this.entries.filter(({ tags }) => !tags.includes(tag));
    this.counts.invalidations += gone;
    return gone;
  }

  passTime(ms: number): void {
    this.nowMs += ms;
    this.#expire();
  }

  resize(limits: Partial<ModelLimits>): void {
    Object.assign(this.limits, limits);
    this.#expire();
    this.#keepBounds();
  }

  /** Another cache goes on with what this one held. Who waited for a load of the old one hears the reason. */
  reopen(reason: unknown): void {
    for (const load of this.loads) {
      load.isCurrent = false;
      if (load.callers.some(({ answer }) => answer.state === "waiting")) load.isAbandoned = true;
      this.#answer(load, { state: "rejected", error: reason });
    }
    this.#failures.clear();
    for (const name of Object.keys(this.counts) as (keyof CacheModel["counts"])[]) this.counts[name] = 0;
  }

  beginFetch(key: string, tags: readonly string[], settings: LoadSettings): ModelCaller {
    const caller = this.#begin(key, tags, settings);
    this.callers.push(caller);
    return caller;
  }

  endLoad(load: ModelLoad, end: { readonly value: number } | { readonly error: unknown }): void {
    const isCurrent = load.isCurrent;
    load.isCurrent = false;
    load.isOver = true;
    if ("value" in end) {
      const { ttlMs, bytes } = load.settings;
      if (isCurrent) this.#store({ key: load.key, value: end.value, bytes, tags: [...load.tags], ttlMs });
      this.#answer(load, { state: "resolved", value: end.value });
      return;
    }
    const { cacheFailuresMs } = load.settings;
    if (isCurrent) this.counts.loadFailures++;
    if (isCurrent && cacheFailuresMs !== undefined) {
      this.#failures.set(load.key, { error: end.error, untilMs: this.nowMs + cacheFailuresMs, tags: load.tags });
    }
    this.#answer(load, { state: "rejected", error: end.error });
  }

  abort(caller: ModelCaller, reason: unknown): void {
    const { load } = caller;
    if (caller.answer.state !== "waiting" || load === undefined) return;
    caller.answer = { state: "rejected", error: reason };
    if (load.callers.some(({ answer }) => answer.state === "waiting")) return;
    load.isCurrent = false;
    load.isAbandoned = true;
  }

  overtake(key: string): void {
    for (const load of this.loads) if (load.key === key) load.isCurrent = false;
    this.#failures.delete(key);
  }

  #begin(key: string, tags: readonly string[], settings: LoadSettings): ModelCaller {
    const entry = this.get(key);
    if (entry !== undefined) return { answer: { state: "resolved", value: entry.value }, load: undefined };
    const failure = this.#failures.get(key);
    if (failure !== undefined && this.nowMs < failure.untilMs) {
      return { answer: { state: "rejected", error: failure.error }, load: undefined };
    }
    let load = this.loads.find((one) => one.key === key && one.isCurrent);
    if (load === undefined) {
      const isNew = { isCurrent: true, isAbandoned: false, isOver: false };
      load = { key, tags: new Set(), settings, callers: [], ...isNew };
      this.loads.push(load);
      this.counts.loads++;
    }
    for (const tag of tags) load.tags.add(tag);
    const caller: ModelCaller = { answer: { state: "waiting" }, load };
    load.callers.push(caller);
    return caller;
  }

  #answer(load: ModelLoad, answer: Answer): void {
    for (const caller of load.callers) if (caller.answer.state === "waiting") caller.answer = answer;
  }

  #store(entry: Omit<ModelEntry, "storedAtMs" | "accesses">): boolean {
    this.entries = this.entries.filter(({ key }) => key !== entry.key);
    if (entry.bytes > this.limits.maxBytes) {
      this.counts.refusals++;
      return false;
    }
    this.entries.push({ ...entry, storedAtMs: this.nowMs, accesses: 0 });
    this.#keepBounds();
    return true;
  }

  #expire(): void {
    const live = this.entries.filter((entry) => this.expiryOf(entry) > this.nowMs);
    this.counts.expirations += this.entries.length - live.length;
    this.entries = live;
  }

  #keepBounds(): void {
    for (;;) {
      if (this.entries.length > this.limits.maxEntries) this.counts.evictedByEntries++;
      else if (this.bytes > this.limits.maxBytes) this.counts.evictedByBytes++;
      else return;
      this.entries.shift();
    }
  }
}
