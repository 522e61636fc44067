/** Items and values on their way between threads: many of one kind, packed for it. */
import type { Column } from "./messages.js";
import { cutView, holdsView } from "./views.js";

/** Of fewer numbers than this, a block costs more than cloning them one by one. */
export const MIN_BLOCK = 32;

/**
 * Arrays of nothing but numbers become one block, whose clone is a copy of its bytes; views that would drag a large
 * buffer along are cut out. Anything else stays as it is. To be posted at once: the next call may use the same block. (A block is not moved to the other side: that costs more than
 * copying it, at the size of a batch.)
 */
export function packColumn(values: readonly unknown[]): Column {
  if (values.length >= MIN_BLOCK) {
    const block = packNumbers(values);
    if (block !== undefined) return block;
  }
  return cutViews(values);
}

/** Views that would drag a large buffer along are cut out; without one it is the same array. */
export function cutViews(values: readonly unknown[]): readonly unknown[] {
  return needsCutting(values) ? values.map(cutView) : values;
}

/** The last block: batches are mostly of one size, and a block is copied by the post that follows. */
let block = new Float64Array(0);

/** All values as a block; undefined if one of them is no number. A hole is none. */
function packNumbers(values: readonly unknown[]): Float64Array | undefined {
  const { length } = values;
  if (block.length !== length) block = new Float64Array(length);
  for (let at = 0; at < length; at++) {
    const value = values[at];
    if (typeof value !== "number") return undefined;
    block[at] = value;
  }
  return block;
}

/** Any value may be a view; what lies in objects is judged by the first one, since they are mostly of one shape. */
function needsCutting(values: readonly unknown[]): boolean {
  let hasObject = false;
  for (const value of values) {
    if (typeof value !== "object" || value === null) continue;
    if (ArrayBuffer.isView(value)) return true;
    if (hasObject) continue;
    hasObject = true;
    if (holdsView(value)) return true;
  }
  return false;
}
