import { setImmediate as nextTurn } from "node:timers/promises";
import { vectorsOfRun, type VectorRow } from "../catalog/published.js";
import type { GroupMember } from "../catalog/records.js";
import { blockCount, compareBlocks } from "../duplicates/compare.js";
import { NearGrouping } from "../duplicates/group.js";
import { vectorTable } from "../duplicates/vectors.js";
import type { Run } from "./run.js";
import { TASKS } from "./tasks.js";

/**
 * Finds the near duplicates among the run's contents: every pair is compared, by all threads, over one table in shared
 * memory. The cost grows with the square of the album: 0.1 s for 1,000 photos, some 10 s for 10,000 (on two cores).
 *
 * @throws the signal's reason.
 */
export async function findNearDuplicates(run: Run): Promise<GroupMember[][]> {
  const { engine, signal, model, meter } = run;
  const contents = await readVectors(run);
  // The best first, which is what the grouping asks for: most pixels, then most bytes, then the one known longest.
  contents.sort((a, b) => b.pixels - a.pixels || b.sizeBytes - a.sizeBytes || a.contentId - b.contentId);
  const table = vectorTable(contents.map(({ vector }) => vector));
  const total = blockCount(table.count);
  let done = 0;
  meter.begin("comparing", () => ({ done, broken: 0, total }));
  const grouping = new NearGrouping();
  const options = { table, threshold: model.nearThreshold };
  const job = engine.run(TASKS.compareVectors, compareBlocks(table.count), { options, signal, collect: false, total });
  for await (const outcome of job) {
    if (outcome.status === "failed") throw outcome.error;
    for (const pair of outcome.value) grouping.add(pair);
    done++;
  }
  signal.throwIfAborted();
  const member = (row: number, score: number): GroupMember[] => {
    const content = contents[row];
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
    // A turn for timers and signals between two pages.
    await nextTurn();
    signal.throwIfAborted();
  }
  return contents;
}
