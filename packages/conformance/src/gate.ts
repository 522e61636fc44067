/**
 * Holds a handler at a known point, and lets it go: shared memory that travels in an item or in options. No test has to
 * sleep, since each side is woken by what the other one does.
 */

const ARRIVED = 0;
const PASSES = 1;
const FOR_ALL = 0x7fff_ffff;

export class Gate {
  readonly shared: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(shared = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)) {
    this.shared = shared;
    this.#words = new Int32Array(shared);
  }

  // ——— the handler's side

  /** Says that it has come, and waits until it may go on. The thread stays free to do other things. */
  async pass(): Promise<void> {
    const turn = this.#arrive();
    await until(this.#words, PASSES, (passes) => passes > turn);
  }

  /** The same, and the thread does nothing else meanwhile: not for runners on the main thread. */
  passBlocking(): void {
    const turn = this.#arrive();
    for (let passes = 0; (passes = Atomics.load(this.#words, PASSES)) <= turn;) {
      Atomics.wait(this.#words, PASSES, passes);
    }
  }

  /** The same, by computing: not even a wait that `Atomics.notify` could end. */
  passSpinning(): void {
    const turn = this.#arrive();
    while (Atomics.load(this.#words, PASSES) <= turn);
  }

  #arrive(): number {
    const turn = Atomics.add(this.#words, ARRIVED, 1);
    Atomics.notify(this.#words, ARRIVED);
    return turn;
  }

  // ——— the test's side

  /** How many have come so far. */
  get arrivals(): number {
    return Atomics.load(this.#words, ARRIVED);
  }

  /** Resolves when so many have come. */
  arrived(count = 1): Promise<void> {
    return until(this.#words, ARRIVED, (arrivals) => arrivals >= count);
  }

  /** Lets the next ones go, in the order in which they came. */
  letThrough(count: number): void {
    Atomics.add(this.#words, PASSES, count);
    Atomics.notify(this.#words, PASSES);
  }

  /** Lets all go, also those that are yet to come. */
  open(): void {
    Atomics.store(this.#words, PASSES, FOR_ALL);
    Atomics.notify(this.#words, PASSES);
  }
}

async function until(words: Int32Array, at: number, isDone: (value: number) => boolean): Promise<void> {
  for (;;) {
    const seen = Atomics.load(words, at);
    if (isDone(seen)) return;
    const waiting = Atomics.waitAsync(words, at, seen);
    if (waiting.async) await waiting.value;
  }
}
