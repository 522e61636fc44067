/** Tiny items, and a batch of them by hand. */

export function addOne(x: number): number {
  return x + 1;
}

export function addOneToAll(items: number[]): number[] {
  const results: number[] = [];
  for (const item of items) results.push(addOne(item));
  return results;
}
