/** Items and values on their way between threads: many of one kind, packed for it. */
import type { Column } from "./messages.js";
import { cutView, holdsView } from "./views.js";

/** Below this, making a block costs more than cloning the numbers one by one. */
const MIN_PACKED = 32;

/**
 * Arrays of nothing but numbers become one block, whose clone is a copy of its bytes; views that would drag a large
 * buffer along are cut out. Anything else stays as it is. (A block is not moved to the other side: that costs more than
 * copying it, at the size of a batch.)
 */
export function packColumn(values: readonly unknown[]): Column {
  if (values.length >= MIN_PACKED && isAllNumbers(values)) return new Float64Array(values);
  return needsCutting(values) ? values.map(cutView) : values;
}

/** By index: `every` skips holes, which are not numbers. */
function isAllNumbers(values: readonly unknown[]): values is readonly number[] {
  for (let at = 0; at < values.length; at++) if (typeof values[at] !== "number") return false;
  return true;
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
