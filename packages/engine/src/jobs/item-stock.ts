/** Items that were pulled from a source, until it is certain that they need not be sent again. */

export class ItemStock {
  /** Items that were never in a batch; the first has the index `#base`. */
  #fresh: unknown[] = [];
  #freshHead = 0;
  #base = 0;
  /** Items that came back from a batch, and those that lie apart from the start. */
  readonly #held = new Map<number, unknown>();

  /** The next item. */
  push(item: unknown): void {
    this.#fresh.push(item);
  }

  /** An item where not all of those before it are to be sent. */
  hold(index: number, item: unknown): void {
    this.#held.set(index, item);
  }

  take(indices: number | readonly number[], count: number): unknown[] {
    if (indices === this.#base && this.#fresh.length > 0) return this.#takeFresh(count);
    const taken: unknown[] = [];
    for (let at = 0; at < count; at++) {
      const index = indexAt(indices, at);
      taken.push(this.#held.get(index));
      this.#held.delete(index);
    }
    return taken;
  }

  #takeFresh(count: number): unknown[] {
    const taken = this.#fresh.slice(this.#freshHead, this.#freshHead + count);
    this.#freshHead += count;
    this.#base += count;
    if (this.#freshHead * 2 >= this.#fresh.length) {
      this.#fresh = this.#fresh.slice(this.#freshHead);
      this.#freshHead = 0;
    }
    return taken;
  }

  giveBack(indices: number | readonly number[], items: readonly unknown[], from: number, to: number): void {
    for (let at = from; at < to; at++) this.#held.set(indexAt(indices, at), items[at]);
  }

  release(start: number, count: number): void {
    if (this.#held.size === 0) return;
    for (let index = start; index < start + count; index++) this.#held.delete(index);
  }

  clear(): void {
    this.#fresh = [];
    this.#held.clear();
  }
}

function indexAt(indices: number | readonly number[], at: number): number {
  return typeof indices === "number" ? indices + at : (indices[at] as number);
}
