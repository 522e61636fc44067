/**
 * A cache and a simple model of it, through random lists of commands, compared after each: sets, look-ups, deletions,
 * time, new limits, invalidations, loads that begin, end, fail and are left.
 */
import fc from "fast-check";
import { commands, limits } from "./commands.js";
import { CacheModel } from "./model.js";
import { CacheStage } from "./stage.js";

export interface CacheSearch {
  readonly seed: number;
  readonly runs: number;
  readonly budgetMs?: number;
  /** What shrinking has ended with: to see it again. */
  readonly path?: string;
}

export interface CacheSearchReport {
  readonly runs: number;
  /** With everything that is needed to see it again; undefined if all was well. */
  readonly failure: string | undefined;
}

export async function searchCache({ seed, runs, budgetMs, path }: CacheSearch): Promise<CacheSearchReport> {
  const list = fc.commands(commands, { size: "max", maxCommands: 80 });
  const property = fc.asyncProperty(limits, list, async (bounds, steps) => {
    const stage = new CacheStage(bounds);
    try {
      await fc.asyncModelRun(() => ({ model: new CacheModel(bounds), real: stage }), steps);
    } finally {
      await stage.cache.close();
    }
  });
  const details = await fc.check(property, {
    seed,
    numRuns: runs,
    ...(path === undefined ? {} : { path }),
    ...(budgetMs === undefined ? {} : { plugins: [fc.interruptAfterTimeLimit(budgetMs)] }),
  });
  const cause = details.errorInstance instanceof Error ? details.errorInstance.message : "";
  return {
    runs: details.numRuns,
    failure: details.failed ? `${fc.defaultReportMessage(details)}\n${cause}` : undefined,
  };
}
