/** An entry in the forms in which others see it: in the list of all entries, and as it is kept beyond its process. */
import type { EntryEvent } from "./cache-events.js";
import type { EntryInfo } from "./cache-stats.js";
import { Entry } from "./entry-store.js";
import type { StoredEntry } from "./stored-entry.js";

export function infoOf(entry: Entry<unknown>, nowMs: number): EntryInfo {
  const { key, bytes, accesses, lastAccessMs, expiresAtMs, tags, storedAtMs } = entry;
  const doesExpire = expiresAtMs !== Infinity;
  return {
    key,
    bytes,
    ageMs: Math.max(0, nowMs - storedAtMs),
    accesses,
    lastAccessMs,
    expiresAtMs: doesExpire ? expiresAtMs : undefined,
    expiresInMs: doesExpire ? expiresAtMs - nowMs : undefined,
    tags,
  };
}

export function eventOf<Value>({ key, value, bytes, tags }: Entry<Value>): EntryEvent<Value> {
  return { key, value, bytes, tags };
}

/** One at a time, as they are asked for. */
export function* toStored<Value>(entries: Iterable<Entry<Value>>): Iterable<StoredEntry<Value>> {
  for (const entry of entries) {
    const { key, value, bytes, tags, storedAtMs, expiresAtMs, usesDefaultTtl, lastAccessMs, accesses } = entry;
    const expiry = expiresAtMs === Infinity ? undefined : expiresAtMs;
    yield { key, value, bytes, tags, storedAtMs, expiresAtMs: expiry, usesDefaultTtl, lastAccessMs, accesses };
  }
}

/** `ttlMs` is the cache's own, for entries that have none. */
export function fromStored<Value>(stored: StoredEntry<Value>, ttlMs: number): Entry<Value> {
  const { key, value, bytes, tags, storedAtMs, usesDefaultTtl } = stored;
  const expiresAtMs = usesDefaultTtl ? storedAtMs + ttlMs : (stored.expiresAtMs ?? Infinity);
  const entry = new Entry(key, value, { bytes, tags, storedAtMs, usesDefaultTtl, expiresAtMs });
  entry.lastAccessMs = stored.lastAccessMs;
  entry.accesses = stored.accesses;
  return entry;
}
