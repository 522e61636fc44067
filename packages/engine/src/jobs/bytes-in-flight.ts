/** What the items of a job weigh that are in flight, by the caller's own measure, and whether there is room for more. */
import { InvalidArgumentError } from "@threadmill/protocol";

export class BytesInFlight {
  readonly #weigh: ((item: never) => number) | undefined;
  readonly #most: number;
  /** Of items that weigh anything. */
  readonly #weights = new Map<number, number>();
  #sum = 0;

  constructor(weigh: ((item: never) => number) | undefined, most: number) {
    this.#weigh = weigh;
    this.#most = most;
  }

  /** Bytes of an item. Throws what the caller's code throws. */
  of(item: unknown): number {
    if (this.#weigh === undefined) return 0;
    const bytes = this.#weigh(item as never);
    if (typeof bytes !== "number" || !(bytes >= 0)) {
      throw new InvalidArgumentError(`weigh must return a number of bytes from 0, not ${String(bytes)}`);
    }
    return bytes;
  }

  /** An item above the bound itself goes when nothing else is in flight. */
  hasRoomFor(bytes: number): boolean {
    return this.#weights.size === 0 || this.#sum + bytes <= this.#most;
  }

  add(index: number, bytes: number): void {
    if (bytes === 0) return;
    this.#weights.set(index, bytes);
    this.#sum += bytes;
  }

  release(start: number, count: number): void {
    if (this.#weights.size === 0) return;
    for (let index = start; index < start + count; index++) {
      const bytes = this.#weights.get(index);
      if (bytes === undefined) continue;
      this.#weights.delete(index);
      this.#sum -= bytes;
    }
    // Fractions leave a remainder, and an infinite weight leaves no number.
    if (this.#weights.size === 0) this.#sum = 0;
  }
}
