/**
 * What the scheduler knows: jobs as ranges of indices, slots as the batches they hold. No item, value, promise or
 * timer is in here; the shell keeps those under the same keys.
 */
import type { TaskKind } from "@threadmill/protocol";
import { Heap } from "./heap.js";
import type { Ranges } from "./ranges.js";

export interface SchedulerOptions {
  readonly threads: number;
  /** Target time of a batch. */
  readonly batchMs: number;
  readonly maxBatchItems: number;
  readonly graceMs: number;
}

/** What is known of a task with its options, shared by all jobs that use it. */
export interface Recipe {
  readonly id: number;
  /** A task is described by the thread that loads it first; until then one batch is out, and the others wait. */
  phase: "unknown" | "probing" | "known";
  kind: TaskKind;
  concurrency: number;
  /** 0: as the engine says. */
  maxBatchItems: number;
  /** Moving average of a slot's time per item; undefined before the first measurement. */
  msPerItem: number | undefined;
  /** The same of the main thread's time, for sending items and reading their values. */
  mainMsPerItem: number | undefined;
  /** The largest batch that has been measured: the next holds at most twice as many. */
  largestMeasured: number;
  readonly jobs: Set<Job>;
}

/** What the caller asked for, with all defaults filled in. */
export interface JobRules {
  readonly weight: number;
  readonly stopsAtFailure: boolean;
  readonly retry: {
    readonly attempts: number;
    readonly backoffMs: number;
    readonly maxBackoffMs: number;
    readonly jitter: number;
  };
  /** 0: none. */
  readonly timeoutMs: number;
  /** 0: as the task says. */
  readonly concurrency: number;
  /** 0: adaptive. */
  readonly batchSize: number;
  /** 0: from batch size and threads. */
  readonly maxInFlight: number;
}

export interface Retry {
  readonly index: number;
  readonly dueAt: number;
}

/** Items that must travel together and with no others: half of a batch that was spoilt as a whole. */
export interface Piece {
  /** As of a batch. */
  readonly indices: number | readonly number[];
  readonly count: number;
}

/**
 * So many times the grace a thread may take to look at a batch: there may be a gigabyte to read first, and a thread that
 * gets no processor on a busy machine is none to be ended.
 */
const HEED_GRACES = 5;

/** How long a thread may take to look at what it was given. */
export function heedMs({ options }: State): number {
  return HEED_GRACES * options.graceMs;
}

/** What a claim word says before the first claim: nothing yet, or that the task is being loaded or set up. */
export const NOT_BEGUN = -1;
export const LOADING = -2;

export type JobPhase = "live" | "paused" | "settled";

export interface Job {
  readonly key: number;
  readonly recipe: Recipe;
  readonly rules: JobRules;
  phase: JobPhase;
  hasStarted: boolean;
  /** Indices below this one exist. */
  supplied: number;
  sourceEnded: boolean;
  /** The shell has been asked for items and has not answered yet. */
  isPulling: boolean;
  /** The lowest index that was never in a batch. */
  fresh: number;
  /** Some of its items need no run, or not yet: those that do are all in `returned`, and may lie far apart. */
  isSparse: boolean;
  /** Items with known values that are not delivered yet, because the job is paused. */
  found: number;
  readonly returned: Ranges;
  readonly retries: Heap<Retry>;
  readonly pieces: Piece[];
  /** Indices that may have killed a thread: each goes alone. */
  readonly suspects: number[];
  /** Which run is next, for indices that are past the first. */
  attempts: Map<number, number> | undefined;
  /** How often an index has killed a thread with nobody else to blame. */
  kills: Map<number, number> | undefined;
  /** Threads lost before any item of this job was begun, in a row. */
  killsBeforeItems: number;
  readonly batches: Set<Batch>;
  completed: number;
  failed: number;
  /** Outcomes that a throttling reader has not taken yet. */
  unread: number;
  readonly isThrottled: boolean;
  /** Slot time that the job has had, by its weight: see share.ts. */
  share: number;
  /** How much of that was charged in advance, for batches that are out. */
  advanceMs: number;
  /** Order of arrival, for jobs with the same share. */
  readonly order: number;
  /** Slots that a warm-up has yet to reach; undefined for a job with items. */
  readonly toWarm: Set<Slot> | undefined;
}

export interface Batch {
  readonly number: number;
  readonly job: Job;
  readonly slot: Slot;
  /** A range is its first index; otherwise the indices one by one. */
  readonly indices: number | readonly number[];
  /** Positions from here on belong to the main thread again. */
  count: number;
  /** Nothing else may be in the thread with it. */
  readonly isAlone: boolean;
  /** The first of its job: what runs before it in its slot is cut short for it. */
  isNewcomer: boolean;
  /** It is the one batch that is to bring the description of its task. */
  isProbe: boolean;
  /** What was charged to the job's share in advance. */
  chargedMs: number;
  /** When it became the slot's running batch; undefined while it is behind another. */
  runningSince: number | undefined;
  /** A revocation has brought nothing: asking again would not either. */
  isClaimed: boolean;
  /** Its job has ended, or its time is over: the answer will be dropped. */
  stoppedAt: number | undefined;
  /** The newest claim that a tick saw, and since when it has not moved. Kept only where a time limit asks. */
  seenCur: number;
  seenAt: number;
  /** Its thread has overrun the item's time limit and was asked for the rest back. */
  isOverdue: boolean;
  /** Its thread had a grace to look at it, and had not when it was last asked. */
  isUnheeded: boolean;
}

