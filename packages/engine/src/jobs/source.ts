/**
 * Where a job's items come from and where they are until their outcome is certain. Arrays are there from the start;
 * other sources are pulled as the scheduler asks, and what was pulled is kept until it need not be sent again.
 */
import { InvalidArgumentError, type NumberColumn, isNumberColumn, toSharedColumn } from "@threadmill/protocol";
import type { ItemMemo, SortedItems } from "./item-memo.js";
import { cancelOf } from "./readers.js";
import { TurnSlice } from "./turn-slice.js";

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

/** How long a synchronous source may hold the main thread before others get their turn. */
const PULL_SLICE_MS = 2;

/** Items that one pull may find. They take no room; but a job that is paused or cancelled has to be noticed. */
const MOST_FOUND = 1_024;

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
    const list = isNumberColumn(items) ? toSharedColumn(items) : (items as unknown[]);
    if (options.weigh !== undefined || options.memo !== undefined) {
      return new PulledSource(listIterator(list), options, listener, list.length);
    }
    return new ListSource(list, options.isPaced ? listener : undefined);
  }
  if (typeof items === "object" && items !== null) {
    const iterable = items as Partial<Iterable<unknown> & AsyncIterable<unknown>>;
    if (typeof iterable[Symbol.asyncIterator] === "function" || typeof iterable[Symbol.iterator] === "function") {
      // One that is an iterator already, such as a generator, is there to be closed even if it is never pulled.
      const opened = typeof (iterable as Partial<AnyIterator>).next === "function" ? iteratorOf(iterable) : undefined;
      return new PulledSource(() => opened ?? iteratorOf(iterable), options, listener, undefined, opened);
    }
  }
  const isPromise = typeof (items as Partial<Promise<unknown>> | null)?.then === "function";
  const got = items === null ? "null" : isPromise ? "a promise; await it first" : typeof items;
  throw new InvalidArgumentError(
    `run: items must be an array, a typed array, an iterable or an async iterable, not ${got}`,
  );
}

type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>;

function iteratorOf(iterable: Partial<Iterable<unknown> & AsyncIterable<unknown>>): AnyIterator {
  const open = iterable[Symbol.asyncIterator] ?? iterable[Symbol.iterator];
  return (open as () => AnyIterator).call(iterable);
}

function listIterator(list: ArrayLike<unknown>): () => Iterator<unknown> {
  return () => Array.prototype.values.call(list) as Iterator<unknown>;
}

/** What is wrong with a source: `cause` may be anything, since the caller's code may have thrown it. */
interface SourceFault {
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

/** Items that are all there. With a listener they are handed out as they are asked for all the same. */
class ListSource implements Source {
  readonly isEnded: boolean;
  readonly supplied: number;
  readonly length: number;
  #list: ArrayLike<unknown>;
  readonly #listener: SourceListener | undefined;
  #pulled = 0;
  #isClosed = false;
  /** What reading an item has thrown: an array may be a proxy, or have getters. */
  #thrown: SourceFault | undefined;
  /**
   * The items of the last batch. Used again, and filled by index: a slice of an array with holes has holes too, and
   * clones four times slower, and an array that grows costs four times as much.
   */
  readonly #batch: unknown[] = [];

  constructor(list: ArrayLike<unknown>, listener: SourceListener | undefined) {
    this.#list = list;
    this.#listener = listener;
    this.length = list.length;
    this.isEnded = listener === undefined;
    this.supplied = this.isEnded ? list.length : 0;
  }

