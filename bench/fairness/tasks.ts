/** The large job, and the small one that comes while it runs. */
import { spin } from "../harness/spin.js";

export function grind(iterations: number): number {
  return spin(iterations);
}

export function grindBatch({ iterations, count }: { iterations: number; count: number }): number[] {
  return Array.from({ length: count }, () => spin(iterations));
}

export function addOne(x: number): number {
  return x + 1;
}

export function addOneToAll(items: number[]): number[] {
  return items.map(addOne);
}