export interface Slot {
  readonly index: number;
  /** Which life of the slot: counts up with each thread. */
  incarnation: number;
  /**
   * `ending`: its thread is gone, and its last answers are being read. `stuck`: its thread does not come back, and there
   * is no room to set it aside. `broken`: it cannot be started.
   */
  phase: "starting" | "ready" | "ending" | "stuck" | "broken";
  /** Starts that failed in a row. */
  failedStarts: number;
  running: Batch | undefined;
  behind: Batch | undefined;
  nextBatch: number;
  /** The job that this slot was made to give way for: nothing else gets in before it. */
  reservedFor: Job | undefined;
}

export interface State {
  readonly options: SchedulerOptions;
  readonly jobs: Map<number, Job>;
  readonly recipes: Map<number, Recipe>;
  readonly slots: readonly Slot[];
  /** Jobs with something to assign, by share. */
  readonly runnable: Heap<Job>;
  /** Jobs with retries that are not due, by the nearest. */
  readonly backingOff: Heap<Job>;
  readonly warmUps: Set<Job>;
  /** Jobs with items that have not had a batch yet, oldest first. */
  readonly newcomers: Set<Job>;
  /** What every job should have had by now, by its weight: see share.ts. */
  fairShare: number;
  /** Live jobs that are not paused, and the sum of their weights. */
  sharers: number;
  weights: number;
  nextOrder: number;
  /** Threads that were set aside and are still alive. */
  setAside: number;
  /** When to try again to end them. */
  strayCheckAt: number;
  /** When to look again whether threads look at what they were given. */
  heedCheckAt: number;
  /** When to look again whether a thread without work can take some from another. */
  rebalanceAt: number;
  /** What the timer is set to; Infinity for off. */
  armedFor: number;
  /** Whether `idle` has been said since the last work. */
  isIdle: boolean;
  /** Jobs whose threads have not let go, though they have settled. */
  lingering: number;
}

export function createState(options: SchedulerOptions): State {
  return {
    options,
    jobs: new Map(),
    recipes: new Map(),
    slots: Array.from({ length: options.threads }, (_, index) => ({
      index,
      incarnation: 0,
      phase: "starting" as const,
      failedStarts: 0,
      running: undefined,
      behind: undefined,
      nextBatch: 1,
      reservedFor: undefined,
    })),
    runnable: new Heap<Job>(isBefore),
    backingOff: new Heap<Job>((a, b) => dueAt(a) < dueAt(b)),
    warmUps: new Set(),
    newcomers: new Set(),
    fairShare: 0,
    sharers: 0,
    weights: 0,
    nextOrder: 0,
    setAside: 0,
    strayCheckAt: Infinity,
    heedCheckAt: Infinity,
    rebalanceAt: Infinity,
    armedFor: Infinity,
    isIdle: true,
    lingering: 0,
  };
}

export function createRecipe(id: number): Recipe {
  return {
    id,
    phase: "unknown",
    kind: "item",
    concurrency: 1,
    maxBatchItems: 0,
    msPerItem: undefined,
    mainMsPerItem: undefined,
    largestMeasured: 0,
    jobs: new Set(),
  };
}

/** Who is next: the one with the least share; of equals, a newcomer, and then the older one. */
function isBefore(a: Job, b: Job): boolean {
  if (a.share !== b.share) return a.share < b.share;
  if (a.hasStarted !== b.hasStarted) return b.hasStarted;
  return a.order < b.order;
}

/** Which retry is next. */
export function isDueBefore(a: Retry, b: Retry): boolean {
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.index < b.index);
}

/** When the job's nearest retry is due. */
export function dueAt(job: Job): number {
  return job.retries.first?.dueAt ?? Infinity;
}

export function indexAt(batch: Batch, position: number): number {
  return typeof batch.indices === "number" ? batch.indices + position : (batch.indices[position] as number);
}

/** Which run each position is; undefined where all are first ones. */
export function attemptsOf(batch: Batch): readonly number[] | undefined {
  const { attempts } = batch.job;
  if (attempts === undefined || attempts.size === 0) return undefined;
  const list = Array.from({ length: batch.count }, (_, position) => attempts.get(indexAt(batch, position)) ?? 1);
  return list.some((attempt) => attempt > 1) ? list : undefined;
}

export function isStopped(batch: Batch | undefined): boolean {
  return batch?.stoppedAt !== undefined;
}

/** How many items one thread has in flight at once. */
export function lanesOf(job: Job): number {
  return job.recipe.kind === "item" ? job.rules.concurrency || job.recipe.concurrency : 1;
}
