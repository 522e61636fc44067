/**
 * Entries that will expire, the next one first: a binary heap. What is removed earlier stays in it until its time has
 * come or until it is most of what is there, for looking it up in the heap would cost every removal.
 */

export interface Expiring {
  readonly expiresAtMs: number;
  /** No longer in the cache. */
  readonly isGone: boolean;
}

/** Below this many, what is gone is not worth a clean-up. */
const MIN_CLEAN_UP = 64;

export class ExpiryQueue<Entry extends Expiring> {
  #heap: Entry[] = [];
  #gone = 0;

  /** When to look again; Infinity if nothing expires. */
  get nextMs(): number {
    return this.#heap[0]?.expiresAtMs ?? Infinity;
  }

  add(entry: Entry): void {
    this.#heap.push(entry);
    this.#rise(this.#heap.length - 1);
  }

  /** An entry that had been added is gone. */
  onGone(): void {
    this.#gone++;
    if (this.#gone > MIN_CLEAN_UP && this.#gone * 2 > this.#heap.length) {
      this.rebuild(this.#heap.filter((entry) => !entry.isGone));
    }
  }

  /** Takes out one entry whose time has come. */
  takeDue(nowMs: number): Entry | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.expiresAtMs > nowMs) return undefined;
      const last = this.#heap.pop();
      if (last !== undefined && last !== first) {
        this.#heap[0] = last;
        this.#sink(0);
      }
      if (!first.isGone) return first;
      this.#gone--;
    }
  }

  rebuild(entries: readonly Entry[]): void {
    this.#heap = [...entries];
    this.#gone = 0;
    for (let at = (entries.length >> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  #rise(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#timeAt(parent) <= this.#timeAt(at)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(from: number): void {
    let at = from;
    for (;;) {
      const left = 2 * at + 1;
      const child = this.#timeAt(left + 1) < this.#timeAt(left) ? left + 1 : left;
      if (this.#timeAt(at) <= this.#timeAt(child)) return;
      this.#swap(at, child);
      at = child;
    }
  }

  #timeAt(at: number): number {
    return this.#heap[at]?.expiresAtMs ?? Infinity;
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    [heap[a], heap[b]] = [heap[b] as Entry, heap[a] as Entry];
  }
}
