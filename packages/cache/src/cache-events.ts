/** What a cache tells its listeners, and what each event holds. */

/** An entry as an event shows it. */
export interface EntryEvent<Value> {
  readonly key: string;
  readonly value: Value;
  readonly bytes: number;
  readonly tags: readonly string[];
}

export interface EvictEvent<Value> extends EntryEvent<Value> {
  /** The bound that did not hold. */
  readonly reason: "entries" | "bytes";
}

export interface InvalidateEvent {
  readonly tag: string;
  /** The keys that were stored with it; loads in flight are not among them. */
  readonly keys: readonly string[];
}

/**
 * Told after the operation that caused them, in the order in which things happened. A listener may use the cache; what
 * it throws, or rejects with, becomes a process warning (`THREADMILL_LISTENER`).
 */
export interface CacheEvents<Value> {
  hit: (event: { readonly key: string; readonly value: Value }) => void;
  miss: (event: { readonly key: string }) => void;
  set: (event: EntryEvent<Value>) => void;
  /** A value that is larger alone than the whole cache may be was not stored. */
  refuse: (event: EntryEvent<Value>) => void;
  evict: (event: EvictEvent<Value>) => void;
  expire: (event: EntryEvent<Value>) => void;
  delete: (event: EntryEvent<Value>) => void;
  clear: (event: { readonly entries: number }) => void;
  invalidate: (event: InvalidateEvent) => void;
}
