import { setImmediate as nextTurn } from "node:timers/promises";
import { Comparisons } from "../catalog/comparisons.js";
import { vectorsOfRun, type VectorRow } from "../catalog/published.js";
import type { GroupMember } from "../catalog/records.js";
import { BlockRows } from "../duplicates/block-rows.js";
import { compareBlocks } from "../duplicates/compare.js";
import { NearGrouping } from "../duplicates/group.js";
import { vectorTable } from "../duplicates/vectors.js";
import type { Run } from "./run.js";
import { TASKS } from "./tasks.js";

/**
 * Finds the near duplicates among the run's contents: what is new is compared with everything, by all threads, over one
 * table in shared memory. The first run of an album costs the square of its size, a later one the new photos times the
 * size, and one without new photos nothing.
 *
 * @throws the signal's reason.
 */
export async function findNearDuplicates(run: Run): Promise<GroupMember[][]> {
  const contents = await readVectors(run);
  const comparisons = new Comparisons(run.catalog, run.recipeId, run.model.nearThreshold);
  const compared = comparisons.compared();
  const fresh = contents.filter(({ contentId }) => !compared.has(contentId));
  const others = contents.filter(({ contentId }) => compared.has(contentId));
  if (fresh.length > 0) await compareFresh(run, comparisons, [...fresh, ...others], fresh.length);
  return await groupContents(contents, comparisons, run.signal);
}

/** Compares the first `freshCount` contents with each other and with all behind them, and records what is certain. */
async function compareFresh(
  run: Run,
  comparisons: Comparisons,
  contents: VectorRow[],
  freshCount: number,
): Promise<void> {
  const { engine, signal, model, meter } = run;
  const table = vectorTable(contents.map(({ vector }) => vector));
  const rows = new BlockRows(freshCount, contents.length);
  const { total } = rows;
  let done = 0;
  meter.begin("comparing", () => ({ done, broken: 0, total }));
  const blocks = compareBlocks(freshCount, contents.length);
  const options = { table, threshold: model.nearThreshold };
  for await (const outcome of engine.run(TASKS.compareVectors, blocks, { options, signal, collect: false, total })) {
    if (outcome.status === "failed") throw outcome.error;
    done++;
    // What is certain is recorded at once: a long comparison that is stopped goes on from there.
    const certain = rows.add(outcome.index, outcome.value);
    if (certain === undefined) continue;
    const idOf = (row: number): number => contents[row]?.contentId ?? -1;
    const ids = contents.slice(certain.from, certain.to).map(({ contentId }) => contentId);
    const pairs = certain.pairs.map(({ a, b, score }) => ({ a: idOf(a), b: idOf(b), score }));
    for (const _step of comparisons.record(ids, pairs)) await turn(signal);
  }
  signal.throwIfAborted();
}

/** Groups of the contents that this run holds; pairs with others are from photos that are gone. */
async function groupContents(
  contents: readonly VectorRow[],
  comparisons: Comparisons,
  signal: AbortSignal,
): Promise<GroupMember[][]> {
  // The best first, which is what the grouping asks for: most pixels, then most bytes. Of equals any one will do, but it
  // must be the same in each index of the same photos; ids go by which thread was first.
  const ranked = contents.toSorted(
    (a, b) => b.pixels - a.pixels || b.sizeBytes - a.sizeBytes || (a.sha256 < b.sha256 ? -1 : 1),
  );
  const rankOf = new Map(ranked.map(({ contentId }, rank) => [contentId, rank]));
  const grouping = new NearGrouping();
  for (const page of comparisons.pairs()) {
    for (const { a, b, score } of page) {
      const rankA = rankOf.get(a);
      const rankB = rankOf.get(b);
      if (rankA === undefined || rankB === undefined) continue;
      grouping.add({ a: Math.min(rankA, rankB), b: Math.max(rankA, rankB), score });
    }
    await turn(signal);
  }
  const member = (rank: number, score: number): GroupMember[] => {
    const content = ranked[rank];
    return content === undefined ? [] : [{ contentId: content.contentId, score }];
  };
  return grouping
    .groups()
    .map(({ best, others }) => [...member(best, 1), ...others.flatMap(({ row, score }) => member(row, score))]);
}

async function readVectors({ catalog, log, signal }: Run): Promise<VectorRow[]> {
  const contents: VectorRow[] = [];
  for (const page of vectorsOfRun(catalog, log.runId)) {
    contents.push(...page);
    await turn(signal);
  }
  return contents;
}

/** A turn for timers and signals. @throws the signal's reason. */
async function turn(signal: AbortSignal): Promise<void> {
  await nextTurn();
  signal.throwIfAborted();
}
