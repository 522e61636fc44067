/**
 * What a seed stands for: the engine's options, the tasks, the faults that are on and how strong, and what callers do,
 * when. Plain data, drawn before anything happens, so that parts of it can be left out to find what matters.
 */
import type { JobRules, SchedulerOptions } from "@threadmill/engine/internal/scheduler";
import type { TaskKind } from "@threadmill/protocol";
import { Random } from "../random.js";
import type { Fate, LoadFate } from "./spec.js";

export interface PlannedTask {
  readonly kind: TaskKind;
  readonly concurrency: number;
  readonly maxBatchItems: number;
  readonly isSync: boolean;
  readonly nature: "native" | "script" | "unknown";
  readonly hasAddon: boolean;
  readonly ignoresCancel: boolean;
  readonly ms: number;
  /** Every so many items one takes `slowMs`. */
  readonly slowEvery: number;
  readonly slowMs: number;
  readonly importMs: number;
  readonly evaluateMs: number;
  /** How the first imports end; those after them are well. */
  readonly badImports: readonly LoadFate[];
  /** Undefined: it has none. */
  readonly setup: PlannedSetup | undefined;
}

export interface PlannedSetup {
  readonly ms: number;
  readonly isSync: boolean;
  /** How the first ones end; those after them are well. */
  readonly bad: readonly LoadFate[];
}

/** An item that misbehaves the first so many times that it is run. */
export interface PoisonItem {
  readonly index: number;
  readonly fate: Fate;
  readonly times: number;
}

export interface PlannedJob {
  readonly task: number;
  /** Whether it shares what is known of its task with the other jobs that do. */
  readonly isShared: boolean;
  readonly items: number;
  /** Undefined: all items are there. */
  readonly source: PlannedSource | undefined;
  readonly reader: "none" | "prompt" | "absent" | { readonly everyMs: number; readonly most: number };
  readonly isWarmUp: boolean;
  readonly rules: JobRules;
  readonly poison: readonly PoisonItem[];
  readonly unsendable: number;
  readonly unreadable: number;
}

export interface PlannedSource {
  readonly chunk: number;
  readonly delayMs: number | undefined;
  readonly throwsAt: number | undefined;
  readonly silentAt: number | undefined;
  readonly isHeavy: boolean;
  readonly isEndless: boolean;
  /** Of ten items so many are in the job's cache; undefined: it has none. */
  readonly foundOfTen: number | undefined;
  /** After so many items their names come again; undefined: they have none. */
  readonly names: number | undefined;
}

export type PlannedAction =
  | { readonly type: "submit"; readonly job: PlannedJob }
  | { readonly type: "cancel" | "pause" | "resume" | "read"; readonly which: number }
  | { readonly type: "kill"; readonly slot: number }
  | { readonly type: "stall"; readonly ms: number }
  | { readonly type: "forget"; readonly which: number }
  /** A word from an earlier life of a slot. */
  | { readonly type: "stale"; readonly slot: number; readonly word: "ready" | "failed" | "lost" | "done" }
  | { readonly type: "close"; readonly deadlineMs: number | undefined };

/** How likely each fault is, from 0 (off). */
export interface FaultPlan {
  /** Of a handler call. */
  readonly crash: number;
  readonly exitAfter: number;
  readonly hang: number;
  readonly await: number;
  readonly native: number;
  readonly fail: number;
  readonly failFinal: number;
  readonly uncloneable: number;
  readonly unreadable: number;
  /** Of the start of a thread. */
  readonly start: number;
  /** Of an answer that comes twice. */
  readonly echo: number;
  /** Of messages that go down with a thread. */
  readonly loss: number;
  /** Of a message that is late. */
  readonly late: number;
  /** Of a moment between a claim and its look at the limit. */
  readonly claimGap: number;
  /** Of a timer that is not on time. */
  readonly timer: number;
}

export type FaultName = keyof FaultPlan;

export interface Plan {
  readonly seed: number;
  readonly options: SchedulerOptions;
  readonly latencyMs: number;
  /** Recipes that each thread keeps warm. */
  readonly keepWarm: number;
  readonly faults: FaultPlan;
  readonly tasks: readonly PlannedTask[];
  /** What happens when: the time is that since the action before. */
  readonly actions: readonly { readonly afterMs: number; readonly action: PlannedAction }[];
}

/** One generator per concern, so that a fault more or less does not shift the others. */
export function streamOf(
  seed: number,
  concern:
    "workload" | "swarm" | "cache" | "columns" | "loads" | "timing" | "network" | "notices" | "relapses" | "faults",
): Random {
  let mixed = seed | 0;
  for (const letter of concern)
    mixed = Math.imul(mixed ^ (letter.codePointAt(0) as number), 0x5bd1e995) ^ (mixed >>> 15);
  return new Random(mixed);
}

const TASK_MS = [1, 1, 0.1, 5, 20] as const;
const GAPS_MS = [0, 0, 0, 0.5, 2, 5, 20, 60] as const;

