import type { VectorTable } from "./vectors.js";

/** A rectangle of the table of all pairs: rows against columns, each from its start up to, not including, its end. */
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

/** 16,384 pairs: a few milliseconds, and a table of 10,000 photos makes some 3,000 blocks. */
export const BLOCK_SIDE = 128;

/**
 * Cuts the pairs of the first `rows` rows, with each other and with all later ones up to `count`, into blocks; row by row,
 * made one by one as they are asked for.
 */
export function* compareBlocks(rows: number, count: number): Generator<CompareBlock, void, undefined> {
  for (let rowFrom = 0; rowFrom < rows; rowFrom += BLOCK_SIDE) {
    const rowTo = Math.min(rows, rowFrom + BLOCK_SIDE);
    for (let columnFrom = rowFrom; columnFrom < count; columnFrom += BLOCK_SIDE) {
      yield { rowFrom, rowTo, columnFrom, columnTo: Math.min(count, columnFrom + BLOCK_SIDE) };
    }
  }
}

/** So many numbers are multiplied before it is asked whether the rest is worth it. */
const STEP = 96;

/**
 * Finds the pairs of a block whose product is at least `threshold`.
 *
 * A pair is given up as soon as even the best possible rest would not bring it there: a product of two rests is at most
 * the product of their lengths (Cauchy and Schwarz). Unrelated pictures fall out after a fifth of their numbers.
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
  const vectors = new Int8Array(table.rows);
  const scales = new Float32Array(table.scales);
  const steps = Math.ceil(dimension / STEP);
  const rowRests = restLengths(table, block.rowFrom, block.rowTo);
  const columnRests = restLengths(table, block.columnFrom, block.columnTo);
  const pairs: AlikePair[] = [];
  for (let a = block.rowFrom; a < block.rowTo; a++) {
    checkCancel();
    for (let b = Math.max(a + 1, block.columnFrom); b < block.columnTo; b++) {
      const scale = (scales[a] ?? 0) * (scales[b] ?? 0);
      const restA = (a - block.rowFrom) * steps;
      const restB = (b - block.columnFrom) * steps;
      let sum = 0;
      let isPossible = true;
      for (let step = 0; step < steps && isPossible; step++) {
        const from = step * STEP;
        sum += product(vectors, a * dimension + from, b * dimension + from, Math.min(STEP, dimension - from));
        isPossible = sum * scale + (rowRests[restA + step] ?? 0) * (columnRests[restB + step] ?? 0) >= threshold;
      }
      // Rounding may lift the likeness of two equal pictures a little above 1.
      if (isPossible) pairs.push({ a, b, score: Math.min(1, sum * scale) });
    }
  }
  return pairs;
}

function product(vectors: Int8Array, startA: number, startB: number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += (vectors[startA + i] as number) * (vectors[startB + i] as number);
  return sum;
}

/** For each row the lengths of what is left after each step. After the last it is nothing. */
function restLengths(table: VectorTable, from: number, to: number): Float64Array {
  const { dimension } = table;
  const vectors = new Int8Array(table.rows);
  const scales = new Float32Array(table.scales);
  const steps = Math.ceil(dimension / STEP);
  const rests = new Float64Array((to - from) * steps);
  for (let row = from; row < to; row++) {
    let squares = 0;
    for (let step = steps - 1; step > 0; step--) {
      const start = row * dimension + step * STEP;
      squares += product(vectors, start, start, Math.min(STEP, dimension - step * STEP));
      rests[(row - from) * steps + step - 1] = Math.sqrt(squares) * (scales[row] ?? 0);
    }
  }
  return rests;
}
