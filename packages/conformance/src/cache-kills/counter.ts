/** What the cache that is killed holds: the same count in each of its entries, so that a mixture of two states shows. */

const ENTRIES = 24;

export interface Counted {
  readonly count: number;
  /** Long enough for a write to have several pieces; filled with the count. */
  readonly padding: Uint32Array;
  readonly taken: Map<string, Date>;
}

function keyOf(at: number): string {
  return `entry-${at}`;
}

export function* entriesWith(count: number): Iterable<[string, Counted]> {
  for (let at = 0; at < ENTRIES; at++) {
    const padding = new Uint32Array(4_096).fill(count);
    yield [keyOf(at), { count, padding, taken: new Map([["at", new Date(count)]]) }];
  }
}

/** The one count that all entries hold; 0 for none. @throws {Error} anything else. */
export function countIn(entries: Iterable<Counted | undefined>): number {
  const all = [...entries];
  const present = all.filter((entry) => entry !== undefined);
  if (present.length === 0) return 0;
  const [{ count } = { count: -1 }] = present;
  if (present.length !== all.length) throw new Error(`${present.length} of ${all.length} entries are there`);
  for (const entry of present) {
    const isWhole =
      entry.count === count &&
      entry.padding.length === 4_096 &&
      entry.padding.every((one) => one === count) &&
      entry.taken.get("at")?.getTime() === count;
    if (!isWhole) throw new Error(`an entry of ${entry.count} among others of ${count}`);
  }
  return count;
}

export function allKeys(): string[] {
  return Array.from({ length: ENTRIES }, (_, at) => keyOf(at));
}
