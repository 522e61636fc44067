/**
 * Single items that were had before: which of a job's items have their value in the caller's store, and what is put
 * there when a value has been computed. The store and the key are the caller's code: they are called at rest only.
 */
import { InvalidArgumentError, type BatchIndices, type Column, type PositionFailure } from "@threadmill/protocol";
import type { IndexRange } from "../scheduler/index.js";
import { warn } from "../warn.js";

/**
 * Where values of single items are kept: a `ResultCache`, a `Map`, or anything else that answers at once. It is asked
 * `has` only after `get` has said `undefined`, so that an entry which expires between the two is a miss.
 */
export interface ItemCache<Value> {
  readonly get: (key: string) => Value | undefined;
  readonly has: (key: string) => boolean;
  readonly set: (key: string, value: Value) => unknown;
}

export interface ItemCacheOptions<Item, Value> {
  readonly store: ItemCache<Value>;
  /**
   * What the item's value depends on, beside the task: make it with `fingerprint`, and put the task's options and the
   * version of its model in. `undefined`: this item is neither looked up nor stored.
   */
  readonly key: (item: Item, index: number) => string | undefined;
}

/** Some items of a source that came together, sorted. */
export interface SortedItems {
  /** Those that a thread has to run. */
  readonly toRun: readonly IndexRange[];
  /** Those that were found, and their values one after the other. */
  readonly found: readonly IndexRange[];
  readonly values: readonly unknown[];
}

export class ItemMemo {
  readonly #store: ItemCache<unknown>;
  readonly #key: (item: unknown, index: number) => string | undefined;
  readonly #isFresh: boolean;
  /** Of items whose value is to be stored. */
  readonly #keys = new Map<number, string>();
  #toRun: IndexRange[] = [];
  #found: IndexRange[] = [];
  #values: unknown[] = [];
  /** The caller's code that is being called, and for which item: known when it throws. */
  #doing: "cache.key" | "cache.store.get" | "cache.store.has" | "cache.store.set" | undefined;
  #doingFor = 0;

  /** `isFresh`: nothing is looked up, but what is computed is stored. */
  constructor({ store, key }: ItemCacheOptions<never, unknown>, isFresh: boolean) {
    this.#store = store;
    this.#key = key as (item: unknown, index: number) => string | undefined;
    this.#isFresh = isFresh;
  }

  /** What the caller's code has failed in; undefined if it has not. */
  get fault(): string | undefined {
    return this.#doing === undefined ? undefined : `${this.#doing} failed for item ${this.#doingFor}`;
  }

  /** Whether the item has its value already. Throws what the caller's code throws. */
  lookUp(item: unknown, index: number): boolean {
    this.#doingFor = index;
    this.#doing = "cache.key";
    const key = this.#key(item, index);
    if (key === undefined) {
      this.#doing = undefined;
      return false;
    }
    if (typeof key !== "string") {
      throw new InvalidArgumentError(`a key must be a string or undefined, not ${key === null ? "null" : typeof key}`);
    }
    const isFound = !this.#isFresh && this.#isStored(key, index);
    if (!isFound) this.#keys.set(index, key);
    this.#doing = undefined;
    return isFound;
  }

  #isStored(key: string, index: number): boolean {
    this.#doing = "cache.store.get";
    const value = this.#store.get(key);
    if (value === undefined) {
      // A stored one is a hit.
      this.#doing = "cache.store.has";
      if (!this.#store.has(key)) return false;
    }
    if (typeof (value as PromiseLike<unknown> | null | undefined)?.then === "function") {
      throw new InvalidArgumentError("it answers with a promise, and must answer with a value");
    }
    extend(this.#found, index);
    this.#values.push(value);
    return true;
  }

  /** The item goes to a thread. */
  noteToRun(index: number): void {
    extend(this.#toRun, index);
  }

  /** What came since it was last asked. */
  takeSorted(): SortedItems {
    const sorted = { toRun: this.#toRun, found: this.#found, values: this.#values };
    this.#toRun = [];
    this.#found = [];
    this.#values = [];
    return sorted;
  }

  /** Stores what was computed, as far as it did not fail. Throws what the store throws. */
  store(
    indices: BatchIndices,
    claimed: number,
    values: Column,
    failures: readonly PositionFailure[] | undefined,
  ): void {
    if (this.#keys.size === 0) return;
    const failed = failures === undefined ? undefined : new Set(failures.map(([position]) => position));
    for (let position = 0; position < claimed; position++) {
      if (failed?.has(position)) continue;
      const index = typeof indices === "number" ? indices + position : (indices[position] as number);
      const key = this.#keys.get(index);
      if (key === undefined) continue;
      this.#keys.delete(index);
      this.#doingFor = index;
      this.#doing = "cache.store.set";
      const answer = this.#store.set(key, values[position]);
      this.#doing = undefined;
      // Nobody waits for it, but a rejection that goes unheard would end the process.
      if (answer instanceof Promise) answer.catch(reportStore);
    }
  }

  /** These items have ended, whether or not they have a value. */
  release(start: number, count: number): void {
    if (this.#keys.size === 0) return;
    for (let index = start; index < start + count; index++) this.#keys.delete(index);
  }

  close(): void {
    this.#keys.clear();
    this.takeSorted();
  }
}

function reportStore(error: unknown): void {
  warn("THREADMILL_CACHE_STORE", "cache.store.set rejected", error);
}

/** Adds the index, which is above all that are there. */
function extend(ranges: IndexRange[], index: number): void {
  const last = ranges[ranges.length - 1];
  if (last !== undefined && last.start + last.count === index) last.count++;
  else ranges.push({ start: index, count: 1 });
}
