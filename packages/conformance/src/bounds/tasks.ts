/** Handlers with much to say, much to give, or little to do. */
import { defineTask } from "@threadmill/workers";

export const doubled = defineTask({
  native: false,
  item: (value: number): number => {
    if (value < 0) throw new RangeError(`${value} is below 0`);
    return 2 * value;
  },
});

/** Its threads keep what was set up for the last few of many options. */
export const scaled = defineTask({
  native: false,
  setup: ({ factor }: { readonly factor: number }) => factor,
  item: (value: number, ctx): number => ctx.resource * value,
});

/** Some microseconds of work: there is always something left to cancel. */
export const slow = defineTask({
  item: (value: number): number => {
    let sum = value;
    for (let turn = 0; turn < 20_000; turn++) sum = (sum * 31 + turn) | 0;
    return sum;
  },
});

/** Gives a detail with each item. */
export const talkative = defineTask({
  item: (value: number, ctx): number => {
    ctx.detail(value);
    return value;
  },
});

/** A text so long. */
export function text(length: number): string {
  return "x".repeat(length);
}

/** A result that cannot travel, with a source text that belongs into no message. */
export function hugeFunction(length: number): unknown {
  // oxlint-disable-next-line typescript/no-implied-eval -- a function as long as one likes
  return new Function(`/* ${"x".repeat(length)} */`);
}
