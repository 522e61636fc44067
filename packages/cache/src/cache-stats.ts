/** The figures of a cache. */
import type { RemovalReason } from "./entry-store.js";

export interface ResultCacheStats {
  readonly entries: number;
  /** As `maxBytes` counts them. */
  readonly bytes: number;
  readonly maxEntries: number;
  readonly maxBytes: number;
  /** Which part of each bound is used, from 0 to 1. */
  readonly utilisation: { readonly entries: number; readonly bytes: number };
  readonly hits: number;
  /** Look-ups that found nothing, also those that then shared a load. */
  readonly misses: number;
  /** Hits among all look-ups; 0 before the first. */
  readonly hitRate: number;
  /** Entries that went because of a bound, and because of which. */
  readonly evictions: number;
  readonly evictionsByReason: { readonly entries: number; readonly bytes: number };
  readonly expirations: number;
  /** Entries that a tag took away. */
  readonly invalidations: number;
  /** Values that were larger alone than the whole cache may be. */
  readonly refusals: number;
  /** Loads begun by `fetch`, and those of them that failed. */
  readonly loads: number;
  readonly loadFailures: number;
}

/** One entry, as `entries()` lists it. */
export interface EntryInfo {
  readonly key: string;
  readonly bytes: number;
  readonly ageMs: number;
  /** Hits, and when the last was (or when it was stored). */
  readonly accesses: number;
  readonly lastAccessMs: number;
  /** Undefined: never. */
  readonly expiresAtMs: number | undefined;
  readonly expiresInMs: number | undefined;
  readonly tags: readonly string[];
}

/** What is counted as it happens. */
export class Tally {
  hits = 0;
  misses = 0;
  evictedByEntries = 0;
  evictedByBytes = 0;
  expirations = 0;
  invalidations = 0;
  refusals = 0;
  loads = 0;
  loadFailures = 0;

  onRemoved(reason: RemovalReason): void {
    if (reason === "expire") this.expirations++;
    else if (reason === "entries") this.evictedByEntries++;
    else if (reason === "bytes") this.evictedByBytes++;
    else if (reason === "invalidate") this.invalidations++;
  }

  stats(used: { entries: number; bytes: number }, bounds: { maxEntries: number; maxBytes: number }): ResultCacheStats {
    const lookUps = this.hits + this.misses;
    const { maxEntries, maxBytes } = bounds;
    return {
      ...used,
      maxEntries,
      maxBytes,
      utilisation: { entries: used.entries / maxEntries, bytes: used.bytes / maxBytes },
      hits: this.hits,
      misses: this.misses,
      hitRate: lookUps === 0 ? 0 : this.hits / lookUps,
      evictions: this.evictedByEntries + this.evictedByBytes,
      evictionsByReason: { entries: this.evictedByEntries, bytes: this.evictedByBytes },
      expirations: this.expirations,
      invalidations: this.invalidations,
      refusals: this.refusals,
      loads: this.loads,
      loadFailures: this.loadFailures,
    };
  }
}
