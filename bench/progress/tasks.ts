/** Ticks: items that do next to nothing, so that telling of them is all there is. */
import { parentPort } from "node:worker_threads";

export function tick(x: number): number {
  return x + 1;
}

/** A batch by hand that tells nobody how far it is. */
export function ticks(count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += tick(i);
  return sum;
}

/** The same with a message for every tick. */
export function ticksWithMessages(count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum += tick(i);
    parentPort?.postMessage(1);
  }
  return sum;
}
