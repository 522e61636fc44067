/** Jobs made by chance: what they do, how they are asked for, and how they are read. */
import type { RunOptions, TaskReference } from "@threadmill/engine";
import { logged, loggedBatch, loggedByFour } from "./fixtures/index.js";
import type { Act, LoggedItem, LoggedOptions, Proof } from "./fixtures/logged.js";
import type { Rules } from "./history.js";
import type { Random } from "./random.js";
import type { Reading } from "./recorder.js";

export type LoggedTask = TaskReference<LoggedItem, Proof, LoggedOptions>;

const tasks: Readonly<Record<"logged" | "loggedByFour" | "loggedBatch", LoggedTask>> = {
  logged,
  loggedByFour,
  loggedBatch,
};

export interface Plan {
  readonly taskName: keyof typeof tasks;
  readonly task: LoggedTask;
  readonly items: LoggedItem[];
  readonly source: "array" | "generator" | "async generator";
  readonly options: Omit<RunOptions<LoggedItem, LoggedOptions>, "options" | "signal">;
  readonly rules: Rules;
  readonly signal: "none" | "later" | "aborted";
  readonly readings: readonly Reading[];
  /** Some items never end by themselves: the job must be cancelled. */
  readonly isDoomed: boolean;
}

/** Few, so that jobs meet. Most calls with one id are for one task, else they would only be refused. */
const IDS = { ant: "logged", bee: "loggedByFour", cat: "loggedBatch" } as const;
const TIMEOUT_MS = 25;
const MAX_ITEMS = 150;

/** `danger`: how likely items are to end their thread; 0 where they must not. */
export function planJob(random: Random, work: number, danger: number): Plan {
  const id = random.chance(0.5) ? random.pick(Object.keys(IDS) as (keyof typeof IDS)[]) : undefined;
  const anyTask = random.weighted({ logged: 4, loggedByFour: 2, loggedBatch: 3 });
  const taskName = id === undefined || random.chance(0.1) ? anyTask : IDS[id];
  const isDoomed = random.chance(0.08);
  const hasTimeout = random.chance(0.12);
  const count = random.chance(0.1) ? random.below(3) : random.below(MAX_ITEMS);
  const attempts = random.pick([1, 1, 2, 3]);
  const isBatch = taskName === "loggedBatch";
  const hangs = isDoomed || hasTimeout;
  const actOf = planActs(random, { danger, hangs, isBatch });
  // One is enough: it costs a thread each time.
  const spinner = danger > 0 && hangs && random.chance(0.2) ? random.below(count) : -1;
  const items = Array.from({ length: count }, (_, index): LoggedItem => {
    const act = index === spinner ? "spins" : actOf();
    return { work, index, act, succeedsAt: 1 + random.below(attempts + 1) };
  });
  const collects = !random.chance(0.25);
  const onError = random.pick(["fail", "collect", "collect"] as const);
  const maxInFlight = random.chance(0.3) ? 1 + random.below(40) : undefined;
  const isOrdered = random.chance(0.3);
  const options = {
    onError,
    collect: collects,
    ordered: isOrdered,
    retry: { attempts, backoffMs: random.below(4), jitter: 0.5 },
    ...(id === undefined ? {} : { id }),
    ...(hasTimeout ? { timeoutMs: TIMEOUT_MS } : {}),
    ...(maxInFlight === undefined ? {} : { maxInFlight }),
    ...(random.chance(0.3) ? { batchSize: 1 + random.below(20) } : {}),
    ...(random.chance(0.2) && taskName !== "loggedBatch" ? { concurrency: 1 + random.below(6) } : {}),
    ...(random.chance(0.2) ? { weight: random.pick([0.1, 1, 10]) } : {}),
    ...(random.chance(0.2) ? { fresh: true } : {}),
  };
  const reading = (): Reading => ({
    by: random.pick(["outcomes", "batches", "values"]),
    ordered: isOrdered,
    isSlow: random.chance(0.4),
    ...(random.chance(0.25) ? { leaveAfter: 1 + random.below(count + 5) } : {}),
    ...(random.chance(0.1) ? { cancelAfter: 1 + random.below(count + 1) } : {}),
  });
  const readings = collects ? Array.from({ length: random.below(3) }, reading) : random.chance(0.8) ? [reading()] : [];
  return {
    taskName,
    task: tasks[taskName],
    items,
    source: random.pick(["array", "generator", "async generator"]),
    options,
    rules: {
      task: taskName,
      items: count,
      attempts,
      onError,
      collects,
      hasTimeout,
      mayRepeat: hasTimeout && isBatch,
      maxInFlight,
    },
    signal: random.weighted({ none: 6, later: 3, aborted: 0.4 }),
    readings,
    isDoomed,
  };
}

/** Another task than the one that the plan has. */
export function otherTask({ taskName }: Plan): LoggedTask {
  return taskName === "logged" ? loggedBatch : logged;
}

function planActs(
  random: Random,
  { danger, hangs, isBatch }: { danger: number; hangs: boolean; isBatch: boolean },
): () => Act {
  // Swarm: each job has only some of the faults, else most jobs would fail in the same early way.
  const fault = (probability: number, weight: number): number => (random.chance(probability) ? weight : 0);
  const weights: Record<Act, number> = {
    quick: random.pick([100, 30, 5]),
    turn: fault(0.5, 10),
    busy: fault(0.4, 10),
    flaky: fault(0.4, 8),
    fails: fault(0.25, 2),
    final: fault(0.2, 1),
    // A batch handler could not answer for the others.
    uncloneable: isBatch ? 0 : fault(0.2, 1),
    exitsOnce: fault(0.15 * danger, 0.5),
    exits: fault(0.1 * danger, 0.3),
    throwsOnce: fault(0.15 * danger, 0.5),
    throws: fault(0.1 * danger, 0.3),
    throwsLateOnce: fault(0.1 * danger, 0.3),
    waits: hangs ? 2 : 0,
    spins: 0,
    hangs: hangs ? 1 : 0,
  };
  return () => random.weighted(weights);
}
