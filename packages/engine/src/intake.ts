/**
 * Takes words in for a while, then lets the event loop turn. A port is drained up to a thousand messages at once, and
 * threads go on answering meanwhile, so that a million results would hold up timers, sockets and users for as long as
 * they last.
 */

/** How long a turn of the event loop may be spent on words. */
const SLICE_MS = 2;

export class Intake<Word> {
  readonly #take: (word: Word) => void;
  #waiting: Word[] = [];
  #sliceEnd = 0;
  #planned: NodeJS.Immediate | undefined;
  #isClosed = false;

  constructor(take: (word: Word) => void) {
    this.#take = take;
  }

  /** Takes the word now, or in a later turn; always after those that came before it. */
  receive(word: Word): void {
    if (this.#isClosed) return;
    if (this.#planned === undefined) {
      this.#sliceEnd = performance.now() + SLICE_MS;
      this.#plan();
    } else if (this.#waiting.length > 0 || performance.now() > this.#sliceEnd) {
      this.#waiting.push(word);
      return;
    }
    this.#take(word);
  }

  /** Takes all that wait, however long it lasts: something is about to be decided that they have a say in. */
  flush(): void {
    const words = this.#waiting;
    this.#waiting = [];
    for (const word of words) this.#take(word);
  }

  /** Nothing that waits, or comes later, will be taken any more. */
  close(): void {
    this.#isClosed = true;
    clearImmediate(this.#planned);
    this.#waiting = [];
  }

  #plan(): void {
    this.#planned = setImmediate(() => {
      this.#planned = undefined;
      if (this.#waiting.length === 0) return;
      const words = this.#waiting;
      this.#waiting = [];
      for (const word of words) this.receive(word);
    });
  }
}
