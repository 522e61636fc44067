/**
 * The items of a remote job, on the client's side: checked and opened as the engine does it, sent along with the request
 * where they are few, and else handed out piece by piece as the engine asks.
 */
import { type Source, openSource } from "../jobs/source.js";
import { type ItemsAnswer, MAX_ITEMS, type WireItems } from "./messages.js";
import { pack, pieceOf } from "./packing.js";
import { toWireReason } from "./reasons.js";

export class SentItems {
  readonly #source: Source;
  /** Items that the source has, and that were not yet taken out of it. */
  #available: number;
  #taken = 0;
  /** Taken, and not yet sent. */
  #ready: unknown[] = [];
  #isEnded: boolean;
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => undefined;
  #isClosed = false;

  /**
   * @param onCancelled the source is another job's values, and that job was cancelled.
   * @throws {InvalidArgumentError} what is not a collection of items.
   */
  constructor(items: unknown, onCancelled: (reason: unknown) => void) {
    const options = { isPaced: false, weigh: undefined, maxInFlightBytes: Infinity };
    this.#source = openSource(items, options, {
      onItems: (count) => {
        this.#available += count;
        this.#wake();
      },
      onPulled: (ended) => {
        this.#isEnded ||= ended;
        this.#wake();
      },
      onFailed: (error) => {
        this.#failure = { error };
        this.#wake();
      },
      onCancelled,
      atRest: (callback) => callback(),
    });
    this.#available = this.#source.supplied;
    this.#isEnded = this.#source.isEnded;
  }

  /** How many there are, where that is known. */
  get length(): number | undefined {
    return this.#source.length;
  }

  /** What the source itself has thrown: on this side its error need not be a copy. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** Some may still be asked for. */
  get isNeeded(): boolean {
    return !this.#isOver || this.#ready.length + this.#available > 0;
  }

  /** What goes with the request; the rest is asked for. */
  describe(sharesMemory: boolean): WireItems {
    const { column, isEnded, length } = this.#source;
    if (column !== undefined) {
      this.#available = 0;
      return { kind: "column", items: sharesMemory ? column : column.slice() };
    }
    if (!isEnded || length === undefined) return { kind: "pulled", isList: false };
    if (length > 0) this.#takeOut();
    if (this.#ready.length < length || pieceOf(this.#ready, length) < length) return { kind: "pulled", isList: true };
    return { kind: "list", items: pack(this.#ready.splice(0)) };
  }

  /** Up to so many items: as soon as there are some, or none will come. */
  async answer(max: number): Promise<ItemsAnswer> {
    while (this.#ready.length + this.#available === 0 && !this.#isOver) {
      const woken = new Promise<void>((wake) => (this.#wake = wake));
      this.#source.pull(max);
      await woken;
    }
    if (this.#isClosed) return { items: [], isEnded: true };
    if (this.#ready.length === 0) this.#takeOut();
    const items = this.#ready.splice(0, pieceOf(this.#ready, max));
    const isLast = this.#ready.length + this.#available === 0;
    return {
      items: pack(items),
      isEnded: isLast && this.#isEnded,
      ...(isLast && this.#failure !== undefined ? { failure: toWireReason(this.#failure.error) } : {}),
    };
  }

  /** No more are wanted. Calls the source's `return`, and does not wait for it. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#ready = [];
    this.#available = 0;
    this.#source.close();
    this.#wake();
  }

  get #isOver(): boolean {
    return this.#isEnded || this.#failure !== undefined || this.#isClosed;
  }

  #takeOut(): void {
    const count = Math.min(this.#available, MAX_ITEMS);
    this.#ready = count === 0 ? [] : this.#source.take(this.#taken, count);
    this.#taken += count;
    this.#available -= count;
    // An array that cannot be read, or has been changed: what it gave is not what was meant.
    const { fault } = this.#source;
    if (fault === undefined) return;
    this.#failure = { error: fault.cause };
    this.#ready = [];
    this.#available = 0;
  }
}
