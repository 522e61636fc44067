/**
 * One event at a time, and users only at rest. What an event leads to is done before `dispatch` returns; what users
 * are to hear of it waits until no event is being handled, so that whatever they do starts a turn of its own.
 */
export class Turns<Event> {
  readonly #handle: (event: Event) => void;
  readonly #queue: Event[] = [];
  readonly #later: (() => void)[] = [];
  #isHandling = false;
  #isFlushing = false;

  constructor(handle: (event: Event) => void) {
    this.#handle = handle;
  }

  /** Lets an event happen, with all that follows from it, before it returns; unless it is called by what follows. */
  dispatch(event: Event): void {
    this.#queue.push(event);
    if (this.#isHandling) return;
    this.#isHandling = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#handle(next);
    } finally {
      this.#isHandling = false;
    }
    this.#flush();
  }

  /**
   * The same, but users hear of it only after the caller's own caller has returned: no listener is told of a job
   * before `run` has answered its handle. `first` comes before all that follows from the event.
   */
  dispatchQuietly(first: () => void, event: Event): void {
    this.#later.push(first);
    const wasFlushing = this.#isFlushing;
    this.#isFlushing = true;
    try {
      this.dispatch(event);
    } finally {
      this.#isFlushing = wasFlushing;
    }
    queueMicrotask(() => this.#flush());
  }

  /** To be done at rest, in order. */
  later(callback: () => void): void {
    this.#later.push(callback);
    if (!this.#isHandling) this.#flush();
  }

  #flush(): void {
    if (this.#isFlushing || this.#isHandling) return;
    this.#isFlushing = true;
    try {
      for (let next = this.#later.shift(); next !== undefined; next = this.#later.shift()) next();
    } finally {
      this.#isFlushing = false;
    }
  }
}
