/** A load that is fed by hand. */

export type Entry = readonly [string, number];

export class Feed implements AsyncIterable<Entry> {
  readonly #entries: Entry[] = [];
  #end: { readonly error?: Error } | undefined;
  #wake: (() => void) | undefined;

  give(entry: Entry): void {
    this.#entries.push(entry);
    this.#wake?.();
  }

  end(error?: Error): void {
    this.#end = error === undefined ? {} : { error };
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Entry> {
    for (;;) {
      for (let entry = this.#entries.shift(); entry !== undefined; entry = this.#entries.shift()) yield entry;
      if (this.#end?.error !== undefined) throw this.#end.error;
      if (this.#end !== undefined) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
