import type { VectorTable } from "./vectors.js";

/** A square of the triangle of all pairs: rows against columns, each from its start up to, not including, its end. */
export interface CompareBlock {
  readonly rowFrom: number;
  readonly rowTo: number;
  readonly columnFrom: number;
  readonly columnTo: number;
}

/** Two rows of the table that are at least as alike as was asked; `a < b`. */
export interface AlikePair {
  readonly a: number;
  readonly b: number;
  readonly score: number;
}

/** 16,384 pairs: about ten milliseconds, and a table of 10,000 photos makes some 3,000 blocks. */
const BLOCK = 128;

/** Cuts all pairs of `count` rows into blocks, made one by one as they are asked for. */
export function* compareBlocks(count: number): Generator<CompareBlock, void, undefined> {
  for (let rowFrom = 0; rowFrom < count; rowFrom += BLOCK) {
    for (let columnFrom = rowFrom; columnFrom < count; columnFrom += BLOCK) {
      yield {
        rowFrom,
        rowTo: Math.min(count, rowFrom + BLOCK),
        columnFrom,
        columnTo: Math.min(count, columnFrom + BLOCK),
      };
    }
  }
}

/** How many blocks there are: the total that a progress bar needs. */
export function blockCount(count: number): number {
  const side = Math.ceil(count / BLOCK);
  return (side * (side + 1)) / 2;
}

/**
 * Finds the pairs of a block whose product is at least `threshold`.
 *
 * Each pair is given up half-way if even the best possible rest would not bring it there: a product of two rests is at
 * most the product of their lengths (Cauchy and Schwarz). For unrelated pictures that spares half of the work.
 *
 * @param checkCancel called before each row; may throw.
 */
export function compareBlock(
  table: VectorTable,
  block: CompareBlock,
  threshold: number,
  checkCancel: () => void,
): AlikePair[] {
  const { dimension } = table;
  const rows = new Int8Array(table.rows);
  const scales = new Float32Array(table.scales);
  const half = dimension >> 1;
  const rests = restLengths(rows, scales, dimension, half, block.columnFrom, block.columnTo);
  const pairs: AlikePair[] = [];
  for (let a = block.rowFrom; a < block.rowTo; a++) {
    checkCancel();
    const scaleA = scales[a] ?? 0;
    const restA = restLengths(rows, scales, dimension, half, a, a + 1)[0] ?? 0;
    const startA = a * dimension;
    for (let b = Math.max(a + 1, block.columnFrom); b < block.columnTo; b++) {
      const startB = b * dimension;
      const scale = scaleA * (scales[b] ?? 0);
      const first = product(rows, startA, startB, half);
      if (first * scale + restA * (rests[b - block.columnFrom] ?? 0) < threshold) continue;
      const score = (first + product(rows, startA + half, startB + half, dimension - half)) * scale;
      if (score >= threshold) pairs.push({ a, b, score });
    }
  }
  return pairs;
}

function product(rows: Int8Array, startA: number, startB: number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += (rows[startA + i] as number) * (rows[startB + i] as number);
  return sum;
}

/** Lengths of the rows' parts from `half` on. */
function restLengths(
  rows: Int8Array,
  scales: Float32Array,
  dimension: number,
  half: number,
  from: number,
  to: number,
): Float64Array {
  return Float64Array.from({ length: to - from }, (_, i) => {
    const start = (from + i) * dimension + half;
    return Math.sqrt(product(rows, start, start, dimension - half)) * (scales[from + i] ?? 0);
  });
}
