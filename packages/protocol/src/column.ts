/** Items and values on their way between threads: many of one kind, packed for it. */
import type { Column } from "./messages.js";
import { cutView, holdsView } from "./views.js";

/** Below this, making and moving a buffer costs more than cloning the numbers. */
const MIN_PACKED = 32;

/**
 * Arrays of nothing but numbers become one block, to be moved rather than cloned; views that would drag a large
 * buffer along are cut out. Anything else stays as it is.
 */
export function packColumn(values: readonly unknown[]): Column {
  if (values.length >= MIN_PACKED && values.every((value) => typeof value === "number")) {
    return Float64Array.from(values);
  }
  return holdsView(values[0]) ? values.map(cutView) : values;
}
