/** Runs a part: its contestants take turns, A B C A B C, so that a machine that is slow for a while is so for all. */
import type { Part, Settings } from "./benchmark.js";
import type { Run, Runs } from "./quantities.js";
import { runContestant } from "./run-contestant.js";

/** What came of a part. Plain data: it is written down as it is. */
export interface PartResult {
  readonly part: string;
  readonly rounds: number;
  readonly runs: Runs;
  /** Why there are no runs, where the part could not be prepared. */
  readonly skipped?: string;
}

export interface RunPartOptions {
  readonly quick: boolean;
  readonly rounds: number | undefined;
  readonly photos: string | undefined;
  readonly signal: AbortSignal;
  readonly onRun: (contestant: string, round: number, run: Run) => void;
}

const ROUNDS = 5;

export async function runPart(part: Part, options: RunPartOptions): Promise<PartResult> {
  const { quick, signal, onRun } = options;
  const rounds = options.rounds ?? (quick ? 1 : (part.rounds ?? ROUNDS));
  const basic: Settings = { ...part.settings, ...(quick ? part.quick : {}) };
  let settings: Settings;
  try {
    settings = { ...basic, ...(await part.prepare?.({ settings: basic, photos: options.photos })) };
  } catch (error) {
    return { part: part.name, rounds, runs: {}, skipped: (error as Error).message };
  }
  const runs: Record<string, Run[]> = {};
  for (let round = 0; round < rounds; round++) {
    for (const contestant of part.contestants) {
      const given = { ...settings, ...contestant.settings, ...(quick ? contestant.quick : {}) };
      const run = await runContestant(contestant, given, signal);
      (runs[contestant.name] ??= []).push(run);
      onRun(contestant.name, round, run);
    }
  }
  return { part: part.name, rounds, runs };
}