  get column(): NumberColumn | undefined {
    return isNumberColumn(this.#list) ? this.#list : undefined;
  }

  /** Items that were written over cannot be told from others; those that are gone can. */
  get fault(): SourceFault | undefined {
    if (this.#thrown !== undefined || this.#isClosed) return this.#thrown;
    let length: number;
    try {
      ({ length } = this.#list);
    } catch (cause) {
      return { cause };
    }
    if (length === this.length) return undefined;
    const change = `had ${this.length} items when the job began, and has ${length} now`;
    const text = `the array ${change}: leave it alone until the job has ended, or give run a copy`;
    return { cause: new InvalidArgumentError(text) };
  }

  pull(max: number): void {
    if (this.#isClosed) return;
    const count = Math.min(max, this.length - this.#pulled);
    this.#pulled += count;
    if (count > 0) this.#listener?.onItems(count);
    this.#listener?.onPulled(this.#pulled === this.length);
  }

  take(indices: number | readonly number[], count: number): unknown[] {
    const list = this.#list;
    const batch = this.#batch;
    while (batch.length < count) batch.push(undefined);
    batch.length = count;
    try {
      if (typeof indices === "number") for (let at = 0; at < count; at++) batch[at] = list[indices + at];
      else for (let at = 0; at < count; at++) batch[at] = list[indices[at] as number];
    } catch (cause) {
      this.#thrown = { cause };
    }
    return batch;
  }

  giveBack(): void {}
  release(): void {}

  close(): void {
    this.#isClosed = true;
    this.#list = [];
    this.#batch.length = 0;
  }
}

class PulledSource implements Source {
  readonly supplied = 0;
  readonly column = undefined;
  readonly fault = undefined;
  readonly isEnded = false;
  readonly length: number | undefined;
  readonly #options: SourceOptions;
  readonly #listener: SourceListener;
  /** Opened when it is first pulled. Neither is kept when the source is closed: what it holds may be large. */
  #open: (() => AnyIterator) | undefined;
  #iterator: AnyIterator | undefined;
  /** Items that were never in a batch; the first has the index `#base`. */
  #fresh: unknown[] = [];
  #freshHead = 0;
  #base = 0;
  #pulled = 0;
  /** Items that came back from a batch. */
  readonly #held = new Map<number, unknown>();
  readonly #weights = new Map<number, number>();
  #bytesInFlight = 0;
  /** The item that was pulled and is too heavy to go along with what is in flight. */
  #heavy: { readonly item: unknown; readonly bytes: number } | undefined;
  #wanted = 0;
  #isPulling = false;
  #isInNext = false;
  #mustReturn = false;
  #isClosed = false;
  readonly #memo: ItemMemo | undefined;
  /** What is found costs no thread's time, so that nothing else would end the turn. */
  readonly #slice: TurnSlice | undefined;

  constructor(
    open: () => AnyIterator,
    options: SourceOptions,
    listener: SourceListener,
    length: number | undefined,
    opened?: AnyIterator,
  ) {
    this.#iterator = opened;
    this.#open = opened === undefined ? open : undefined;
    this.#options = options;
    this.#listener = listener;
    this.length = length;
    this.#memo = options.memo;
    if (this.#memo !== undefined) this.#slice = new TurnSlice(PULL_SLICE_MS);
  }

  pull(max: number): void {
    this.#wanted = max;
    if (!this.#isPulling && !this.#isClosed) void this.#pump();
  }

  /** Pulls until it has what is wanted, a heavy item has to wait, or the source ends. Never rejects. */
  async #pump(): Promise<void> {
    this.#isPulling = true;
    const memo = this.#memo;
    try {
      const iterator = (this.#iterator ??= (this.#open as () => AnyIterator)());
      this.#open = undefined;
      let sliceEnd = performance.now() + PULL_SLICE_MS;
      let gathered = 0;
      let found = 0;
      const flush = (): void => {
        if (gathered > 0) this.#listener.onItems(gathered, memo?.takeSorted());
        gathered = 0;
      };
      while (this.#wanted > 0 && !this.#isClosed) {
        if (this.#heavy !== undefined) {
          if (!this.#hasRoomFor(this.#heavy.bytes)) break;
          const { item, bytes } = this.#heavy;
          this.#heavy = undefined;
          this.#keep(item, bytes);
          gathered++;
          continue;
        }
        const next = this.#next(iterator);
        let step: IteratorResult<unknown>;
        if (isPromiseLike(next)) {
          flush();
          step = await (next as Promise<IteratorResult<unknown>>);
          if (this.#isClosed) return;
          sliceEnd = performance.now() + PULL_SLICE_MS;
        } else {
          step = next as IteratorResult<unknown>;
          if (this.#isClosed) return;
          // Looked at every 64 items: a clock costs as much as an item.
          if ((this.#pulled & 63) === 63 && performance.now() > sliceEnd) {
            flush();
            await new Promise((resolve) => setImmediate(resolve));
            if (this.#isClosed) return;
            sliceEnd = performance.now() + PULL_SLICE_MS;
          }
        }
        // Any true value will do, as in every other loop.
        if (step.done) {
          this.#isClosed = true;
          flush();
          this.#listener.onPulled(true);
          return;
        }
        // Read once, as in every other loop: there may be a getter behind it.
        const { value } = step;
        if (memo !== undefined) {
          if (this.#slice?.isOver === true) {
            flush();
            await new Promise((resolve) => setImmediate(resolve));
            if (this.#isClosed) return;
          }
          const isFound = memo.lookUp(value, this.#pulled);
          if (this.#isClosed) return;
          if (isFound) {
            gathered++;
            this.#pulled++;
            if (this.#options.isPaced) this.#wanted--;
            else if (++found === MOST_FOUND) break;
            continue;
          }
        }
        const bytes = this.#weigh(value);
        if (this.#isClosed) return;
        if (!this.#hasRoomFor(bytes)) {
          this.#heavy = { item: value, bytes };
          continue;
        }
        this.#keep(value, bytes);
        gathered++;
      }
      flush();
    } catch (error) {
      if (this.#isClosed) return;
      const cancel = cancelOf(this.#iterator);
      this.close();
      if (cancel !== undefined) this.#listener.onCancelled(cancel.reason);
      else this.#listener.onFailed(error);
      return;
    } finally {
      this.#isPulling = false;
    }
    // While a heavy item waits, the pull is not over: `release` takes it up again.
    if (this.#heavy === undefined && !this.#isClosed) this.#listener.onPulled(false);
  }

  #next(iterator: AnyIterator): IteratorResult<unknown> | Promise<IteratorResult<unknown>> {
    this.#isInNext = true;
    try {
      return iterator.next();
    } finally {
      this.#isInNext = false;
      if (this.#mustReturn) this.#return(iterator);
    }
  }

  #weigh(item: unknown): number {
    const { weigh } = this.#options;
    if (weigh === undefined) return 0;
    const bytes = weigh(item as never);
    if (typeof bytes !== "number" || !(bytes >= 0)) {
      throw new InvalidArgumentError(`weigh must return a number of bytes from 0, not ${String(bytes)}`);
    }
    return bytes;
  }

  /** An item above the bound itself goes when nothing else is in flight. */
  #hasRoomFor(bytes: number): boolean {
    return this.#weights.size === 0 || this.#bytesInFlight + bytes <= this.#options.maxInFlightBytes;
  }

  #keep(item: unknown, bytes: number): void {
    if (this.#memo === undefined) {
      this.#fresh.push(item);
    } else {
      this.#memo.noteToRun(this.#pulled);
      this.#held.set(this.#pulled, item);
    }
    if (bytes > 0) {
      this.#weights.set(this.#pulled, bytes);
      this.#bytesInFlight += bytes;
    }
    this.#pulled++;
    this.#wanted--;
  }

  take(indices: number | readonly number[], count: number): unknown[] {
    if (typeof indices === "number" && indices === this.#base && this.#memo === undefined) {
      const taken = this.#fresh.slice(this.#freshHead, this.#freshHead + count);
      this.#freshHead += count;
      this.#base += count;
      if (this.#freshHead * 2 >= this.#fresh.length) {
        this.#fresh = this.#fresh.slice(this.#freshHead);
        this.#freshHead = 0;
      }
      return taken;
    }
    const taken: unknown[] = [];
    for (let at = 0; at < count; at++) {
      const index = typeof indices === "number" ? indices + at : (indices[at] as number);
      taken.push(this.#held.get(index));
      this.#held.delete(index);
    }
    return taken;
  }

  giveBack(indices: number | readonly number[], items: readonly unknown[], from: number, to: number): void {
    for (let at = from; at < to; at++) {
      this.#held.set(typeof indices === "number" ? indices + at : (indices[at] as number), items[at]);
    }
  }

  release(start: number, count: number): void {
    this.#memo?.release(start, count);
    if (this.#held.size === 0 && this.#weights.size === 0) return;
    for (let index = start; index < start + count; index++) {
      this.#held.delete(index);
      const bytes = this.#weights.get(index);
      if (bytes === undefined) continue;
      this.#weights.delete(index);
      this.#bytesInFlight -= bytes;
    }
    // Fractions leave a remainder, and an infinite weight leaves no number.
    if (this.#weights.size === 0) this.#bytesInFlight = 0;
    // Later: the caller's iterator must not run inside a step of the scheduler.
    if (this.#heavy !== undefined && !this.#isPulling) queueMicrotask(() => this.pull(this.#wanted));
  }

  close(): void {
    const isFirst = !this.#isClosed;
    this.#isClosed = true;
    this.#held.clear();
    this.#memo?.close();
    this.#fresh = [];
    this.#heavy = undefined;
    const iterator = this.#iterator;
    this.#iterator = undefined;
    this.#open = undefined;
    if (isFirst && iterator !== undefined) this.#listener.atRest(() => this.#return(iterator));
  }

  #return(iterator: AnyIterator): void {
    // A generator that is in the middle of its code refuses, and would never clean up.
    this.#mustReturn = this.#isInNext;
    if (this.#mustReturn) return;
    try {
      const returned: unknown = iterator.return?.();
      // What it says is nobody's business any more, but a rejection must not go unheard.
      if (isPromiseLike(returned)) returned.then(undefined, () => undefined);
    } catch {
      // The same.
    }
  }
}

function isPromiseLike(value: unknown): value is PromiseLike<never> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === "function";
}
