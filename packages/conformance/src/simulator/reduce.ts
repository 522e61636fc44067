/**
 * Makes a plan that breaks a promise smaller: actions, faults and details are left out one by one, for as long as the
 * same promise breaks. Each concern has its own generator, so that most of what is left stays as it was.
 */
import type { FaultName, Plan, PlannedAction } from "./plan.js";
import { runPlan } from "./run-plan.js";
import type { SchedulerUnderTest } from "./scheduler-under-test.js";
import { createCounters } from "./sometimes.js";
import type { Violation } from "./violation.js";

const MOST_TRIALS = 2_000;

export interface Reduced {
  readonly violation: string;
  readonly script: readonly string[];
}

export function reduce(plan: Plan, { invariant, message }: Violation, scheduler: SchedulerUnderTest): Reduced {
  let best = plan;
  let trials = 0;
  /** Takes the smaller plan if it breaks the same promise. */
  const attempt = (smaller: Plan): boolean => {
    if (trials++ > MOST_TRIALS) return false;
    const { violation } = runPlan(smaller, scheduler, createCounters(), false);
    if (violation?.invariant !== invariant) return false;
    best = smaller;
    return true;
  };
  for (let hasShrunk = true; hasShrunk && trials < MOST_TRIALS;) {
    hasShrunk = false;
    for (let at = best.actions.length - 1; at >= 0; at--) {
      const actions = best.actions.filter((_, index) => index !== at);
      if (attempt({ ...best, actions })) hasShrunk = true;
    }
    for (const name of Object.keys(best.faults) as FaultName[]) {
      if (best.faults[name] === 0) continue;
      if (attempt({ ...best, faults: { ...best.faults, [name]: 0 } })) hasShrunk = true;
    }
    for (let at = 0; at < best.actions.length; at++) {
      for (const smaller of smallerThan(best.actions[at]?.action)) {
        const actions = best.actions.map((one, index) => (index === at ? { ...one, action: smaller } : one));
        if (attempt({ ...best, actions })) hasShrunk = true;
      }
    }
    if (best.latencyMs > 0 && attempt({ ...best, latencyMs: 0 })) hasShrunk = true;
    const { threads } = best.options;
    if (threads > 1 && attempt({ ...best, options: { ...best.options, threads: threads - 1 } })) hasShrunk = true;
  }
  const replay = runPlan(best, scheduler, createCounters(), true);
  const { seed, options, tasks, faults } = best;
  const on = Object.fromEntries(Object.entries(faults).filter(([, strength]) => strength > 0));
  const head = [
    `seed ${seed}; THREADMILL_SEED=${seed} runs it whole; made smaller here`,
    `options ${JSON.stringify(options)}, faults ${JSON.stringify(on)}, latency ${best.latencyMs} ms`,
    ...tasks.map((task, index) => `task ${index} ${JSON.stringify(task)}`),
  ];
  const end = replay.violation?.message ?? "the replay broke nothing: the simulator is not deterministic";
  return { violation: message, script: [...head, ...replay.script, end] };
}

function* smallerThan(action: PlannedAction | undefined): Generator<PlannedAction> {
  if (action?.type !== "submit") return;
  const { job } = action;
  const as = (change: Partial<typeof job>): PlannedAction => ({ type: "submit", job: { ...job, ...change } });
  if (job.items > 1) {
    yield as({ items: job.items >> 1 });
    yield as({ items: job.items - 1 });
  }
  if (job.poison.length > 0) yield as({ poison: job.poison.slice(1) });
  if (job.source !== undefined) yield as({ source: undefined });
  if (job.source?.foundOfTen !== undefined) yield as({ source: { ...job.source, foundOfTen: undefined } });
  if (job.source?.names !== undefined) yield as({ source: { ...job.source, names: undefined } });
  if (job.reader !== "none") yield as({ reader: "none" });
  if (job.isShared) yield as({ isShared: false });
  if (job.rules.timeoutMs > 0) yield as({ rules: { ...job.rules, timeoutMs: 0 } });
  if (job.rules.retry.attempts > 1) yield as({ rules: { ...job.rules, retry: { ...job.rules.retry, attempts: 1 } } });
  if (job.rules.maxInFlight > 0) yield as({ rules: { ...job.rules, maxInFlight: 0 } });
  if (job.rules.weight !== 1) yield as({ rules: { ...job.rules, weight: 1 } });
}
