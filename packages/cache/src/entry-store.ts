/**
 * The entries of a cache: who is where in the order of use, who expires when, who has which tag; bounded in entries and
 * in bytes. It knows no clock, no events and no statistics: it says what it lets go of, and why.
 */
import { LRUCache } from "lru-cache";
import { ExpiryQueue } from "./expiry-queue.js";
import { isInTime } from "./stored-entry.js";

/** Why an entry went: `entries` and `bytes` are the bounds. */
export type RemovalReason = "replace" | "delete" | "clear" | "invalidate" | "expire" | "entries" | "bytes";

export class Entry<Value> {
  accesses = 0;
  isGone = false;
  readonly key: string;
  readonly value: Value;
  readonly bytes: number;
  readonly tags: readonly string[];
  readonly storedAtMs: number;
  readonly usesDefaultTtl: boolean;
  /** Infinity: never. */
  expiresAtMs: number;
  lastAccessMs: number;

  constructor(
    key: string,
    value: Value,
    facts: Pick<Entry<Value>, "bytes" | "tags" | "storedAtMs" | "usesDefaultTtl" | "expiresAtMs">,
  ) {
    this.key = key;
    this.value = value;
    this.bytes = facts.bytes;
    this.tags = facts.tags;
    this.storedAtMs = facts.storedAtMs;
    this.usesDefaultTtl = facts.usesDefaultTtl;
    this.expiresAtMs = facts.expiresAtMs;
    this.lastAccessMs = facts.storedAtMs;
  }

  isGood(nowMs: number): boolean {
    return this.expiresAtMs === Infinity || isInTime(this.storedAtMs, this.expiresAtMs, nowMs);
  }
}

export interface StoreBounds {
  maxEntries: number;
  maxBytes: number;
}

export class EntryStore<Value> {
  readonly bounds: StoreBounds;
  /**
   * lru-cache cannot change its bounds once it is made, and allocates `max` places at once. So it keeps the order and
   * the sum of the sizes, and letting go is done here; it insists on some bound, which is never reached, not even by
   * the largest that a cache may have and one more value.
   */
  readonly #lru = new LRUCache<string, Entry<Value>>({
    maxSize: Number.MAX_VALUE,
    sizeCalculation: (entry) => entry.bytes,
  });
  readonly #expiring = new ExpiryQueue<Entry<Value>>();
  readonly #byTag = new Map<string, Set<Entry<Value>>>();
  readonly #onRemoved: (entry: Entry<Value>, reason: RemovalReason) => void;

  constructor(bounds: StoreBounds, onRemoved: (entry: Entry<Value>, reason: RemovalReason) => void) {
    this.bounds = bounds;
    this.#onRemoved = onRemoved;
  }

  get entries(): number {
    return this.#lru.size;
  }

  get bytes(): number {
    return this.#lru.calculatedSize;
  }

  /** When the next entry expires; Infinity if none does. */
  get nextExpiryMs(): number {
    return this.#expiring.nextMs;
  }

  /** The entry, also an expired one, which becomes the most recently used. */
  use(key: string): Entry<Value> | undefined {
    return this.#lru.get(key);
  }

  /** The entry, also an expired one, where it is. */
  peek(key: string): Entry<Value> | undefined {
    return this.#lru.peek(key);
  }

  /** Least recently used first. */
  *oldestFirst(): Iterable<Entry<Value>> {
    for (const entry of this.#lru.rvalues()) if (entry !== undefined) yield entry;
  }

  /** As the most recently used one, in place of what had its key; others may have to go. It must fit alone. */
  add(entry: Entry<Value>): void {
    const old = this.#lru.peek(entry.key);
    this.#lru.set(entry.key, entry);
    if (old !== undefined) this.#forget(old, "replace");
    if (entry.expiresAtMs !== Infinity) this.#expiring.add(entry);
    for (const tag of entry.tags) {
      const tagged = this.#byTag.get(tag);
      if (tagged === undefined) this.#byTag.set(tag, new Set([entry]));
      else tagged.add(entry);
    }
    this.keepBounds();
  }

  remove(entry: Entry<Value>, reason: RemovalReason): void {
    this.#lru.delete(entry.key);
    this.#forget(entry, reason);
  }

  clear(): void {
    for (const entry of [...this.oldestFirst()]) this.remove(entry, "clear");
  }

  /** Answers the keys that had the tag. */
  removeTagged(tag: string): string[] {
    const tagged = [...(this.#byTag.get(tag) ?? [])];
    for (const entry of tagged) this.remove(entry, "invalidate");
    return tagged.map(({ key }) => key);
  }

  removeExpired(nowMs: number): void {
    for (let due = this.#expiring.takeDue(nowMs); due !== undefined; due = this.#expiring.takeDue(nowMs)) {
      this.#lru.delete(due.key);
      this.#forget(due, "expire", false);
    }
  }

  /** Lets the least recently used go until the bounds hold. */
  keepBounds(): void {
    for (;;) {
      const reason = this.entries > this.bounds.maxEntries ? "entries" : "bytes";
      if (reason === "bytes" && this.bytes <= this.bounds.maxBytes) return;
      const oldest = this.#lru.pop();
      if (oldest === undefined) return;
      this.#forget(oldest, reason);
    }
  }

  /** The cache's own time to live has changed: it holds for all entries that have none of their own. */
  changeDefaultTtl(ttlMs: number): void {
    const entries = [...this.oldestFirst()];
    for (const entry of entries) if (entry.usesDefaultTtl) entry.expiresAtMs = entry.storedAtMs + ttlMs;
    this.#expiring.rebuild(entries.filter(({ expiresAtMs }) => expiresAtMs !== Infinity));
  }

  #forget(entry: Entry<Value>, reason: RemovalReason, isQueued = entry.expiresAtMs !== Infinity): void {
    entry.isGone = true;
    if (isQueued) this.#expiring.onGone();
    for (const tag of entry.tags) {
      const tagged = this.#byTag.get(tag);
      tagged?.delete(entry);
      if (tagged?.size === 0) this.#byTag.delete(tag);
    }
    this.#onRemoved(entry, reason);
  }
}
