/** One seed: drawn, played and judged. */
import { runFairness } from "./fairness.js";
import { drawPlan } from "./plan.js";
import { type PlanRun, runPlan } from "./run-plan.js";
import { REAL_SCHEDULER, type SchedulerUnderTest } from "./scheduler-under-test.js";
import { type Counters, createCounters } from "./sometimes.js";

/** What is drawn. `fairness`: huge jobs and then small ones, and no faults. */
export type Profile = "swarm" | "fairness";

export interface SimulateOptions {
  /** Default: the real one. */
  readonly scheduler?: SchedulerUnderTest;
  /** Default `swarm`. */
  readonly profile?: Profile;
}

export interface SimulationReport {
  readonly seed: number;
  /** Empty if every promise was kept. */
  readonly violations: readonly string[];
  /** Events that were given to the scheduler, each with all checks. */
  readonly steps: number;
  /** The same for equal runs. */
  readonly traceHash: number;
  readonly counters: Counters;
  /** Faults that came about, by kind. */
  readonly faults: Readonly<Record<string, number>>;
  /** All that happened; only where something is wrong. */
  readonly script: readonly string[];
}

/** Draws what the seed stands for, and plays it. One that breaks a promise is played again for its script. */
export function simulate(seed: number, options: SimulateOptions = {}): SimulationReport {
  const { scheduler = REAL_SCHEDULER, profile = "swarm" } = options;
  const play = (counters: Counters, isRecorded: boolean): PlanRun =>
    profile === "swarm"
      ? runPlan(drawPlan(seed), scheduler, counters, isRecorded)
      : runFairness(seed, scheduler, counters, isRecorded);
  const counters = createCounters();
  const { violation, steps, traceHash, faults } = play(counters, false);
  const script: string[] = [];
  if (violation !== undefined) {
    const replay = play(createCounters(), true);
    script.push(...replay.script, replay.violation?.message ?? "the replay broke nothing: this is not deterministic");
  }
  const violations = violation === undefined ? [] : [violation.message];
  return { seed, violations, steps, traceHash, counters, faults: Object.fromEntries(faults), script };
}
