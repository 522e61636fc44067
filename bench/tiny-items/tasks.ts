/** `x + 1`, for every contestant: one item, and batches with packed and with holey answers. */

export function addOne(x: number): number {
  return x + 1;
}

export function addOneOrNull(x: number | null): number | null {
  return x === null ? null : x + 1;
}

/** What most people write. `map` allocates its answer at full length, which V8 clones slower than a packed array. */
export function addOneMapped(items: number[]): number[] {
  return items.map(addOne);
}

export function addOneOrNullMapped(items: (number | null)[]): (number | null)[] {
  return items.map(addOneOrNull);
}

/** Grown by `push`: a packed array. */
export function addOnePacked(items: number[]): number[] {
  const results: number[] = [];
  for (const item of items) results.push(addOne(item));
  return results;
}

export function addOneOrNullPacked(items: (number | null)[]): (number | null)[] {
  const results: (number | null)[] = [];
  for (const item of items) results.push(addOneOrNull(item));
  return results;
}
