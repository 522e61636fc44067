/** Shows, in shared memory, that a thread is at work: a cancel is timed when all of them are. */
import { setTimeout as delay } from "node:timers/promises";
import { threadId } from "node:worker_threads";

/** Threads that were killed have successors with new ids. */
const ROWS = 4_096;

export function makeBeats(): SharedArrayBuffer {
  return new SharedArrayBuffer(ROWS * Int32Array.BYTES_PER_ELEMENT);
}

/** In a thread, at the beginning of each item. */
export function beat(rows: Int32Array): void {
  Atomics.add(rows, threadId % ROWS, 1);
}

/** Resolves when as many threads as told have begun an item since the call. */
export async function untilAtWork(beats: SharedArrayBuffer, threads: number): Promise<void> {
  const rows = new Int32Array(beats);
  const before = rows.slice();
  for (;;) {
    let moved = 0;
    for (let row = 0; row < rows.length && moved < threads; row++) {
      if (Atomics.load(rows, row) !== before[row]) moved++;
    }
    if (moved >= threads) return;
    // Not at every turn of the loop: that would take a core from the threads that are waited for.
    await delay(1);
  }
}
