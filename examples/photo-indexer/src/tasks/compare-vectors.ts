import { defineTask } from "@threadmill/workers";
import { compareBlock, type AlikePair, type CompareBlock } from "../duplicates/compare.js";
import type { VectorTable } from "../duplicates/vectors.js";

export interface CompareOptions {
  /** In shared memory: the threads read it where it is. */
  readonly table: VectorTable;
  readonly threshold: number;
}

/** Finds near duplicates, a square of the table of all pairs at a time. */
export const compareVectors = defineTask<CompareBlock, AlikePair[], CompareOptions>({
  // Pure arithmetic: whatever addon the thread has loaded before, it is never inside one here.
  native: false,
  item: (block, ctx) => {
    const { table, threshold } = ctx.options;
    return compareBlock(table, block, threshold, () => {
      ctx.throwIfCancelled();
    });
  },
});
