/** Handlers that count in shared memory how often each item was run. An item is the number of its cell. */
import { defineTask } from "@threadmill/workers";

export interface CountingOptions {
  /** A byte per cell. */
  readonly runs: SharedArrayBuffer;
}

const setup = ({ runs }: CountingOptions): Uint8Array => new Uint8Array(runs);

/** One atomic step an item: the thread is at its next claim as soon as it can be. */
export const counting = defineTask({
  setup,
  item: (cell: number, ctx): number => {
    Atomics.add(ctx.resource, cell, 1);
    return cell;
  },
});

/** Waits for a microtask, and one in 64 for a turn of the event loop, in which the batch behind comes in. */
export const countingLater = defineTask({
  setup,
  concurrency: 8,
  item: async (cell: number, ctx): Promise<number> => {
    Atomics.add(ctx.resource, cell, 1);
    if ((cell & 63) === 0) await new Promise((resolve) => setImmediate(resolve));
    else await Promise.resolve();
    return cell;
  },
});

/** All items that the limit leaves, at once. */
export const countingBatch = defineTask({
  setup,
  batch: (cells: number[], ctx): number[] => {
    for (const cell of cells) Atomics.add(ctx.resource, cell, 1);
    return cells;
  },
});

/** An item of a job that mixes quick and slow ones. */
export interface UnevenItem {
  readonly cell: number;
  /** How often it looks at the cell before it is done: what makes it slow. */
  readonly looks: number;
}

/** Works for as long as the item says; the cell is counted first, so that an item which is cut short shows. */
function work(runs: Uint8Array, { cell, looks }: UnevenItem): number {
  Atomics.add(runs, cell, 1);
  for (let look = 0; look < looks; look++) Atomics.load(runs, cell);
  return cell;
}

export const uneven = defineTask({ setup, item: (item: UnevenItem, ctx): number => work(ctx.resource, item) });

export const unevenLater = defineTask({
  setup,
  concurrency: 4,
  item: async (item: UnevenItem, ctx): Promise<number> => {
    await Promise.resolve();
    return work(ctx.resource, item);
  },
});

export const unevenBatch = defineTask({
  setup,
  maxBatchItems: 512,
  batch: (items: UnevenItem[], ctx): number[] => items.map((item) => work(ctx.resource, item)),
});
