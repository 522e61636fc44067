/**
 * A job's stock of indices: what can be put into a batch next, and how indices come back. The lowest index goes
 * first where there is a choice, so that an ordered reader is never kept waiting by later items.
 */
import type { IndexRange } from "./ranges.js";
import { batchSize } from "./size.js";
import { type Batch, type Job, type State, dueAt, indexAt } from "./state.js";

/** What goes into a batch. */
export interface Work {
  readonly indices: number | readonly number[];
  readonly count: number;
  readonly isAlone: boolean;
}

/** Whether the job has something to assign now. */
export function hasWork(job: Job, now: number): boolean {
  if (job.phase !== "live" || job.recipe.phase === "probing" || job.toWarm !== undefined) return false;
  return (
    job.fresh < job.supplied ||
    job.returned.size > 0 ||
    job.suspects.length > 0 ||
    job.pieces.length > 0 ||
    dueAt(job) <= now
  );
}

/** Whether the next work of the job must have a thread to itself. */
export function isNextAlone(job: Job): boolean {
  return job.suspects.length > 0;
}

/** Takes the next batch's worth of indices out of the stock. To be called only when `hasWork`. */
export function takeWork(state: State, job: Job, now: number): Work {
  const suspect = job.suspects.shift();
  if (suspect !== undefined) return { indices: [suspect], count: 1, isAlone: true };
  const piece = job.pieces.shift();
  if (piece !== undefined) return { ...piece, isAlone: false };
  const size = batchSize(state, job);
  if (dueAt(job) <= now) {
    const indices: number[] = [];
    while (indices.length < size && dueAt(job) <= now) {
      const retry = job.retries.first as { readonly index: number; readonly dueAt: number };
      job.retries.remove(retry);
      indices.push(retry.index);
    }
    indices.sort((a, b) => a - b);
    return { indices, count: indices.length, isAlone: false };
  }
  const returned = job.returned.take(size);
  if (returned !== undefined && job.isSparse) return gather(job, returned, size);
  if (returned !== undefined) return { indices: returned.start, count: returned.count, isAlone: false };
  const count = Math.min(size, job.supplied - job.fresh);
  const start = job.fresh;
  job.fresh += count;
  return { indices: start, count, isAlone: false };
}

/** A batch of items that lie far apart: one for each range would be as many messages as items. */
function gather(job: Job, first: IndexRange, size: number): Work {
  if (first.count === size || job.returned.size === 0) {
    return { indices: first.start, count: first.count, isAlone: false };
  }
  const indices: number[] = [];
  let range: IndexRange | undefined = first;
  while (range !== undefined) {
    for (let at = 0; at < range.count; at++) indices.push(range.start + at);
    range = indices.length < size ? job.returned.take(size - indices.length) : undefined;
  }
  return { indices, count: indices.length, isAlone: false };
}

/** Positions `from` to `to` of a batch go back into the stock, at no cost. */
export function giveBack(batch: Batch, from: number, to: number): void {
  // A warm-up has no items, but its slot has yet to be reached.
  if (batch.job.toWarm !== undefined) batch.job.toWarm.add(batch.slot);
  if (from >= to) return;
  const { job, indices } = batch;
  if (batch.isAlone) job.suspects.push(indexAt(batch, 0));
  else if (typeof indices === "number") job.returned.add(indices + from, to - from);
  else for (let position = from; position < to; position++) job.returned.add(indices[position] as number, 1);
}

/** Items that can be put into batches now or later without asking the source. */
export function stock(job: Job): number {
  return job.supplied - job.fresh + job.returned.size;
}
