/** Claims and revocations between real threads, on the memory that the machine really has. */
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { ControlBlock } from "../src/control-block.js";

const ITEMS = 300_000;
const MOST = 64;

/** The same numbers every time, so that only the threads' own timing differs between runs. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

/** The main thread's side of one claiming thread. */
class Claimer {
  readonly #block: ControlBlock;
  readonly #row: number;
  readonly #hands = new Int32Array(new SharedArrayBuffer(16));
  readonly #items = new Int32Array(new SharedArrayBuffer(4 * MOST));
  readonly #worker: Worker;
  #batch = 0;
  #sent: number[] = [];

  constructor(block: ControlBlock, row: number, runs: SharedArrayBuffer) {
    this.#block = block;
    this.#row = row;
    block.open(row, 1);
    this.#worker = new Worker(new URL("fixtures/claimer.mjs", import.meta.url), {
      workerData: { control: block.buffer, row, hands: this.#hands.buffer, items: this.#items.buffer, runs },
    });
  }

  give(items: number[]): void {
    this.#sent = items;
    this.#items.set(items);
    this.#batch++;
    this.#block.assign(this.#row, this.#batch, items.length);
    Atomics.store(this.#hands, 1, items.length);
    Atomics.store(this.#hands, 0, this.#batch);
    Atomics.notify(this.#hands, 0);
  }

  /** Takes items back; answers those that are ours now. */
  revoke(keep: number): number[] {
    const from = this.#block.revoke(this.#row, this.#batch, keep);
    return from < this.#sent.length ? this.#sent.splice(from) : [];
  }

  /** Waits for the answer; answers the items that were not run. */
  collect(): number[] {
    for (let seen = Atomics.load(this.#hands, 2); seen !== this.#batch; seen = Atomics.load(this.#hands, 2)) {
      Atomics.wait(this.#hands, 2, seen);
    }
    return this.#sent.splice(Atomics.load(this.#hands, 3));
  }

  async end(): Promise<void> {
    Atomics.store(this.#hands, 0, -1);
    Atomics.notify(this.#hands, 0);
    await this.#worker.terminate();
  }
}

describe("two threads that claim, and a main thread that takes back", () => {
  it("run every item once, wherever it was moved", async () => {
    const next = random(42);
    const runs = new SharedArrayBuffer(4 * ITEMS);
    const block = new ControlBlock(2);
    const claimers = [new Claimer(block, 0, runs), new Claimer(block, 1, runs)];
    const waiting = Array.from({ length: ITEMS }, (_, index) => index);
    let moved = 0;
    try {
      while (waiting.length > 0) {
        for (const claimer of claimers) claimer.give(waiting.splice(-Math.ceil(next() * MOST)));
        for (let round = 0; round < 4; round++) {
          for (let spin = Math.floor(next() * 200); spin > 0; spin--) Atomics.load(new Int32Array(runs, 0, 1), 0);
          for (const claimer of claimers) {
            const taken = claimer.revoke(round === 3 ? 0 : next());
            moved += taken.length;
            waiting.push(...taken);
          }
        }
        for (const claimer of claimers) waiting.push(...claimer.collect());
      }
    } finally {
      await Promise.all(claimers.map((claimer) => claimer.end()));
    }
    const counts = new Int32Array(runs);
    expect({ lost: counts.filter((count) => count === 0).length, twice: counts.filter((n) => n > 1).length }).toEqual({
      lost: 0,
      twice: 0,
    });
    // Else nothing has been tried.
    expect(moved).toBeGreaterThan(0);
  });
});
