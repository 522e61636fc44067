/** A source of items that a test plays, and that watches how it is treated. */

/** What goes wrong, at the item with this number or when it is closed. */
export type SourceFault = "none" | "throws" | "never answers" | "close throws" | "close rejects" | "close hangs";

export interface DrawnSource {
  readonly kind: "array" | "iterable" | "async";
  readonly count: number;
  readonly fault: SourceFault;
  readonly at: number;
}

/** What an item is, and what comes of it: each says which one it was. */
export interface Item {
  readonly work: number;
  readonly index: number;
}

export class PlayedSource {
  readonly #drawn: DrawnSource;
  readonly #work: number;
  readonly #pause: (what: string) => Promise<void>;
  nextCalls = 0;
  returnCalls = 0;
  /** It has said that there is no more, or thrown. */
  isOver = false;
  readonly wrongs: string[] = [];
  #isPending = false;
  #next = 0;

  /** `pause`: an answer of an asynchronous source waits for it. */
  constructor(drawn: DrawnSource, work: number, pause: (what: string) => Promise<void>) {
    this.#drawn = drawn;
    this.#work = work;
    this.#pause = pause;
  }

  get isEndless(): boolean {
    const { kind, fault, at, count } = this.#drawn;
    return kind === "async" && fault === "never answers" && at <= count;
  }

  get isFaulty(): boolean {
    const { kind, fault, at, count } = this.#drawn;
    return kind !== "array" && fault === "throws" && at <= count;
  }

  open(): Iterable<Item> | AsyncIterable<Item> {
    const { kind, count } = this.#drawn;
    if (kind === "array") return Array.from({ length: count }, (_, index) => ({ work: this.#work, index }));
    if (kind === "iterable") {
      const iterator: Iterator<Item> = {
        next: () => this.#step(),
        return: () => this.#close() as IteratorResult<Item>,
      };
      return { [Symbol.iterator]: () => iterator };
    }
    const iterator: AsyncIterator<Item> = {
      next: async () => {
        this.#noteCall();
        this.#isPending = true;
        if (this.isEndless && this.#next >= this.#drawn.at) await new Promise(() => undefined);
        await this.#pause(`source ${this.#work} answers`);
        this.#isPending = false;
        return this.#step(true);
      },
      return: () => this.#close() as Promise<IteratorResult<Item>>,
    };
    return { [Symbol.asyncIterator]: () => iterator };
  }

  #noteCall(): void {
    this.nextCalls++;
    if (this.#isPending) this.wrongs.push("next was called before the last one had answered");
    if (this.isOver) this.wrongs.push("next was called after the end");
    if (this.returnCalls > 0) this.wrongs.push("next was called after return");
  }

  #step(isNoted = false): IteratorResult<Item> {
    if (!isNoted) this.#noteCall();
    if (this.#drawn.fault === "throws" && this.#next === this.#drawn.at) {
      this.isOver = true;
      throw new Error(`source ${this.#work} throws`);
    }
    if (this.#next < this.#drawn.count) return { done: false, value: { work: this.#work, index: this.#next++ } };
    this.isOver = true;
    return { done: true, value: undefined };
  }

  #close(): unknown {
    this.returnCalls++;
    switch (this.#drawn.fault) {
      case "close throws":
        throw new Error("return throws");
      case "close rejects":
        return Promise.reject(new Error("return rejects"));
      case "close hangs":
        return new Promise(() => undefined);
      default:
        return { done: true, value: undefined };
    }
  }
}
