/**
 * Keeps what is said to the engine in the order in which it was asked for, and until the end of the tick: a listener or
 * a loop that is added in the tick of `run` is known when the engine hears of the job, and a job that is cancelled in
 * that tick is never sent.
 */
interface Letter {
  readonly send: () => void;
  /** It gains by waiting for the end of the whole turn of the event loop. */
  readonly waits: () => boolean;
}

export class Outbox {
  #letters: Letter[] = [];
  #isScheduled = false;

  add(send: () => void, waits: () => boolean = () => false): void {
    this.#letters.push({ send, waits });
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => this.#flush(false));
  }

  #flush(isEndOfTurn: boolean): void {
    const letters = this.#letters;
    this.#letters = [];
    while (letters.length > 0) {
      if (!isEndOfTurn && letters[0]?.waits() === true) {
        this.#letters = [...letters, ...this.#letters];
        setImmediate(() => this.#flush(true));
        return;
      }
      letters.shift()?.send();
    }
    this.#isScheduled = false;
    if (this.#letters.length > 0) {
      this.#isScheduled = true;
      queueMicrotask(() => this.#flush(false));
    }
  }
}
