import { BLOCK_SIDE, type AlikePair } from "./compare.js";

/** Rows of the table that have been compared with all others, and the pairs that they are the first row of. */
export interface CertainRows {
  readonly from: number;
  readonly to: number;
  readonly pairs: readonly AlikePair[];
}

/**
 * Keeps account of the blocks of a comparison, which end in any order, and says which rows are certain.
 *
 * A block belongs to its rows. So a row has met all others when the blocks of its own row of blocks are done, and those
 * of all rows of blocks above it, in which it was a column.
 */
export class BlockRows {
  /** How many blocks there are in all. */
  readonly total: number;
  readonly #rows: number;
  /** Number of the first block of each row of blocks, and one past the last. */
  readonly #starts: number[] = [0];
  readonly #left: number[] = [];
  readonly #pairs: AlikePair[][] = [];
  #certain = 0;

  /** The blocks of `compareBlocks(rows, count)`. */
  constructor(rows: number, count: number) {
    this.#rows = rows;
    let blocks = 0;
    for (let rowFrom = 0; rowFrom < rows; rowFrom += BLOCK_SIDE) {
      const inRow = Math.ceil((count - rowFrom) / BLOCK_SIDE);
      blocks += inRow;
      this.#starts.push(blocks);
      this.#left.push(inRow);
      this.#pairs.push([]);
    }
    this.total = blocks;
  }

  /** Takes what a block has found; answers the rows that have become certain by it, if any. */
  add(block: number, pairs: readonly AlikePair[]): CertainRows | undefined {
    const row = this.#rowOf(block);
    this.#left[row] = (this.#left[row] ?? 0) - 1;
    for (const pair of pairs) this.#pairs[row]?.push(pair);
    const from = this.#certain;
    while (this.#left[this.#certain] === 0) this.#certain++;
    if (this.#certain === from) return undefined;
    // Handed over and forgotten: of a time lapse there may be many.
    const found = this.#pairs.slice(from, this.#certain).flat();
    for (let done = from; done < this.#certain; done++) this.#pairs[done] = [];
    return { from: from * BLOCK_SIDE, to: Math.min(this.#rows, this.#certain * BLOCK_SIDE), pairs: found };
  }

  #rowOf(block: number): number {
    let row = this.#certain;
    while (block >= (this.#starts[row + 1] ?? Infinity)) row++;
    return row;
  }
}
