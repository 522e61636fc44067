/** Many seeds, one after the other, for as long as there is time. */
import { drawPlan } from "./plan.js";
import { reduce } from "./reduce.js";
import { runPlan } from "./run-plan.js";
import { REAL_SCHEDULER, type SchedulerUnderTest } from "./scheduler-under-test.js";
import { type Counters, createCounters } from "./sometimes.js";

export interface SoakOptions {
  /** How long it may take; or `seeds`, for a run that is always the same. */
  readonly seconds?: number;
  readonly seeds?: number;
  /** The first one; the others follow it. */
  readonly seed: number;
  readonly scheduler?: SchedulerUnderTest;
  /** After so many seeds that broke a promise there is no point in going on. Default 5. */
  readonly mostViolations?: number;
}

/** One seed that broke a promise, with the smallest history found that still breaks it. */
export interface FoundViolation {
  readonly seed: number;
  readonly violation: string;
  readonly script: readonly string[];
}

export interface SoakReport {
  readonly seeds: number;
  /** Events that were given to the scheduler, each with all checks. */
  readonly steps: number;
  /** In time of the processor, which does not depend on what else it does. */
  readonly stepsPerSecond: number;
  /** Faults that came about, by kind. */
  readonly faults: Readonly<Record<string, number>>;
  readonly counters: Counters;
  readonly violations: readonly FoundViolation[];
}

const SEEDS_AT_ONCE = 100;

export function soakSimulator(options: SoakOptions): SoakReport {
  const { seconds = Infinity, seed: first, scheduler = REAL_SCHEDULER, mostViolations = 5 } = options;
  const most = options.seeds ?? (seconds === Infinity ? 1 : Infinity);
  const counters = createCounters();
  const faults: Record<string, number> = {};
  const violations: FoundViolation[] = [];
  const startedAt = performance.now();
  const before = process.cpuUsage();
  let steps = 0;
  let seeds = 0;
  while (seeds < most && violations.length < mostViolations) {
    if (seeds % SEEDS_AT_ONCE === 0 && performance.now() - startedAt > seconds * 1_000) break;
    const seed = first + seeds;
    const plan = drawPlan(seed);
    const run = runPlan(plan, scheduler, counters, false);
    seeds++;
    steps += run.steps;
    for (const [kind, count] of run.faults) faults[kind] = (faults[kind] ?? 0) + count;
    if (run.violation !== undefined) violations.push({ seed, ...reduce(plan, run.violation, scheduler) });
  }
  const { user, system } = process.cpuUsage(before);
  const stepsPerSecond = Math.round((steps / (user + system)) * 1e6);
  return { seeds, steps, stepsPerSecond, faults, counters, violations };
}
