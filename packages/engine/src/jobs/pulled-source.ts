/** Items that are pulled from the caller's iterator, as the scheduler asks for them. */
import { BytesInFlight } from "./bytes-in-flight.js";
import { type CallerIterator, isPromiseLike } from "./caller-iterator.js";
import type { ItemMemo } from "./item-memo.js";
import { ItemStock } from "./item-stock.js";
import type { Source, SourceListener, SourceOptions } from "./source.js";
import { TurnSlice } from "./turn-slice.js";

/** How long a source may hold the main thread before others get their turn. */
const PULL_SLICE_MS = 2;

/** A clock costs as much as an item of a synchronous source: it is looked at once in so many. */
const ITEMS_A_LOOK = 64;

/** Items that one pull may find. They take no room; but a job that is paused or cancelled has to be noticed. */
const MOST_FOUND = 1_024;

export class PulledSource implements Source {
  readonly supplied = 0;
  readonly column = undefined;
  readonly fault = undefined;
  readonly isEnded = false;
  readonly length: number | undefined;
  readonly #iterator: CallerIterator;
  readonly #listener: SourceListener;
  readonly #isPaced: boolean;
  readonly #memo: ItemMemo | undefined;
  readonly #bytes: BytesInFlight;
  readonly #stock = new ItemStock();
  readonly #slice = new TurnSlice(PULL_SLICE_MS);
  /** The item that was pulled and is too heavy to go along with what is in flight. */
  #heavy: { readonly item: unknown; readonly bytes: number } | undefined;
  /** Items that have come, and those of them that the listener has not heard of. */
  #pulled = 0;
  #untold = 0;
  #wanted = 0;
  #isPulling = false;
  #isClosed = false;

  constructor(iterator: CallerIterator, options: SourceOptions, listener: SourceListener, length: number | undefined) {
    this.#iterator = iterator;
    this.#listener = listener;
    this.#isPaced = options.isPaced;
    this.#memo = options.memo;
    this.#bytes = new BytesInFlight(options.weigh, options.maxInFlightBytes);
    this.length = length;
  }

  pull(max: number): void {
    this.#wanted = max;
    if (!this.#isPulling && !this.#isClosed) void this.#pump();
  }

  /** Pulls until it has what is wanted, a heavy item has to wait, or the source ends. Never rejects. */
  async #pump(): Promise<void> {
    this.#isPulling = true;
    let isInNext = false;
    try {
      let found = 0;
      let isAsync = false;
      for (let looks = 0; found < MOST_FOUND && this.#isWanted(); looks++) {
        const isDear = isAsync || this.#memo !== undefined || looks % ITEMS_A_LOOK === 0;
        if (isDear && this.#slice.isOver) {
          this.#tell();
          await new Promise((resolve) => setImmediate(resolve));
          if (this.#isClosed) return;
        }
        isInNext = true;
        let step = this.#iterator.next();
        isAsync = isPromiseLike(step);
        if (isAsync) {
          this.#tell();
          step = await step;
        }
        isInNext = false;
        if (this.#isClosed) return;
        // Any true value is an end, and what is not an end is read once, as in every other loop.
        const { done } = step as IteratorResult<unknown, unknown>;
        if (done) {
          this.#isClosed = true;
          this.#slice.end();
          this.#tell();
          this.#listener.onPulled(true);
          return;
        }
        if (this.#take((step as IteratorResult<unknown, unknown>).value) && !this.#isPaced) found++;
        if (this.#isClosed) return;
      }
      this.#tell();
    } catch (error) {
      this.#fail(error, isInNext);
    } finally {
      this.#isPulling = false;
    }
    // While a heavy item waits, the pull is not over: `release` takes it up again.
    if (this.#heavy === undefined && !this.#isClosed) this.#listener.onPulled(false);
  }

  /** Whether another item is wanted. One that had to wait for room comes before it. */
  #isWanted(): boolean {
    if (this.#wanted > 0 && this.#heavy !== undefined && this.#bytes.hasRoomFor(this.#heavy.bytes)) {
      const { item, bytes } = this.#heavy;
      this.#heavy = undefined;
      // Another item with its key may have ended since.
      if (!this.#isFound(item) && !this.#isClosed) this.#keep(item, bytes);
    }
    return this.#wanted > 0 && this.#heavy === undefined && !this.#isClosed;
  }

  /** Whether the next item need not be run, since its value is known. */
  #isFound(item: unknown): boolean {
    // The caller's code may have cancelled the job.
    if (this.#memo?.lookUp(item, this.#pulled) !== true || this.#isClosed) return false;
    this.#pulled++;
    this.#untold++;
    if (this.#isPaced) this.#wanted--;
    return true;
  }

  /** An item has come. True if its value was found, so that it is not to be run. */
  #take(item: unknown): boolean {
    if (this.#isFound(item)) return true;
    if (this.#isClosed) return false;
    const bytes = this.#bytes.of(item);
    if (this.#isClosed) return false;
    if (this.#bytes.hasRoomFor(bytes)) this.#keep(item, bytes);
    else this.#heavy = { item, bytes };
    return false;
  }

  #keep(item: unknown, bytes: number): void {
    if (this.#memo === undefined) {
      this.#stock.push(item);
    } else {
      this.#memo.noteMissing(this.#pulled);
      this.#stock.hold(this.#pulled, item);
    }
    this.#bytes.add(this.#pulled, bytes);
    this.#pulled++;
    this.#untold++;
    this.#wanted--;
  }

  #tell(): void {
    const count = this.#untold;
    this.#untold = 0;
    if (count > 0) this.#listener.onItems(count, this.#memo?.takeSorted());
  }

  /** `isSources`: it was the source that threw, and not what is done with its items. */
  #fail(error: unknown, isSources: boolean): void {
    if (this.#isClosed) return;
    const { cancel } = this.#iterator;
    // As in every other loop, one that has thrown is not told to return.
    if (isSources) this.#iterator.close();
    this.close();
    if (cancel === undefined) this.#listener.onFailed(error);
    else this.#listener.onCancelled(cancel.reason);
  }

  take(indices: number | readonly number[], count: number): unknown[] {
    return this.#stock.take(indices, count);
  }

  giveBack(indices: number | readonly number[], items: readonly unknown[], from: number, to: number): void {
    this.#stock.giveBack(indices, items, from, to);
  }

  release(start: number, count: number): void {
    this.#memo?.release(start, count);
    this.#stock.release(start, count);
    this.#bytes.release(start, count);
    // Later: the caller's iterator must not run inside a step of the scheduler.
    if (this.#heavy !== undefined && !this.#isPulling) queueMicrotask(() => this.pull(this.#wanted));
  }

  close(): void {
    const isFirst = !this.#isClosed;
    this.#isClosed = true;
    this.#slice.end();
    this.#stock.clear();
    this.#memo?.close();
    this.#heavy = undefined;
    const tellIterator = this.#iterator.close();
    if (isFirst && tellIterator !== undefined) this.#listener.atRest(tellIterator);
  }
}
