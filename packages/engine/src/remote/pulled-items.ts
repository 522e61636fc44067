/** A source of the engine whose items lie with a client: they are asked for as the engine takes them. */
import type { ItemsAnswer } from "./messages.js";
import { withUncloneable } from "./packing.js";
import { fromWireReason } from "./reasons.js";

/** Items that are asked for in one message where nothing else bounds them. */
const MAX_ASKED = 1_024;

export interface PulledItemsInit {
  readonly ask: (max: number) => Promise<ItemsAnswer>;
  readonly close: () => void;
  /** They are all there: some may be asked for before they are needed. */
  readonly isList: boolean;
  /** How many items may be between the source and the end of their way; undefined: as many as the engine takes. */
  readonly maxInFlight: number | undefined;
  /** How many have come to the end of their way. */
  readonly passed: () => number;
}

/** One loop is all that an engine opens. */
export class PulledItems implements AsyncIterableIterator<unknown> {
  readonly #init: PulledItemsInit;
  #buffer: unknown[] = [];
  #head = 0;
  #handedOut = 0;
  #asking: Promise<void> | undefined;
  #isEnded = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(init: PulledItemsInit) {
    this.#init = init;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** No promise where there is an item already: the engine takes those without a turn of their own. */
  next(): Promise<IteratorResult<unknown>> {
    const step = this.#step();
    if (step !== undefined) return step as unknown as Promise<IteratorResult<unknown>>;
    return this.#ask().then(() => this.next());
  }

  return(): Promise<IteratorResult<unknown>> {
    this.#buffer = [];
    if (!this.#isEnded) {
      this.#isEnded = true;
      this.#init.close();
    }
    return Promise.resolve({ done: true, value: undefined });
  }

  /** @throws what the source has failed with, after its last item. */
  #step(): IteratorResult<unknown> | undefined {
    if (this.#head < this.#buffer.length) {
      const value = this.#buffer[this.#head++];
      this.#handedOut++;
      const isHalfEmpty = this.#head * 2 >= this.#buffer.length;
      if (this.#init.isList && isHalfEmpty && !this.#isOver) void this.#ask();
      return { done: false, value };
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#isEnded ? { done: true, value: undefined } : undefined;
  }

  get #isOver(): boolean {
    return this.#isEnded || this.#failure !== undefined;
  }

  #ask(): Promise<void> {
    this.#asking ??= this.#askOnce().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  async #askOnce(): Promise<void> {
    const { ask, maxInFlight, passed } = this.#init;
    const waiting = this.#buffer.length - this.#head;
    const room = maxInFlight === undefined ? MAX_ASKED : maxInFlight - (this.#handedOut + waiting - passed());
    try {
      const answer = await ask(Math.min(MAX_ASKED, Math.max(1, room)));
      const items = withUncloneable(answer.items, answer.uncloneable);
      this.#buffer = this.#head < this.#buffer.length ? [...this.#buffer.slice(this.#head), ...items] : items;
      this.#head = 0;
      if (answer.failure !== undefined) this.#failure = { error: fromWireReason(answer.failure) };
      if (answer.isEnded) this.#isEnded = true;
    } catch (error) {
      // The client has gone, or talks nonsense.
      this.#failure = { error };
    }
  }
}
