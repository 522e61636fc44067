/** Threads at work, and native calls under way in them, counted in shared memory. */

const THREADS = 0;
const CALLS = 1;

let hasCome = false;

export class InFlight {
  readonly shared: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(shared = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)) {
    this.shared = shared;
    this.#words = new Int32Array(shared);
  }

  /** Says that this thread is at work. */
  arrive(): void {
    if (hasCome) return;
    hasCome = true;
    Atomics.add(this.#words, THREADS, 1);
    Atomics.notify(this.#words, THREADS);
  }

  /** Around a native call, in a thread. */
  async during<Result>(call: () => Result): Promise<Awaited<Result>> {
    Atomics.add(this.#words, CALLS, 1);
    this.arrive();
    try {
      return await call();
    } finally {
      Atomics.sub(this.#words, CALLS, 1);
    }
  }

  get calls(): number {
    return Atomics.load(this.#words, CALLS);
  }

  /** Resolves when so many threads have been at work. It does not hold the process: live jobs do. */
  async reached(threads: number): Promise<void> {
    for (;;) {
      const seen = Atomics.load(this.#words, THREADS);
      if (seen >= threads) return;
      const waiting = Atomics.waitAsync(this.#words, THREADS, seen);
      if (waiting.async) await waiting.value;
    }
  }
}
