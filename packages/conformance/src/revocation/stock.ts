/** Cells that wait for a thread, first in first out: what is taken back goes to the end, so that all of them move. */

export class Stock {
  readonly #ring: Float64Array;
  #head = 0;
  #size = 0;

  /** Holds the cells from 0; `count` must be a power of two. */
  constructor(count: number) {
    this.#ring = new Float64Array(count);
    this.refill();
  }

  /** For the next round: every cell is here again. */
  refill(): void {
    for (let cell = 0; cell < this.#ring.length; cell++) this.#ring[cell] = cell;
    this.#head = 0;
    this.#size = this.#ring.length;
  }

  get size(): number {
    return this.#size;
  }

  take(most: number): Float64Array {
    const count = Math.min(most, this.#size);
    const taken = new Float64Array(count);
    const first = Math.min(count, this.#ring.length - this.#head);
    taken.set(this.#ring.subarray(this.#head, this.#head + first));
    taken.set(this.#ring.subarray(0, count - first), first);
    this.#head = (this.#head + count) & (this.#ring.length - 1);
    this.#size -= count;
    return taken;
  }

  put(cells: Float64Array): void {
    const tail = (this.#head + this.#size) & (this.#ring.length - 1);
    const first = Math.min(cells.length, this.#ring.length - tail);
    this.#ring.set(cells.subarray(0, first), tail);
    this.#ring.set(cells.subarray(first), 0);
    this.#size += cells.length;
  }
}
