/** The caller's iterator: opened when it is first pulled, closed once, and never while its own code is running. */
import { cancelOf } from "./readers.js";

export type AnyIterable = Iterable<unknown> | AsyncIterable<unknown>;
type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>;
type Step = IteratorResult<unknown>;

export class CallerIterator {
  /** One of the two; neither when it is closed, since what they hold may be large. */
  #iterable: Partial<AnyIterable> | undefined;
  #iterator: AnyIterator | undefined;
  #isInNext = false;
  #mustReturn = false;

  constructor(iterable: AnyIterable) {
    // One that is an iterator already, such as a generator, is there to be closed even if it is never pulled.
    if (typeof (iterable as Partial<AnyIterator>).next === "function") this.#iterator = open(iterable);
    else this.#iterable = iterable;
  }

  /** How the job ended whose values these are, if it was cancelled. */
  get cancel(): { readonly reason: unknown } | undefined {
    return cancelOf(this.#iterator);
  }

  next(): Step | Promise<Step> {
    const iterator = (this.#iterator ??= open(this.#iterable as AnyIterable));
    this.#iterable = undefined;
    this.#isInNext = true;
    try {
      return iterator.next();
    } finally {
      this.#isInNext = false;
      if (this.#mustReturn) callReturn(iterator);
    }
  }

  /** Lets go of it. Answers how to tell it so, which runs the caller's code; undefined if it was not opened. */
  close(): (() => void) | undefined {
    const iterator = this.#iterator;
    this.#iterator = undefined;
    this.#iterable = undefined;
    if (iterator === undefined) return undefined;
    return () => {
      // A generator that is in the middle of its code refuses, and would never clean up.
      if (this.#isInNext) this.#mustReturn = true;
      else callReturn(iterator);
    };
  }
}

function open(iterable: Partial<AnyIterable>): AnyIterator {
  const { [Symbol.asyncIterator]: asynchronous, [Symbol.iterator]: synchronous } = iterable as Partial<
    Iterable<unknown> & AsyncIterable<unknown>
  >;
  return ((asynchronous ?? synchronous) as () => AnyIterator).call(iterable);
}

function callReturn(iterator: AnyIterator): void {
  try {
    const returned: unknown = iterator.return?.();
    // What it says is nobody's business any more, but a rejection must not go unheard.
    if (isPromiseLike(returned)) returned.then(undefined, () => undefined);
  } catch {
    // The same.
  }
}

export function isPromiseLike(value: unknown): value is PromiseLike<never> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === "function";
}