export function drawPlan(seed: number): Plan {
  const swarm = streamOf(seed, "swarm");
  const workload = streamOf(seed, "workload");
  const cache = streamOf(seed, "cache");
  const columns = streamOf(seed, "columns");
  const loads = streamOf(seed, "loads");
  const options: SchedulerOptions = {
    threads: 1 + workload.below(4),
    batchMs: workload.pick([10, 10, 3]),
    maxBatchItems: workload.pick([4_096, 4_096, 8]),
    graceMs: workload.pick([100, 100, 40]),
  };
  const faults = drawFaults(swarm);
  const latencyMs = swarm.pick([0, 0, 0.05, 2]);
  const hasBadLoads = swarm.chance(0.25);
  const draws: Draws = { workload, swarm, cache, columns, loads };
  const keepWarm = loads.pick([8, 8, 2, 1]);
  const tasks = Array.from({ length: 1 + workload.below(3) }, () => drawTask(draws, hasBadLoads));
  const kills = swarm.chance(0.3) ? 1 : 0;
  const stalls = swarm.chance(0.4) ? 2 : 0;
  const stale = swarm.chance(0.15) ? 1 : 0;
  const poison = swarm.chance(0.5) ? 3 : 0;
  const weights = {
    submit: 5,
    cancel: 2,
    pause: 1.5,
    resume: 1.5,
    read: 1,
    kill: kills,
    stall: stalls,
    stale,
    forget: 0.3,
  };
  // Most histories are short, so that one that fails can be read; the long ones reach further.
  const count = 3 + (workload.chance(0.3) ? workload.below(50) : workload.below(14));
  const closesAt = workload.chance(0.2) ? 1 + workload.below(count) : Infinity;
  const actions: { afterMs: number; action: PlannedAction }[] = [];
  for (let at = 0; at < count; at++) {
    const afterMs = workload.pick(GAPS_MS);
    if (at === closesAt) {
      const deadlineMs = workload.pick([undefined, 0, 10, 150]);
      actions.push({ afterMs, action: { type: "close", deadlineMs } });
      continue;
    }
    const type = at === 0 ? "submit" : workload.weighted(weights);
    actions.push({ afterMs, action: drawAction(type, draws, tasks, poison) });
  }
  return { seed, options, latencyMs, keepWarm, faults, tasks, actions };
}

/** Each fault is off in most seeds, and differs in strength where it is on. */
function drawFaults(swarm: Random): FaultPlan {
  const some = (chance: number, ...strengths: readonly number[]): number =>
    swarm.chance(chance) ? swarm.pick(strengths) : 0;
  return {
    crash: some(0.3, 0.01, 0.05, 0.3),
    exitAfter: some(0.15, 0.02, 0.2),
    hang: some(0.2, 0.005, 0.05),
    await: some(0.15, 0.01, 0.1),
    native: some(0.2, 0.01, 0.1),
    fail: some(0.35, 0.02, 0.2, 0.7),
    failFinal: some(0.15, 0.01, 0.1),
    uncloneable: some(0.1, 0.02),
    unreadable: some(0.1, 0.02, 0.2),
    start: some(0.15, 0.2, 0.6, 1),
    echo: some(0.3, 0.1, 1),
    loss: some(0.3, 0.5, 1),
    late: some(0.3, 0.05, 0.3),
    claimGap: some(0.3, 0.05, 0.5),
    timer: some(0.5, 0.3, 1),
  };
}

function drawTask({ workload, swarm, columns, loads }: Draws, hasBadLoads: boolean): PlannedTask {
  const isBatch = workload.chance(0.3);
  const takesColumns = columns.chance(0.15);
  const badImports = Array.from({ length: hasBadLoads ? 1 + swarm.below(4) : 0 }, () =>
    swarm.pick<LoadFate>(["broken", "crash", "crash", "crash", "ok", "await", "hang"]),
  );
  const concurrency = isBatch ? 1 : workload.pick([1, 1, 1, 2, 4]);
  return {
    kind: takesColumns ? "columns" : isBatch ? "batch" : "item",
    concurrency: takesColumns ? 1 : concurrency,
    maxBatchItems: workload.pick([0, 0, 0, 3]),
    isSync: workload.chance(0.5),
    nature: workload.pick(["script", "script", "native", "unknown"]),
    hasAddon: workload.chance(0.3),
    ignoresCancel: swarm.chance(0.3),
    ms: workload.pick(TASK_MS),
    slowEvery: workload.chance(0.2) ? 2 + workload.below(10) : 0,
    slowMs: 50,
    importMs: importMsOf(workload.pick([0, 0, 30]), badImports, loads),
    evaluateMs: loads.pick([0, 0, 0, 8]),
    badImports,
    setup: loads.chance(0.5) ? drawSetup(loads) : undefined,
  };
}

