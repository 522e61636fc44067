/** Counters that handlers and tests share: what was run, how often, and how much at once. */

export class Tally {
  readonly shared: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(size: number | SharedArrayBuffer) {
    this.shared = typeof size === "number" ? new SharedArrayBuffer(size * Int32Array.BYTES_PER_ELEMENT) : size;
    this.#words = new Int32Array(this.shared);
  }

  /** Adds to a counter; answers what it is now. */
  add(at: number, by = 1): number {
    return Atomics.add(this.#words, at, by) + by;
  }

  at(index: number): number {
    return Atomics.load(this.#words, index);
  }

  /** Raises a counter to the value, if it is lower. */
  raise(at: number, to: number): void {
    for (let now = this.at(at); now < to;) {
      const before = Atomics.compareExchange(this.#words, at, now, to);
      if (before === now) return;
      now = before;
    }
  }

  get all(): number[] {
    return Array.from(this.#words);
  }

  get sum(): number {
    return this.all.reduce((sum, one) => sum + one, 0);
  }
}
