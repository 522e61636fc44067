/**
 * The loops over a job: outcomes one by one or an array at a time, or bare values. Written by hand rather than as
 * generators, which cost twice as much an item.
 */
import { InOrder } from "./in-order.js";
import { type Outcome, type OutcomeRun, outcomeAt } from "./outcome.js";

/** What a reader reads from. One per loop. */
export interface Feed {
  /** The next run that has been committed; undefined if there is none yet. */
  take(): OutcomeRun | undefined;
  /** The reader has passed these on. */
  onRead(run: OutcomeRun): void;
  /** `open` while there may be more; else how the loop ends. */
  ending(): FeedEnding;
  /** Calls back once, at the next change. */
  wait(wake: () => void): void;
  /** The loop was left before its end. */
  leave(): void;
}

export type FeedEnding =
  | { readonly status: "open" }
  | { readonly status: "completed" }
  | { readonly status: "failed"; readonly error: unknown }
  | { readonly status: "cancelled"; readonly reason: unknown };

/** Those who wait for the next change. Of many thousands of live jobs most have none. */
export class Wakers {
  #waiting: Set<() => void> | undefined;

  add(wake: () => void): void {
    (this.#waiting ??= new Set()).add(wake);
  }

  wakeAll(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const wake of waiting ?? []) wake();
  }
}

/** Runs in the order in which they are to be read. */
class RunReader {
  readonly feed: Feed;
  readonly #inOrder: InOrder | undefined;
  #ready: OutcomeRun[] = [];

  constructor(feed: Feed, isOrdered: boolean) {
    this.feed = feed;
    this.#inOrder = isOrdered ? new InOrder() : undefined;
  }

  take(): OutcomeRun | undefined {
    if (this.#inOrder === undefined) return this.feed.take();
    while (this.#ready.length === 0) {
      const run = this.feed.take();
      if (run === undefined) return undefined;
      this.#ready = [...this.#inOrder.add(run)];
    }
    return this.#ready.shift();
  }
}

type Shape<Value> = (reader: LoopIterator<Value>) => Value | undefined;

/** An async iterator over a job. `next` may be called again before the last one has answered. */
class LoopIterator<Value> implements AsyncIterableIterator<Value, undefined> {
  readonly runs: RunReader;
  readonly #shape: Shape<Value>;
  run: OutcomeRun | undefined;
  at = 0;
  cancel: { readonly reason: unknown } | undefined;
  #isOver = false;
  /** Calls of `next` that have not been answered, and the answer to the last of them. */
  #waiting = 0;
  #last: Promise<unknown> | undefined;

  constructor(feed: Feed, isOrdered: boolean, shape: Shape<Value>) {
    this.runs = new RunReader(feed, isOrdered);
    this.#shape = shape;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Value, undefined>> {
    if (this.#waiting > 0) return this.#wait();
    try {
      const result = this.#take();
      return result === undefined ? this.#wait() : Promise.resolve(result);
    } catch (error) {
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- what a signal was aborted with is any value
      return Promise.reject(error);
    }
  }

  return(): Promise<IteratorResult<Value, undefined>> {
    if (!this.#isOver) {
      this.#isOver = true;
      this.runs.feed.leave();
    }
    return Promise.resolve({ done: true, value: undefined });
  }

  #wait(): Promise<IteratorResult<Value, undefined>> {
    const answer = this.#waitInTurn(this.#waiting > 0 ? this.#last : undefined);
    this.#last = answer;
    return answer;
  }

  async #waitInTurn(before: Promise<unknown> | undefined): Promise<IteratorResult<Value, undefined>> {
    this.#waiting++;
    try {
      // How the call before this one ended is its caller's business.
      if (before !== undefined) await before.catch(() => undefined);
      for (;;) {
        const result = this.#take();
        if (result !== undefined) return result;
        await new Promise<void>((wake) => this.runs.feed.wait(wake));
      }
    } finally {
      // Before the caller hears: the next call need not wait for anybody.
      this.#waiting--;
    }
  }

  /** One result if there is one now. Throws what ends the loop. */
  #take(): IteratorResult<Value, undefined> | undefined {
    if (this.#isOver) return { done: true, value: undefined };
    const ending = this.runs.feed.ending();
    if (ending.status === "cancelled") {
      // At once: what was not read by now is not wanted.
      this.#isOver = true;
      this.cancel = { reason: ending.reason };
      throw ending.reason;
    }
    let value: Value | undefined;
    try {
      value = this.#shape(this);
    } catch (error) {
      void this.return();
      throw error;
    }
    if (value !== undefined || this.run !== undefined) return { done: false, value: value as Value };
    // Asked again: the last read may be what has let the job complete.
    const now = this.runs.feed.ending();
    if (now.status === "open") return undefined;
    if (now.status === "cancelled") return this.#take();
    this.#isOver = true;
    if (now.status === "failed") throw now.error;
    return { done: true, value: undefined };
  }

  /** Makes `run` and `at` point to the next outcome; false if there is none yet. */
  advance(): boolean {
    this.at++;
    if (this.run !== undefined && this.at < this.run.count) return true;
    if (this.run !== undefined) this.runs.feed.onRead(this.run);
    this.run = this.runs.take();
    this.at = 0;
    return this.run !== undefined;
  }
}

export function readOutcomes<Value>(feed: Feed, isOrdered: boolean): AsyncIterableIterator<Outcome<Value>> {
  return new LoopIterator(feed, isOrdered, (loop) =>
    loop.advance() ? (outcomeAt(loop.run as OutcomeRun, loop.at) as Outcome<Value>) : undefined,
  );
}

/** The same outcomes, as many at a time as were delivered together. */
export function readBatches<Value>(feed: Feed, isOrdered: boolean): AsyncIterableIterator<Outcome<Value>[]> {
  return new LoopIterator(feed, isOrdered, (loop) => {
    loop.at = Infinity;
    if (!loop.advance()) return undefined;
    const run = loop.run as OutcomeRun;
    const outcomes: Outcome<Value>[] = [];
    for (let at = 0; at < run.count; at++) outcomes.push(outcomeAt(run, at) as Outcome<Value>);
    return outcomes;
  });
}

/** Bare values in the order of the input; throws at the first failure. */
export function readValues<Value>(feed: Feed): AsyncIterableIterator<Value> {
  return new LoopIterator<Value>(feed, true, (loop) => {
    if (!loop.advance()) return undefined;
    const run = loop.run as OutcomeRun;
    const failure = run.failures?.get(run.start + loop.at);
    if (failure !== undefined) throw failure.error;
    return run.values[run.offset + loop.at] as Value;
  });
}

/** Why the loop behind this iterator ended, if that was a cancel of the job it read. */
export function cancelOf(iterator: unknown): { readonly reason: unknown } | undefined {
  return iterator instanceof LoopIterator ? iterator.cancel : undefined;
}
