/** Bounds what the pictures hold that one thread decodes at the same time: by pixels, not by number. */

/**
 * A file of 200 kB can be 200 MB decoded, and four of them at once in each of eight threads are 6 GB. So the pictures of
 * a thread take turns where they are large; small ones go side by side, as ever. First come, first served.
 */
export class PixelBudget {
  readonly #most: number;
  #taken = 0;
  readonly #waiting: { readonly pixels: number; readonly start: () => void }[] = [];

  /** @param most so many pixels at the same time, above 0. A picture with more of them goes alone. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Does the work as soon as there is room for it. */
  async spend<Result>(pixels: number, work: () => Promise<Result>): Promise<Result> {
    await new Promise<void>((start) => {
      this.#waiting.push({ pixels, start });
      this.#startNext();
    });
    try {
      return await work();
    } finally {
      this.#taken -= pixels;
      this.#startNext();
    }
  }

  #startNext(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#taken > 0 && this.#taken + next.pixels > this.#most) return;
      this.#taken += next.pixels;
      this.#waiting.shift();
      next.start();
    }
  }
}
