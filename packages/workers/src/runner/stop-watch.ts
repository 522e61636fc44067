/**
 * Wakes a thread when one of its batches is stopped while handlers wait for something. `Atomics.waitAsync` does not
 * hold the event loop; the port does that.
 */
import { type ControlRow, STOPPED } from "@threadmill/protocol";

/**
 * Calls `onStop` after a stop of an even or an odd batch, until the function that it returns is called. One waiter per
 * word stays for good: a waiter per batch would be left in V8's list when its batch ends.
 */
export function watchStops(row: ControlRow, parity: 0 | 1, onStop: () => void): () => void {
  const at = row.limitAt(parity);
  let isOver = false;
  const wait = (): void => {
    while (!isOver) {
      const seen = Atomics.load(row.words, at);
      row.haltIfEnding(parity);
      if (seen <= STOPPED) onStop();
      const waiting = Atomics.waitAsync(row.words, at, seen);
      if (waiting.async) {
        void waiting.value.then(wait);
        return;
      }
    }
  };
  wait();
  return () => {
    isOver = true;
    Atomics.notify(row.words, at);
  };
}
