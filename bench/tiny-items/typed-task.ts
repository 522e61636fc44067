/** `x + 1` over typed arrays that Piscina moves rather than clones. */
import { move } from "piscina";
import { addOne } from "./tasks.js";

export function addOneTyped(items: Float64Array): unknown {
  const results = new Float64Array(items.length);
  for (let i = 0; i < items.length; i++) results[i] = addOne(items[i] as number);
  return move(results);
}
