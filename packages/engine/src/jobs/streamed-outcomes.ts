/** The outcomes of a job that does not collect: handed to its one loop, or dropped where there is none. */
import type { Column, NumberColumn } from "@threadmill/protocol";
import type { OutcomeRun } from "./outcome.js";
import { type Feed, type FeedEnding, Wakers } from "./readers.js";

/** What becomes of outcomes and their loop. */
export interface StreamListener {
  /** These have left: they were read, or dropped for want of a loop. There is room for others. */
  onPassed(run: OutcomeRun): void;
  /** The loop was left before its end. */
  onLeft(): void;
}

export class StreamedOutcomes {
  readonly wakers = new Wakers();
  readonly #listener: StreamListener;
  /** Runs that the loop has yet to take. */
  #queue: OutcomeRun[] = [];
  #head = 0;
  #loop: "none" | "open" | "left" = "none";
  #hasDropped = false;

  constructor(listener: StreamListener) {
    this.#listener = listener;
  }

  /** Why the loop cannot be opened now; undefined if it can. */
  get loopRefusal(): string | undefined {
    if (this.#loop !== "none") return "a job with collect: false can be read by one loop only";
    if (this.#hasDropped) {
      return "outcomes were dropped before this loop began; with collect: false, open it in the tick of run";
    }
    return undefined;
  }

  add(run: OutcomeRun): void {
    if (this.#loop === "open") {
      this.#queue.push(run);
      return;
    }
    this.#hasDropped = true;
    this.#listener.onPassed(run);
  }

  openFeed(ending: () => FeedEnding): Feed {
    this.#loop = "open";
    return {
      take: () => this.#take(),
      onRead: (run) => this.#listener.onPassed(run),
      ending,
      wait: (wake) => this.wakers.add(wake),
      leave: () => {
        this.#loop = "left";
        this.drop();
        this.#listener.onLeft();
      },
    };
  }

  #take(): OutcomeRun | undefined {
    const run = this.#queue[this.#head];
    if (run === undefined) return undefined;
    this.#head++;
    if (this.#head * 2 >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return run;
  }

  // Nothing is kept for a result.

  found(): [] {
    return [];
  }

  join(column: NumberColumn | undefined): Column | NumberColumn {
    return column ?? [];
  }

  /** Nobody can read them any more. */
  drop(): void {
    this.#queue = [];
    this.#head = 0;
  }
}