/**
 * A module that computes for ever does so before a batch that was stopped is left behind: later, its thread could not know
 * what holds it, nor could the scheduler.
 */
function importMsOf(ms: number, bad: readonly LoadFate[], loads: Random): number {
  const short = loads.pick([0, 2, 5]);
  const long = loads.pick([30, 90]);
  return bad.includes("hang") || ms === 0 ? short : long;
}

function drawSetup(loads: Random): PlannedSetup {
  const isBad = loads.chance(0.35);
  return {
    ms: loads.pick([0, 0, 5, 70]),
    isSync: loads.chance(0.5),
    bad: Array.from({ length: isBad ? 1 + loads.below(4) : 0 }, () =>
      loads.pick<LoadFate>(["broken", "crash", "crash", "crash", "ok", "await", "hang", "hang"]),
    ),
  };
}

interface Draws {
  readonly workload: Random;
  readonly swarm: Random;
  readonly cache: Random;
  readonly columns: Random;
  readonly loads: Random;
}

function drawAction(
  type: PlannedAction["type"],
  draws: Draws,
  tasks: readonly PlannedTask[],
  poison: number,
): PlannedAction {
  const { workload, swarm } = draws;
  switch (type) {
    case "submit":
      return { type, job: drawJob(draws, tasks, poison) };
    case "cancel":
    case "pause":
    case "resume":
    case "read":
    case "forget":
      return { type, which: workload.below(8) };
    case "kill":
      return { type, slot: workload.below(4) };
    case "stall":
      return { type, ms: swarm.below(400) };
    case "stale":
      return { type, slot: workload.below(4), word: swarm.pick(["ready", "failed", "lost", "done"]) };
    case "close":
      return { type, deadlineMs: undefined };
  }
}

function drawJob(draws: Draws, tasks: readonly PlannedTask[], poison: number): PlannedJob {
  const { workload, swarm, columns } = draws;
  const task = workload.below(tasks.length);
  const { kind } = tasks[task] as PlannedTask;
  const isWarmUp = workload.chance(0.08);
  const items = isWarmUp ? 0 : workload.pick([0, 1, 2, 5, 9, 20, 40, 60]);
  const drawn = isWarmUp || workload.chance(0.6) ? undefined : drawSource(draws, items);
  // A columns task takes a typed array; what is none fails its job, and that need not happen often.
  const source = kind === "columns" && columns.chance(0.9) ? undefined : drawn;
  const reader =
    drawn === undefined || workload.chance(0.6) || source === undefined
      ? "none"
      : workload.pick(["prompt", "absent", { everyMs: 3, most: 4 }, { everyMs: 30, most: 2 }] as const);
  return {
    task,
    isShared: workload.chance(0.5),
    items,
    source,
    reader,
    isWarmUp,
    rules: {
      weight: workload.pick([1, 1, 3, 0.5]),
      stopsAtFailure: workload.chance(0.4),
      retry: {
        attempts: workload.pick([1, 2, 3]),
        backoffMs: workload.pick([10, 0, 50]),
        maxBackoffMs: workload.pick([100, 30]),
        jitter: workload.pick([0, 0.5, 1]),
      },
      timeoutMs: isWarmUp ? 0 : workload.pick([0, 50, 50, 15]),
      concurrency: kind === "item" ? workload.pick([0, 0, 0, 2]) : 0,
      batchSize: workload.pick([0, 0, 0, 5, 20]),
      maxInFlight: workload.pick([0, 0, 1, 10]),
    },
    poison: Array.from({ length: items === 0 ? 0 : swarm.below(poison + 1) }, () => ({
      index: swarm.below(items),
      fate: swarm.pick<Fate>([
        "crash",
        "crash",
        "fail",
        "fail-final",
        "hang",
        "await",
        { nativeMs: 250 },
        "unreadable",
      ]),
      times: 1 + swarm.below(4),
    })),
    unsendable: swarm.chance(0.05) ? besideColumns(kind, swarm.below(20)) : -1,
    unreadable: swarm.chance(0.05) ? besideColumns(kind, swarm.below(20)) : -1,
  };
}

/** Numbers always travel. */
function besideColumns(kind: TaskKind, index: number): number {
  return kind === "columns" ? -1 : index;
}

function drawSource({ workload, swarm, cache }: Draws, items: number): PlannedSource {
  return {
    chunk: workload.pick([1, 3, 7, 1_000]),
    delayMs: workload.pick([undefined, undefined, 0, 1, 10]),
    throwsAt: swarm.chance(0.15) ? swarm.below(items + 1) : undefined,
    silentAt: swarm.chance(0.1) ? swarm.below(items + 1) : undefined,
    isHeavy: swarm.chance(0.15),
    isEndless: swarm.chance(0.1),
    foundOfTen: cache.chance(0.4) ? cache.pick([0, 2, 5, 9, 10]) : undefined,
    names: cache.chance(0.3) ? cache.pick([1, 2, 7, 40]) : undefined,
  };
}
