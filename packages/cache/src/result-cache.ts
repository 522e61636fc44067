/** The results of finished jobs by their id: least recently used first out, bounded in entries and in bytes. */
import { LRUCache } from "lru-cache";
import { estimateBytes } from "./estimate-bytes.js";

export interface ResultCacheOptions {
  /** Entries kept at the most. Default 64. */
  readonly maxEntries?: number;
  /** Estimated bytes kept at the most; a value that is larger alone is not kept at all. Default 64 MiB. */
  readonly maxBytes?: number;
}

export interface ResultCacheStats {
  readonly entries: number;
  readonly bytes: number;
  readonly hits: number;
  readonly misses: number;
  /** Hits among all look-ups; 0 before the first. */
  readonly hitRate: number;
  readonly evictions: number;
}

/**
 * Values are shared by reference: what one caller changes, the next one sees. A stored `undefined` is a hit, so ask
 * `has` where it matters.
 */
export class ResultCache<Value> {
  readonly #entries: LRUCache<string, { readonly value: Value }>;
  #hits = 0;
  #misses = 0;
  #evictions = 0;

  /** @throws {RangeError} a bound that is not a whole number above 0. */
  constructor(options: ResultCacheOptions = {}) {
    const { maxEntries = 64, maxBytes = 64 * 1024 * 1024 } = options;
    for (const [name, value] of Object.entries({ maxEntries, maxBytes })) {
      if (!Number.isSafeInteger(value) || value < 1) {
        throw new RangeError(`${name} must be a whole number above 0, not ${value}`);
      }
    }
    this.#entries = new LRUCache({
      max: maxEntries,
      maxSize: maxBytes,
      sizeCalculation: ({ value }) => Math.max(estimateBytes(value), 1),
      dispose: (_value, _key, reason) => {
        if (reason === "evict") this.#evictions++;
      },
    });
  }

  /** The value, which becomes the most recently used one; counted as a hit or a miss. */
  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) this.#misses++;
    else this.#hits++;
    return entry?.value;
  }

  /** The value, without a trace: neither its place nor the counts change. */
  peek(key: string): Value | undefined {
    return this.#entries.peek(key)?.value;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** Stores the value; false if it is larger than the whole cache may be. */
  set(key: string, value: Value): boolean {
    this.#entries.set(key, { value });
    return this.#entries.has(key);
  }

  delete(key: string): boolean {
    return this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  get stats(): ResultCacheStats {
    const lookUps = this.#hits + this.#misses;
    return {
      entries: this.#entries.size,
      bytes: this.#entries.calculatedSize,
      hits: this.#hits,
      misses: this.#misses,
      hitRate: lookUps === 0 ? 0 : this.#hits / lookUps,
      evictions: this.#evictions,
    };
  }
}
