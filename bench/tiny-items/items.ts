/** The items, and whether the answer to them is right. */

/** Whole numbers, or every eighth one `null`: an array that cannot travel as a typed array. */
export function makeItems(kind: string, count: number): (number | null)[] {
  const items: (number | null)[] = [];
  for (let i = 0; i < count; i++) items.push(kind === "mixed" && i % 8 === 0 ? null : i);
  return items;
}

/** A fast wrong answer is none. */
export function checkAnswer(items: readonly (number | null)[], results: readonly unknown[]): void {
  if (results.length !== items.length) throw new Error(`${results.length} results for ${items.length} items`);
  for (let i = 0; i < items.length; i++) {
    const item = items[i] as number | null;
    if (results[i] !== (item === null ? null : item + 1)) throw new Error(`result ${i} is ${String(results[i])}`);
  }
}
