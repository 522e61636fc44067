import type { PackedVector } from "../catalog/records.js";

/**
 * Packs a vector into a quarter of its bytes. The scale is chosen so that its length stays what it was, and with it the
 * meaning of a product: a vector of length 1 times itself is still 1. Cosines move by less than 0.0005.
 */
export function packVector(vector: Float32Array): PackedVector {
  let largest = 0;
  for (const value of vector) largest = Math.max(largest, Math.abs(value));
  if (largest === 0) return { scale: 0, bytes: new Int8Array(vector.length) };
  const bytes = Int8Array.from(vector, (value) => Math.round((value / largest) * 127));
  return { scale: lengthOf(vector) / lengthOf(bytes), bytes };
}

function lengthOf(vector: Float32Array | Int8Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return Math.sqrt(sum);
}

/** Vectors of one length in shared memory, row by row, for any number of threads. */
export interface VectorTable {
  readonly count: number;
  readonly dimension: number;
  /** Int8, `count × dimension`. */
  readonly rows: SharedArrayBuffer;
  /** Float32, one per row: value = byte × scale. */
  readonly scales: SharedArrayBuffer;
}

/** Collects vectors into a table. Those of another length (an index whose model has changed) are refused. */
export function vectorTable(vectors: readonly PackedVector[]): VectorTable {
  const dimension = vectors[0]?.bytes.length ?? 0;
  const rows = new Int8Array(new SharedArrayBuffer(vectors.length * dimension));
  const scales = new Float32Array(new SharedArrayBuffer(vectors.length * 4));
  vectors.forEach(({ bytes, scale }, row) => {
    if (bytes.length !== dimension)
      throw new RangeError(`a vector has ${bytes.length} numbers, the first has ${dimension}`);
    rows.set(bytes, row * dimension);
    scales[row] = scale;
  });
  return { count: vectors.length, dimension, rows: rows.buffer, scales: scales.buffer };
}
