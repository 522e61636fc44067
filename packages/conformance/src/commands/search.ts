/** Many random lists of commands, and of the first that fails, the smallest that still does. */
import fc from "fast-check";
import { REAL_SCHEDULER, type SchedulerUnderTest, Violation } from "../simulator/index.js";
import type { CommandHistory } from "./command.js";
import { commandLists, worlds } from "./draw.js";
import { Stage } from "./stage.js";

export interface SearchOptions {
  readonly seed: number;
  readonly runs: number;
  /** Default: the real one. */
  readonly scheduler?: SchedulerUnderTest;
  /** Where the shrinking of this seed has ended, as a failure has printed it: that list alone is played. */
  readonly path?: string;
  readonly replayPath?: string;
  /** Default 60. */
  readonly maxCommands?: number;
  /** Give up after this time, however many runs that were. */
  readonly budgetMs?: number;
}

export interface SearchReport {
  readonly seed: number;
  /** Up to the first that failed, if one did. */
  readonly runs: number;
  readonly commands: number;
  readonly steps: number;
  readonly failure: SearchFailure | undefined;
}

export interface SearchFailure {
  readonly path: string;
  /** Which commands of the list were performed: fast-check wants it beside the path. */
  readonly replayPath: string;
  readonly shrinks: number;
  readonly violation: Violation;
  /** To be kept in the corpus as it is. */
  readonly history: CommandHistory;
}

export function search(options: SearchOptions): SearchReport {
  const { seed, scheduler = REAL_SCHEDULER, maxCommands = 60 } = options;
  let commands = 0;
  let steps = 0;
  let last: { readonly history: CommandHistory; readonly violation: Violation } | undefined;
  const property = fc.property(worlds, commandLists(maxCommands, options.replayPath), (world, list) => {
    const stage = new Stage(world, scheduler);
    try {
      fc.modelRun(() => ({ model: stage, real: stage }), list);
      stage.settle();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      // Each failure is smaller than the one before: the last is the smallest.
      last = { history: { world, commands: stage.played }, violation: error };
      throw error;
    }
    if (last !== undefined) return;
    commands += stage.played.length;
    steps += stage.simulation.steps;
  });
  const { numRuns, numShrinks, counterexample, counterexamplePath, failed, errorInstance } = fc.check(property, {
    seed,
    numRuns: options.runs,
    ...(options.path === undefined ? {} : { path: options.path }),
    ...(options.budgetMs === undefined ? {} : { plugins: [fc.interruptAfterTimeLimit(options.budgetMs)] }),
  });
  if (failed && last === undefined) throw new Error("the search itself has failed", { cause: errorInstance });
  const list = (counterexample as readonly unknown[] | null)?.[1];
  const replayPath = /replayPath="([^"]*)"/.exec(String(list))?.[1] ?? "";
  const failure = last && { path: counterexamplePath ?? "", replayPath, shrinks: numShrinks, ...last };
  return { seed, runs: numRuns, commands, steps, failure };
}

/** A failure as a person needs it: how to have it again, and what to put into the corpus. */
export function describeFailure({ seed, failure }: SearchReport): string {
  if (failure === undefined) return "";
  const { path, replayPath, shrinks, violation, history } = failure;
  return [
    violation.message,
    `seed ${seed}, path ${JSON.stringify(path)}, replayPath ${JSON.stringify(replayPath)}, ${shrinks} shrinks;`,
    "for the corpus:",
    JSON.stringify({ name: violation.message, ...history }),
  ].join("\n");
}
