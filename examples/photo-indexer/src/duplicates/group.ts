import type { AlikePair } from "./compare.js";

/** Near duplicates: the best picture, and all that are directly like it. Rows of the table. */
export interface NearGroup {
  readonly best: number;
  readonly others: readonly { readonly row: number; readonly score: number }[];
}

/** Bounds what a thousand frames of one time lapse can cost: a row remembers this many better rows that it is like. */
const MAX_NEIGHBOURS = 64;

/**
 * Groups pairs around their best pictures. Rows must be sorted by quality, the best first: in a pair, `a` is better.
 *
 * Not by connected components: a chain of small steps (A like B, B like C, …) would put the first and the last picture
 * of a whole afternoon into one group. Here every member is directly like the picture that one would keep, so a group
 * can be acted on.
 */
export class NearGrouping {
  /** For each row the better ones that it is like, the best first. */
  readonly #better = new Map<number, { row: number; score: number }[]>();

  /** Takes a pair; in any order. */
  add({ a, b, score }: AlikePair): void {
    const known = this.#better.get(b) ?? [];
    this.#better.set(b, known);
    const place = known.findIndex(({ row }) => row > a);
    known.splice(place === -1 ? known.length : place, 0, { row: a, score });
    if (known.length > MAX_NEIGHBOURS) known.pop();
  }

  /** The groups, the one with the best picture first. */
  groups(): NearGroup[] {
    const joined = new Set<number>();
    const groups = new Map<number, { row: number; score: number }[]>();
    for (const [row, better] of [...this.#better].toSorted(([a], [b]) => a - b)) {
      // The best picture that is not itself a lesser version of another one.
      const best = better.find((candidate) => !joined.has(candidate.row));
      if (best === undefined) continue;
      joined.add(row);
      const others = groups.get(best.row) ?? [];
      others.push({ row, score: best.score });
      groups.set(best.row, others);
    }
    return [...groups]
      .toSorted(([a], [b]) => a - b)
      .map(([best, others]) => ({ best, others: others.toSorted((a, b) => b.score - a.score || a.row - b.row) }));
  }
}
