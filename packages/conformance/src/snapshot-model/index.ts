/**
 * Loads that begin, bring entries, end, fail and are left, with patches and removals in between, in whatever order, against
 * a simple model.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { SnapshotStage } from "./stage.js";

export interface SnapshotSearch {
  readonly seed: number;
  readonly runs: number;
  readonly budgetMs?: number;
}

export interface SnapshotSearchReport {
  readonly runs: number;
  /** With everything that is needed to see it again; undefined if all was well. */
  readonly failure: string | undefined;
}

type Step = (stage: SnapshotStage) => Promise<void> | void;

const key = fc.constantFrom("a", "b", "c", "d", "e");
const value = fc.integer({ min: 0, max: 99 });
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constant<Step>((stage) => stage.reload()) },
    {
      weight: 6,
      arbitrary: fc.tuple(key, value).map(
        (entry): Step =>
          (stage) =>
            stage.bring(entry),
      ),
    },
    {
      weight: 3,
      arbitrary: fc.tuple(key, value).map(
        ([one, to]): Step =>
          (stage) =>
            stage.patch(one, to),
      ),
    },
    {
      weight: 2,
      arbitrary: key.map(
        (one): Step =>
          (stage) =>
            stage.remove(one),
      ),
    },
    { weight: 2, arbitrary: fc.constant<Step>((stage) => stage.look()) },
    { weight: 3, arbitrary: fc.constant<Step>(() => nextTurn()) },
    { weight: 2, arbitrary: fc.constant<Step>((stage) => stage.succeed()) },
    { weight: 1, arbitrary: fc.constant<Step>((stage) => stage.fail()) },
    { weight: 1, arbitrary: fc.constant<Step>((stage) => stage.abort()) },
  ),
  { maxLength: 60, size: "max" },
);

export async function searchSnapshot({ seed, runs, budgetMs }: SnapshotSearch): Promise<SnapshotSearchReport> {
  const property = fc.asyncProperty(steps, fc.integer({ min: 1, max: 4 }), async (list, maxSliceEntries) => {
    const stage = new SnapshotStage(maxSliceEntries);
    for (const step of list) await step(stage);
    stage.look();
    stage.end();
  });
  const details = await fc.check(property, {
    seed,
    numRuns: runs,
    ...(budgetMs === undefined ? {} : { plugins: [fc.interruptAfterTimeLimit(budgetMs)] }),
  });
  return { runs: details.numRuns, failure: details.failed ? fc.defaultReportMessage(details) : undefined };
}
