/**
 * Where a job's items come from and where they are until their outcome is certain. Arrays are there from the start;
 * other sources are pulled as the scheduler asks, and what was pulled is kept until it need not be sent again.
 */
import { InvalidArgumentError, type NumberColumn, isNumberColumn, toSharedColumn } from "@threadmill/protocol";
import { CallerIterator } from "./caller-iterator.js";
import type { ItemMemo, SortedItems } from "./item-memo.js";
import { ListSource } from "./list-source.js";
import { PulledSource } from "./pulled-source.js";

export type Items<Item> = Iterable<Item> | AsyncIterable<Item>;

/** What the source tells the job. `onItems` comes before the `onPulled` of the same pull. */
export interface SourceListener {
  onItems(count: number, sorted?: SortedItems): void;
  /** The pull is over: it got what it asked for, or there is no more. */
  onPulled(ended: boolean): void;
  onFailed(cause: unknown): void;
  /** The source is another job's values, and that job was cancelled. */
  onCancelled(reason: unknown): void;
  /** Calls back when no event is being handled: the caller's iterator must not run inside a step of the scheduler. */
  atRest(callback: () => void): void;
}

export interface SourceOptions {
  /** Hand even an array out piece by piece, because a reader sets the pace. */
  readonly isPaced: boolean;
  readonly weigh: ((item: never) => number) | undefined;
  readonly maxInFlightBytes: number;
  /** Items that it finds are not to be run. */
  readonly memo?: ItemMemo | undefined;
}

/** @throws {InvalidArgumentError} what is not a collection of items, or is one that nobody means as such. */
export function openSource(items: unknown, options: SourceOptions, listener: SourceListener): Source {
  if (typeof items === "string") {
    throw new InvalidArgumentError("run: items is a string, whose items would be its characters; put it in an array");
  }
  if (items instanceof Uint8Array && Buffer.isBuffer(items)) {
    throw new InvalidArgumentError("run: items is a Buffer, whose items would be its bytes; put it in an array");
  }
  if (Array.isArray(items) || (ArrayBuffer.isView(items) && !(items instanceof DataView))) {
    // Read as the job goes, as any other source is: a copy of a large array takes longer than all else that is done with
    // it. Numbers in memory are copied to where all threads see them, unless they lie there already.
    const list = isNumberColumn(items) ? share(items) : (items as unknown[]);
    if (options.weigh !== undefined || options.memo !== undefined) {
      const values = { [Symbol.iterator]: () => Array.prototype.values.call(list) as Iterator<unknown> };
      return new PulledSource(new CallerIterator(values), options, listener, list.length);
    }
    return new ListSource(list, options.isPaced ? listener : undefined);
  }
  if (isIterable(items)) return new PulledSource(new CallerIterator(items), options, listener, undefined);
  const isPromise = typeof (items as Partial<Promise<unknown>> | null)?.then === "function";
  const got = items === null ? "null" : isPromise ? "a promise; await it first" : typeof items;
  throw new InvalidArgumentError(
    `run: items must be an array, a typed array, an iterable or an async iterable, not ${got}`,
  );
}

function share(column: NumberColumn): NumberColumn {
  try {
    return toSharedColumn(column);
  } catch (error) {
    // Its memory was transferred away, or there is none for a copy.
    throw new InvalidArgumentError(`run: items cannot be copied: ${(error as Error).message}`, { cause: error });
  }
}

function isIterable(items: unknown): items is Items<unknown> {
  if (typeof items !== "object" || items === null) return false;
  const { [Symbol.asyncIterator]: asynchronous, [Symbol.iterator]: synchronous } = items as Partial<
    Iterable<unknown> & AsyncIterable<unknown>
  >;
  return typeof asynchronous === "function" || typeof synchronous === "function";
}

/** What is wrong with a source: `cause` may be anything, since the caller's code may have thrown it. */
export interface SourceFault {
  readonly cause: unknown;
}

/** What a batch holds, and what the scheduler may ask for again. */
export interface Source {
  /** Items there are at the start; the rest is pulled. */
  readonly supplied: number;
  readonly isEnded: boolean;
  /** How many there will be, where that is known. */
  readonly length: number | undefined;
  /** The items as the array of numbers that they lie in, if they do. Empty after `close`. */
  readonly column: NumberColumn | undefined;
  /** Why no more can be taken, or what was taken last is not to be sent; undefined while all is well. */
  readonly fault: SourceFault | undefined;
  pull(max: number): void;
  /** The items of a new batch, to be sent at once: the array may be used again by the next call. */
  take(indices: number | readonly number[], count: number): unknown[];
  /** These positions of a batch were not run, or go again. `items`: as they were taken. */
  giveBack(indices: number | readonly number[], items: readonly unknown[], from: number, to: number): void;
  /** The outcomes of these items are certain, and read where a reader sets the pace. */
  release(start: number, count: number): void;
  /** No more items are wanted. Calls the source's `return`, and does not wait for it. */
  close(): void;
}
