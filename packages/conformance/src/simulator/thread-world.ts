/** What a simulated thread and the world around it say to each other, and what a thread keeps of its work. */
import type { ErrorCode, HandlerNature, TaskKind } from "@threadmill/protocol";
import type { Readiness, ReadinessSteps, WaitingBatch } from "@threadmill/workers/runner";
import type { PositionFault } from "@threadmill/engine/internal/scheduler";
import type { Kind } from "./agenda.js";
import type { Sent } from "./sent.js";
import type { RecipeInThread } from "./recipe-in-thread.js";
import type { SimulatedThread } from "./simulated-thread.js";
import type { Fate, LoadFate, SimulatedTask } from "./spec.js";

export type ToThread =
  /** The first one of a recipe introduces that: the two messages keep their order, so that they count as one here. */
  | { readonly type: "batch"; readonly sent: Sent; readonly introduces: boolean }
  | { readonly type: "which" }
  | { readonly type: "forget"; readonly recipe: number };

export type Word =
  | { readonly type: "described"; readonly recipe: number; readonly task: SimulatedTask }
  | {
      readonly type: "done";
      readonly run: BatchInThread;
      readonly claimed: number;
      readonly faults: readonly PositionFault[] | undefined;
      readonly elapsedMs: number;
    }
  | {
      readonly type: "spoilt";
      readonly run: BatchInThread;
      readonly code: ErrorCode;
      readonly isFinal: boolean;
      readonly elapsedMs: number;
    }
  | { readonly type: "broken"; readonly run: BatchInThread }
  /** Some message was not: on its way to the thread, or from there. */
  | { readonly type: "unreadable" }
  | { readonly type: "held"; readonly batches: readonly number[] };

/** What has become of a position. */
export const Position = { UNTOUCHED: 0, BEGUN: 1, DONE: 2, FAILED: 3 } as const;

/** A batch as its thread knows it. */
export interface BatchInThread {
  readonly sent: Sent;
  readonly number: number;
  readonly count: number;
  readonly task: SimulatedTask;
  readonly recipe: RecipeInThread;
  /** Of each position that was begun. */
  readonly positions: number[];
  next: number;
  open: number;
  isExhausted: boolean;
  startedAt: number;
  hasBegun: boolean;
  /** While its task is loaded and set up. */
  waiting: WaitingBatch | undefined;
  stopSeen: boolean;
  faults: PositionFault[] | undefined;
  spoilt: { readonly code: ErrorCode; readonly isFinal: boolean } | undefined;
  /** Its answer cannot be read by whoever gets it. */
  isUnreadable: boolean;
  exitsAfter: boolean;
}

/** A handler call: one item, or all that a batch handler or one call of a columns handler was given. */
export interface RunningCall {
  readonly run: BatchInThread;
  readonly first: number;
  readonly end: number;
  readonly fate: Fate;
  readonly isSync: boolean;
  readonly deadline: number;
  isOver: boolean;
  /** Left behind: its lane is free, and nobody waits for it. */
  isAbandoned: boolean;
}

/** A thread in the middle of a claim: before the store of its position, or between that and its look at the limit. */
export interface Claiming {
  readonly run: BatchInThread;
  readonly position: number;
  hasStored: boolean;
}

/** What a thread needs of the world around it. */
export interface ThreadWorld {
  readonly now: number;
  readonly graceMs: number;
  readonly buffer: SharedArrayBuffer;
  /** A step of the thread that takes `ms`; by hand, it waits until it is asked for. */
  plan(thread: SimulatedThread, ms: number, kind: Kind, detail: unknown): void;
  /** The same, but by a clock: it comes by itself. */
  planTimer(thread: SimulatedThread, ms: number, kind: Kind, detail: unknown): void;
  say(thread: SimulatedThread, word: Word): void;
  onBegin(thread: SimulatedThread, run: BatchInThread, position: number): Fate;
  onEnded(run: BatchInThread, position: number): void;
  onBeganBehind(): void;
  onAbandoned(): void;
  createReadiness(steps: ReadinessSteps): Readiness;
  /** A batch is about to wait for this recipe. */
  onWaits(recipe: RecipeInThread): void;
  onLeftByImport(): void;
  importFate(recipe: RecipeInThread): LoadFate;
  setupFate(recipe: RecipeInThread): LoadFate;
  /** Time of a call for these positions. */
  callMs(run: BatchInThread, first: number, end: number): number;
  /** Time that a claim takes between two of its parts; 0: none. */
  claimGapMs(): number;
  /** When a handler that was left behind computes for ever; undefined: it goes on waiting. */
  relapseMs(): number | undefined;
  /** Whether that is before the store of the position, or after it. */
  isGapFirst(): boolean;
  die(thread: SimulatedThread): void;
}

/** What a task says of its handlers. */
export function natureOf(task: SimulatedTask): HandlerNature {
  return task.nature ?? "script";
}

export function kindOf({ kind = "item" }: SimulatedTask): TaskKind {
  return kind;
}

/** A columns handler is synchronous, names no item, and returns nothing that would have to be cloned. */
export function fateOfColumns(fate: Fate): Fate {
  if (fate === "await" || fate === "fail-alone") return "fail";
  return fate === "uncloneable" || fate === "unreadable" ? "ok" : fate;
}

/** Which of several fates decides for a handler that has many items at once. */
export function gravity(fate: Fate): number {
  switch (fate) {
    case "ok":
    case "fail-alone":
    case "uncloneable":
      return 0;
    case "unreadable":
      return 1;
    case "exit-after":
      return 2;
    case "fail":
      return 3;
    case "fail-final":
      return 4;
    case "await":
      return 6;
    case "hang":
      return 7;
    case "crash":
      return 8;
    default:
      return 5;
  }
}
