/** Ranges of indices that were given back, lowest first, neighbours joined. */

export interface IndexRange {
  start: number;
  count: number;
}

export class Ranges {
  readonly #ranges: IndexRange[] = [];
  #size = 0;

  /** How many indices there are in all. */
  get size(): number {
    return this.#size;
  }

  add(start: number, count: number): void {
    if (count === 0) return;
    this.#size += count;
    const at = this.#placeOf(start);
    const before = this.#ranges[at - 1];
    const after = this.#ranges[at];
    const joinsBefore = before !== undefined && before.start + before.count === start;
    const joinsAfter = after !== undefined && start + count === after.start;
    if (joinsBefore && joinsAfter) {
      before.count += count + after.count;
      this.#ranges.splice(at, 1);
    } else if (joinsBefore) {
      before.count += count;
    } else if (joinsAfter) {
      after.start = start;
      after.count += count;
    } else {
      this.#ranges.splice(at, 0, { start, count });
    }
  }

  /** Takes at most `max` indices off the lowest range. */
  take(max: number): IndexRange | undefined {
    const first = this.#ranges[0];
    if (first === undefined) return undefined;
    const count = Math.min(max, first.count);
    this.#size -= count;
    const taken = { start: first.start, count };
    if (count === first.count) this.#ranges.shift();
    else {
      first.start += count;
      first.count -= count;
    }
    return taken;
  }

  #placeOf(start: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ranges[middle] as IndexRange).start < start) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
