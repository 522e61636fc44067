/** Items that are all there from the start. */
import { InvalidArgumentError, type NumberColumn, isNumberColumn } from "@threadmill/protocol";
import type { Source, SourceFault, SourceListener } from "./source.js";

/** With a listener they are handed out as they are asked for all the same, because a reader sets the pace. */
export class ListSource implements Source {
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
