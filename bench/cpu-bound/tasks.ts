/** Items that compute: their cost is a number of iterations. */
import { defineTask } from "@threadmill/workers";
import { spin } from "../harness/spin.js";
import { stamp } from "./finish-line.js";

export const burn = defineTask({
  setup: ({ line }: { readonly line: SharedArrayBuffer }) => new Float64Array(line),
  item: (iterations: number, ctx) => {
    const value = spin(iterations);
    stamp(ctx.resource);
    return value;
  },
});

/** For pools of single calls: a batch by hand. */
export function burnBatch({ items, line }: { items: readonly number[]; line: SharedArrayBuffer }): number[] {
  const stamps = new Float64Array(line);
  const results: number[] = [];
  for (const iterations of items) {
    results.push(spin(iterations));
    stamp(stamps);
  }
  return results;
}
