/** What can happen to the scheduler. Threads are named by slot and incarnation, so that a late word is known as such. */
import type { ErrorCode, TaskKind } from "@threadmill/protocol";
import type { IndexRange } from "./ranges.js";
import type { JobRules } from "./state.js";

export interface SubmitEvent {
  readonly type: "submit";
  readonly job: number;
  readonly recipe: number;
  readonly rules: JobRules;
  /** Items that are there already. */
  readonly supplied: number;
  /** Whether those are all. */
  readonly sourceEnded: boolean;
  /** Whether a reader must take the outcomes before more items are pulled. */
  readonly isThrottled: boolean;
  /** No items: load the task and set it up in every thread. */
  readonly isWarmUp: boolean;
}

/** One position of a batch that has no value. */
export interface PositionFault {
  readonly position: number;
  /** `unrun`: claimed and then left alone. */
  readonly code: ErrorCode | "unrun";
  readonly isFinal: boolean;
}

/**
 * The last claims in a slot's running batch and in the one behind it, which may have begun as well; `NOT_BEGUN` and
 * `LOADING` before the first.
 */
export type Cursors = readonly [running: number, behind: number];

/** What is known of items of a job with a cache. */
export interface Sorting {
  /** So many have their values, and wait for `deliver-found`. */
  readonly found: number;
  /** These have to be run. What is neither waits for another item, with the same key, and for `awaited`. */
  readonly toRun: readonly IndexRange[];
}

export type SchedulerEvent =
  | SubmitEvent
  /** The source gave `count` more items. Without `sorting` all have to be run. */
  | { readonly type: "items"; readonly job: number; readonly count: number; readonly sorting?: Sorting }
  /** Items that came before wait for others no longer. */
  | { readonly type: "awaited"; readonly job: number; readonly sorting: Sorting }
  /** The shell has stopped pulling for now, or for good. */
  | { readonly type: "pulled"; readonly job: number; readonly ended: boolean }
  | { readonly type: "source-failed"; readonly job: number }
  /** A throttling reader took `count` outcomes. */
  | { readonly type: "read"; readonly job: number; readonly count: number }
  | { readonly type: "thread-ready"; readonly slot: number; readonly incarnation: number }
  | { readonly type: "thread-failed"; readonly slot: number; readonly incarnation: number }
  /** The thread is gone; its last answers come before `thread-lost`, and nothing more is to be given to it. */
  | { readonly type: "thread-ending"; readonly slot: number; readonly incarnation: number }
  | {
      readonly type: "thread-lost";
      readonly slot: number;
      readonly incarnation: number;
      readonly cur: Cursors;
    }
  /** A thread that had been set aside is gone. */
  | { readonly type: "stray-ended" }
  | {
      readonly type: "described";
      readonly recipe: number;
      readonly kind: TaskKind;
      readonly concurrency: number;
      readonly maxBatchItems: number;
    }
  | {
      readonly type: "done";
      readonly slot: number;
      readonly incarnation: number;
      readonly batch: number;
      readonly claimed: number;
      readonly faults: readonly PositionFault[] | undefined;
      readonly elapsedMs: number;
      /** What sending the batch and reading its answer cost the main thread. */
      readonly mainMs: number;
      /** From 0 to 1, for the jitter of retries: the scheduler draws no lots itself. */
      readonly luck: number;
    }
  | {
      readonly type: "spoilt";
      readonly slot: number;
      readonly incarnation: number;
      readonly batch: number;
      readonly code: ErrorCode;
      readonly isFinal: boolean;
      readonly elapsedMs: number;
      readonly luck: number;
    }
  | { readonly type: "broken"; readonly slot: number; readonly incarnation: number; readonly batch: number }
  /** The answer to a `revoke`: positions from `from` on belong to the main thread. */
  | {
      readonly type: "revoked";
      readonly slot: number;
      readonly incarnation: number;
      readonly batch: number;
      readonly from: number;
    }
  /** Nothing refers to this recipe any more; it has no jobs. */
  | { readonly type: "recipe-forgotten"; readonly recipe: number }
  | { readonly type: "stop-asked"; readonly job: number }
  | { readonly type: "pause-asked"; readonly job: number }
  | { readonly type: "resume-asked"; readonly job: number }
  /** The timer, with the last claims in each slot. */
  | { readonly type: "tick"; readonly cursors: readonly Cursors[] };
