/** The items of the benchmark. */
import type { Person } from "./tasks.js";

export function makeStrings(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `item number ${i}`);
}

export function makePeople(count: number): Person[] {
  return Array.from({ length: count }, (_, i) => ({ id: i, name: `person ${i}`, tags: ["new", "checked"] }));
}

/** As many results as items, and the last one right. */
export function checkAnswer(results: readonly unknown[], count: number): void {
  const last = JSON.stringify(results.at(-1));
  const wanted = [
    JSON.stringify(`item number ${count - 1}!`),
    JSON.stringify({ id: count - 1, greeting: `Hello person ${count - 1}`, tags: 2 }),
  ];
  if (results.length !== count || !wanted.includes(last))
    throw new Error(`${results.length} results, the last ${last}`);
}
