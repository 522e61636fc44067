/** How many items the next batch holds. */
import type { Job, Recipe, State } from "./state.js";
import { lanesOf } from "./state.js";

/** Cutting the tail of a job finer than this costs more in messages than it gains in balance. */
const MIN_TAIL_MS = 0.25;
/**
 * A batch must not hold up the main thread for longer, where the clock of its users ticks. A small part of what they
 * bear, because all answers that have come are read in one turn of the event loop: two for each thread.
 */
const MAX_MAIN_MS = 0.25;
/** How far one measurement moves the average: up at once, since a batch that is too long blocks a thread; down slowly. */
const RISE = 1;
const FALL = 0.3;

/** A position in a batch must fit a word of shared memory. */
const MAX_COLUMN_ITEMS = 2 ** 30;

/** Items for the next batch of the job; at least 1. */
export function batchSize(state: State, job: Job): number {
  const { recipe, rules } = job;
  // Until a thread has described the task nobody knows what it can take.
  if (recipe.phase !== "known") return 1;
  const lanes = lanesOf(job);
  const most = Math.min(mostItems(state, recipe), recipe.maxBatchItems || Infinity);
  if (rules.batchSize > 0) return Math.min(rules.batchSize, most);
  if (recipe.msPerItem === undefined) return Math.min(lanes, most);
  const perItem = Math.max(recipe.msPerItem, 1e-6);
  let size = Math.floor(state.options.batchMs / perItem);
  if (recipe.mainMsPerItem !== undefined) size = Math.min(size, Math.floor(MAX_MAIN_MS / recipe.mainMsPerItem));
  size = Math.min(size, 2 * recipe.largestMeasured);
  if (job.sourceEnded) {
    const remaining = job.supplied - job.fresh + job.returned.size;
    const share = Math.ceil(remaining / (2 * state.options.threads));
    size = Math.min(size, Math.max(share, Math.floor(MIN_TAIL_MS / perItem)));
  }
  // Items in flight run across the border of two batches, so a batch must at least fill the lanes.
  return Math.min(Math.max(size, lanes, 1), most);
}

/** Items that a batch may hold. Those of shared columns do not travel, so that their number costs nothing. */
function mostItems({ options }: State, { kind }: Recipe): number {
  return kind === "columns" ? MAX_COLUMN_ITEMS : options.maxBatchItems;
}

/** What the scheduler expects a batch to take; 0 where it knows nothing. */
export function expectedMs(recipe: Recipe, count: number): number {
  return (recipe.msPerItem ?? 0) * count;
}

/** Learns from a batch that ran `count` items without a fault. */
export function measure(
  recipe: Recipe,
  count: number,
  { elapsedMs, mainMs }: { readonly elapsedMs: number; readonly mainMs: number },
): void {
  if (count === 0) return;
  recipe.msPerItem = moved(recipe.msPerItem, elapsedMs / count, RISE);
  // What a thread may do to the main one is small beside what the machine may: no haste either way.
  recipe.mainMsPerItem = moved(recipe.mainMsPerItem, mainMs / count, FALL);
  recipe.largestMeasured = Math.max(recipe.largestMeasured, count);
}

function moved(before: number | undefined, sample: number, rise: number): number {
  if (before === undefined) return sample;
  return before + (sample - before) * (sample > before ? rise : FALL);
}
