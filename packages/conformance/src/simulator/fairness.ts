/**
 * Fairness has a workload of its own, without faults: huge jobs first, then small ones (L5). Random histories hardly
 * ever show that somebody waits too long, since in most of them nobody has to.
 */
import { ControlBlock } from "@threadmill/protocol";
import type { Random } from "../random.js";
import { SteadyChance } from "./chance.js";
import type { JobView } from "./job-view.js";
import { streamOf } from "./plan.js";
import type { PlanRun } from "./run-plan.js";
import type { SchedulerUnderTest } from "./scheduler-under-test.js";
import { Simulation } from "./simulation.js";
import type { Counters } from "./sometimes.js";
import { Violation, broken } from "./violation.js";

/** Large ones, too: whoever is new must not have to wait for the end of a batch. */
const BATCH_MS = [10, 100, 300] as const;
/** A slice that nobody would call long. */
const SHORT_MS = 10;
const LONG_MS = 900;
const AWAY_MS = 300;
/** Where one slice is longer, a run is too short to see shares even out. */
const MOST_SLICE_MS = 30;

interface Entrant {
  readonly view: JobView;
  readonly itemMs: number;
  /** The longest that it holds a slot at a time, where nobody new asks for it. */
  readonly sliceMs: number;
  readonly weight: number;
  readonly lanes: number;
}

export function runFairness(
  seed: number,
  scheduler: SchedulerUnderTest,
  counters: Counters,
  isRecorded: boolean,
): PlanRun {
  const random = streamOf(seed, "workload");
  const threads = 1 + random.below(4);
  const batchMs = random.pick(BATCH_MS);
  const chance = new SteadyChance({});
  const control = new ControlBlock(2 * threads);
  const options = { threads, batchMs, scheduler, chance, control, counters, isRecorded };
  let violation: Violation | undefined;
  let simulation: Simulation | undefined;
  try {
    simulation = new Simulation(options);
    simulation.advance(0);
    play(simulation, random);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error;
  }
  const { steps = 0, traceHash = 0, script = [] } = simulation ?? {};
  return { violation, steps, traceHash, faults: new Map(), script };
}

function play(simulation: Simulation, random: Random): void {
  const isEven = random.chance(0.5);
  const large = Array.from({ length: 1 + random.below(3) }, () => enter(simulation, random, true, isEven));
  // One comes late, or was away for a while: what the others had before is no reason to keep them waiting.
  const isLate = random.chance(0.3);
  if (isLate) {
    simulation.advance(AWAY_MS);
    large.push(enter(simulation, random, true, isEven));
  }
  const [first] = large;
  const isAway = !isLate && random.chance(0.4);
  if (isAway && first !== undefined) {
    simulation.advance(20);
    simulation.pause(first.view);
    simulation.advance(AWAY_MS);
    simulation.resume(first.view);
  }
  const hadBefore = large.map(({ view }) => view.delivered.length);
  const small: Entrant[] = [];
  for (let count = random.below(7); count > 0; count--) {
    simulation.advance(random.pick([0, 0, 3, 20, 90, 300]));
    small.push(enter(simulation, random, false, isEven));
  }
  simulation.advance(Math.max(LONG_MS - simulation.now, 0));
  const longestMs = Math.max(...[...large, ...small].map(({ sliceMs }) => sliceMs));
  // However large the batches of the others are, they give way after an item.
  const giveWayMs = Math.max(SHORT_MS, ...[...large, ...small].map(({ itemMs }) => itemMs));
  for (const entrant of small) checkWait(simulation, entrant, giveWayMs);
  checkShares(simulation, large, hadBefore, longestMs);
}

function enter(simulation: Simulation, random: Random, isLarge: boolean, isEven: boolean): Entrant {
  const itemMs = random.pick([0.5, 1, 4, 15]);
  const concurrency = random.pick([1, 1, 3]);
  const weight = isEven ? 1 : random.pick([0.5, 1, 3, 0.1, 0.2]);
  const batchSize = random.pick([0, 0, 0, 400]);
  const { threads } = simulation.options;
  const items = isLarge ? Math.ceil((2 * LONG_MS * threads * concurrency) / itemMs) : 1 + random.below(12);
  const view = simulation.submit({
    task: { ms: itemMs, concurrency, isSync: concurrency === 1 },
    items,
    rules: { weight, batchSize },
  });
  const sliceMs = Math.max(simulation.options.batchMs, itemMs, (batchSize * itemMs) / concurrency);
  return { view, itemMs, sliceMs, weight, lanes: concurrency };
}

/**
 * A newcomer begins after the item that a slot is at, and the first items of those who came with it: ⌈runnable / slots⌉
 * in all. Two more: for the item that its slot is at, and for the one that a slot keeps when it gives way.
 */
function checkWait(simulation: Simulation, { view }: Entrant, giveWayMs: number): void {
  const until = view.firstBegunAt ?? simulation.now;
  let among = 0;
  for (const { submittedAt, settledAt = Infinity } of simulation.jobs.values()) {
    if (submittedAt <= until && settledAt >= view.submittedAt) among++;
  }
  const rounds = Math.ceil(among / simulation.options.threads);
  const mostMs = (rounds + 2) * giveWayMs;
  const waitedMs = until - view.submittedAt;
  if (waitedMs > mostMs) {
    broken("L5", `job ${view.key} has waited for ${waitedMs} ms among ${among}, ${mostMs} are fair`);
  }
}

/** Large jobs that were side by side all the time have had equal shares of it, by their weights. */
function checkShares(
  simulation: Simulation,
  large: readonly Entrant[],
  hadBefore: readonly number[],
  longestMs: number,
): void {
  const { threads } = simulation.options;
  // One job cannot be in more slots than it has, so that with fewer jobs than slots weights cannot be kept.
  // And what is paid for is the time of a slot, which lanes that are not all full use badly.
  if (large.length <= threads || longestMs > MOST_SLICE_MS || large.some(({ lanes }) => lanes > 1)) return;
  const had = large.map(({ view }, at) => {
    const job = simulation.state.jobs.get(view.key);
    return job === undefined ? 0 : view.delivered.length - (hadBefore[at] as number);
  });
  const shares = large.map(({ itemMs, weight }, at) => ((had[at] as number) * itemMs) / weight);
  const lightest = Math.min(1, ...large.map(({ weight }) => weight));
  // Two batches in each slot, and what has been run and not answered.
  const mostMs = (3 * threads * longestMs) / lightest;
  const spreadMs = Math.max(...shares) - Math.min(...shares);
  if (spreadMs > mostMs) broken("L5", `large jobs differ by ${spreadMs} ms of weighted time, ${mostMs} are fair`);
}
