/** Columns of numbers in shared memory: what columns tasks read and write, with nothing copied on the way. */
import type { NumberColumn } from "./messages.js";

const TYPES = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
} as const;

/** The classes that a columns task may name as its output. */
export type NumberColumnName = keyof typeof TYPES;

export function isNumberColumnName(value: unknown): value is NumberColumnName {
  return typeof value === "string" && Object.hasOwn(TYPES, value);
}

export function isNumberColumn(value: unknown): value is NumberColumn {
  return ArrayBuffer.isView(value) && isNumberColumnName(value.constructor.name);
}

/** Zeros, in memory that all threads see. */
export function createSharedColumn(name: NumberColumnName, length: number): NumberColumn {
  const Type = TYPES[name] as Float64ArrayConstructor;
  return new Type(new SharedArrayBuffer(length * Type.BYTES_PER_ELEMENT), 0, length);
}

/** The column itself if it is shared already, else a copy that is. */
export function toSharedColumn(column: NumberColumn): NumberColumn {
  if (column.buffer instanceof SharedArrayBuffer) return column;
  const copy = createSharedColumn(column.constructor.name as NumberColumnName, column.length);
  // Of the same class, so both are of numbers or both of bigints.
  copy.set(column as never);
  return copy;
}
