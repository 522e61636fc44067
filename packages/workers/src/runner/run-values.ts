/**
 * The values of a batch by position, as they travel back: numbers in one block as long as there is nothing else, which
 * is copied at once where an array is cloned value by value.
 */
import { type Column, MIN_BLOCK, cutViews } from "@threadmill/protocol";

/**
 * What the last batch has left behind. An array that grows is allocated four times over, and one that is made at its
 * length has holes, which clones four times slower: so the next batch fills the same one.
 */
let spareBlock: Float64Array | undefined;
let spareList: unknown[] | undefined;

export class RunValues {
  #block: Float64Array | undefined;
  #list: unknown[] | undefined;

  constructor(count: number) {
    if (count < MIN_BLOCK) {
      this.#list = takeList(count);
      return;
    }
    this.#block = spareBlock !== undefined && spareBlock.length >= count ? spareBlock : new Float64Array(count);
    spareBlock = undefined;
  }

  set(position: number, value: unknown): void {
    if (this.#list === undefined) {
      if (typeof value === "number") {
        (this.#block as Float64Array)[position] = value;
        return;
      }
      this.#unpack();
    }
    (this.#list as unknown as unknown[])[position] = value;
  }

  /** The first `count` values for a message that is posted at once. */
  column(count: number): Column {
    const list = this.#list;
    if (list === undefined) {
      const block = this.#block as Float64Array;
      return block.length === count ? block : block.slice(0, count);
    }
    return cutViews(list.length === count ? list : list.slice(0, count));
  }

  /** The first `count` values one by one, to see which of them can travel. */
  list(count: number): unknown[] {
    if (this.#list === undefined) this.#unpack();
    return (this.#list as unknown as unknown[]).slice(0, count);
  }

  /** They have been posted: the next batch may use the memory, and nothing keeps the values alive. */
  release(): void {
    if (this.#block !== undefined) spareBlock = this.#block;
    if (this.#list !== undefined) {
      this.#list.fill(undefined);
      spareList = this.#list;
    }
    this.#block = undefined;
    this.#list = undefined;
  }

  #unpack(): void {
    const block = this.#block as Float64Array;
    const list = takeList(block.length);
    for (let at = 0; at < block.length; at++) list[at] = block[at];
    this.#list = list;
  }
}

function takeList(count: number): unknown[] {
  const list = spareList ?? [];
  spareList = undefined;
  while (list.length < count) list.push(undefined);
  return list;
}
