/**
 * Single items that were had before: which of a job's items have their value in the caller's store, and what is put
 * there when a value has been computed. The store and the key are the caller's code: they are called at rest only.
 *
 * An item whose key another one has that is to be run already waits for it. It gets its value, whatever the store makes
 * of that; if the other one fails, it is run like any other. It has its place between source and reader meanwhile, and
 * can hold nobody up: the one that it waits for came before it, and never waits itself.
 */
import { InvalidArgumentError, type BatchIndices, type Column, type PositionFailure } from "@threadmill/protocol";
import type { IndexRange, Sorting } from "../scheduler/index.js";
import { warn } from "../warn.js";
import { isPromiseLike } from "./caller-iterator.js";

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

/** Items that were looked up, or have waited, since this was last asked. What is in neither list waits. */
export interface SortedItems {
  /** Those that a thread has to run. */
  readonly toRun: readonly IndexRange[];
  /** Those that were found, and their values one after the other. */
  readonly found: readonly IndexRange[];
  readonly values: readonly unknown[];
}

/** As the scheduler needs it. */
export function sortingOf({ toRun, values }: SortedItems): Sorting {
  return { found: values.length, toRun };
}

export class ItemMemo {
  readonly #store: ItemCache<unknown>;
  readonly #key: (item: unknown, index: number) => string | undefined;
  readonly #isFresh: boolean;
  /** Of items whose value is to be stored. */
  readonly #keys = new Map<number, string>();
  /** The keys of items that are to be run, and who waits for those. */
  readonly #waiting = new Map<string, number[]>();
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
    const value = refusePromise(this.#store.get(key));
    if (value === undefined) {
      // A stored one is a hit.
      this.#doing = "cache.store.has";
      if (!refusePromise(this.#store.has(key))) return false;
    }
    this.#noteFound(index, value);
    return true;
  }

  #noteFound(index: number, value: unknown): void {
    extend(this.#found, index);
    this.#values.push(value);
  }

  /** The item has not been found, and there is room for it: it goes to a thread, unless it can wait for another one. */
  noteMissing(index: number): void {
    const key = this.#isFresh ? undefined : this.#keys.get(index);
    const waiting = key === undefined ? undefined : this.#waiting.get(key);
    if (waiting !== undefined) {
      waiting.push(index);
      return;
    }
    if (key !== undefined) this.#waiting.set(key, []);
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
      for (const other of this.#takeWaiting(key)) {
        this.#keys.delete(other);
        this.#noteFound(other, values[position]);
      }
    }
  }

  /** The item has failed for good. Those that have waited for it are run. */
  noteFailed(index: number): void {
    const key = this.#keys.get(index);
    if (key !== undefined) for (const other of this.#takeWaiting(key)) extend(this.#toRun, other);
  }

  #takeWaiting(key: string): readonly number[] {
    const waiting = this.#waiting.get(key) ?? [];
    this.#waiting.delete(key);
    return waiting;
  }

  /** These items have ended, whether or not they have a value. */
  release(start: number, count: number): void {
    if (this.#keys.size === 0) return;
    for (let index = start; index < start + count; index++) this.#keys.delete(index);
  }

  close(): void {
    this.#keys.clear();
    this.#waiting.clear();
    this.takeSorted();
  }
}

/** It would be taken for a value, or for true. */
function refusePromise<Answer>(answer: Answer): Answer {
  if (!isPromiseLike(answer)) return answer;
  throw new InvalidArgumentError("it answers with a promise, and must answer with a value");
}

function reportStore(error: unknown): void {
  warn("THREADMILL_CACHE_STORE", "cache.store.set rejected", error);
}

/** Adds the index, in the order in which they come. */
function extend(ranges: IndexRange[], index: number): void {
  const last = ranges[ranges.length - 1];
  if (last !== undefined && last.start + last.count === index) last.count++;
  else ranges.push({ start: index, count: 1 });
}
