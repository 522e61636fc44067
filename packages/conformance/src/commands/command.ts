/**
 * What is done to a scheduler in a history that is played by hand: plain data, so that a list which once failed can be
 * kept as it is. Jobs are named by their place among those that were submitted. What a command does not say is as in
 * {@link PLAIN_WORLD}, {@link PLAIN_TASK} and {@link PLAIN_JOB}.
 */
import type { TaskKind } from "@threadmill/protocol";
import type { Fate } from "../simulator/index.js";

/** How one item of a job fares, and how often before it does as it should. */
export interface FaultyItem {
  readonly index: number;
  readonly fate: Fate;
  readonly times: number;
}

export interface DrawnTask {
  readonly kind: TaskKind;
  readonly concurrency: number;
  readonly maxBatchItems: number;
  readonly isSync: boolean;
  readonly ms: number;
  readonly brokenLoads: number;
  readonly crashingLoads: number;
}

export interface DrawnJob {
  /** Which of the world's tasks. */
  readonly task: number;
  /** Whether it shares what is known of its task with the other jobs that do. */
  readonly isShared: boolean;
  readonly items: number;
  readonly faulty: readonly FaultyItem[];
  /** Items that its source gives at a time; 0: all are there. */
  readonly pulledBy: number;
  /** The source throws instead of giving the item with this index; -1: never. */
  readonly throwsAt: number;
  readonly isThrottled: boolean;
  readonly isWarmUp: boolean;
  readonly weight: number;
  readonly stopsAtFailure: boolean;
  readonly attempts: number;
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly batchSize: number;
  readonly maxInFlight: number;
}

export interface DrawnWorld {
  readonly threads: number;
  readonly graceMs: number;
  readonly tasks: readonly Partial<DrawnTask>[];
  /** Slots and incarnations whose threads cannot be started, as `slot:incarnation`. */
  readonly failedStarts: readonly string[];
}

export type Command =
  | { readonly type: "submit"; readonly job: Partial<DrawnJob> }
  | { readonly type: "cancel" | "pause" | "resume" | "read"; readonly job: number }
  /** A thread takes its next step. */
  | { readonly type: "work"; readonly slot: number }
  /** The same for one that was set aside. */
  | { readonly type: "work-aside"; readonly which: number }
  /** The oldest message of the k-th thread that has one arrives. */
  | { readonly type: "deliver"; readonly which: number }
  /** The newest answer comes once more. */
  | { readonly type: "duplicate"; readonly which: number }
  | { readonly type: "crash" | "hang"; readonly slot: number }
  | { readonly type: "advance" | "stall"; readonly ms: number }
  /** -1: without a deadline. */
  | { readonly type: "close"; readonly deadlineMs: number };

/** All that a run needs; what is kept in the corpus. */
export interface CommandHistory {
  readonly world: Partial<DrawnWorld>;
  readonly commands: readonly Command[];
}

export const PLAIN_TASK: DrawnTask = {
  kind: "item",
  concurrency: 1,
  maxBatchItems: 0,
  isSync: false,
  ms: 1,
  brokenLoads: 0,
  crashingLoads: 0,
};

export const PLAIN_JOB: DrawnJob = {
  task: 0,
  isShared: false,
  items: 0,
  faulty: [],
  pulledBy: 0,
  throwsAt: -1,
  isThrottled: false,
  isWarmUp: false,
  weight: 1,
  stopsAtFailure: false,
  attempts: 1,
  timeoutMs: 0,
  concurrency: 0,
  batchSize: 0,
  maxInFlight: 0,
};

export const PLAIN_WORLD: DrawnWorld = { threads: 1, graceMs: 100, tasks: [], failedStarts: [] };

/** Without what is plain, so that a counterexample shows only what matters. */
export function brief<Whole extends object>(whole: Whole, plain: Whole): Partial<Whole> {
  const entries = Object.entries(whole) as [keyof Whole, unknown][];
  const said = entries.filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(plain[key]));
  return Object.fromEntries(said) as Partial<Whole>;
}
