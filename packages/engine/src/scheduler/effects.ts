/** What the scheduler wants done. The shell performs effects in order; it decides nothing. */
import type { Batch } from "./state.js";

/** Why a job failed as a whole. */
export type JobFault =
  /** Its first item that failed for good, where the job stops at a failure. */
  | { readonly kind: "item"; readonly index: number }
  /** Its task could not be loaded or set up: the shell has the record. */
  | { readonly kind: "broken" }
  | { readonly kind: "source" }
  /** Threads died, again and again, before they had begun an item of it. */
  | { readonly kind: "threads" };

export type Effect =
  /**
   * Take up to `max` items from the job's source; answered by `items` and `pulled`. Those whose values are found count
   * only where a reader must take them.
   */
  | { readonly type: "pull"; readonly job: number; readonly max: number }
  | { readonly type: "assign"; readonly batch: Batch }
  /**
   * Take back what is not claimed, but for this share of it and the first `least` items of the batch; answered by
   * `revoked`, in the same turn.
   */
  | { readonly type: "revoke"; readonly batch: Batch; readonly keep: number; readonly least: number }
  /** Nobody wants the batch any more. */
  | { readonly type: "stop"; readonly batch: Batch }
  /**
   * Take these positions of the answer in: `retried` go again, the other faults are final. Positions from `claimed`
   * on were not run.
   */
  | {
      readonly type: "commit";
      readonly batch: Batch;
      readonly claimed: number;
      readonly retried: ReadonlySet<number> | undefined;
    }
  /** Take in the items with known values that have come and were not taken in yet: so many. */
  | { readonly type: "deliver-found"; readonly job: number; readonly count: number }
  /** The item failed for good without an answer that says so: its thread died or hung. */
  | {
      readonly type: "fail-item";
      readonly job: number;
      readonly index: number;
      readonly attempt: number;
      readonly code: "THREAD_LOST" | "TASK_TIMEOUT";
    }
  | {
      readonly type: "retry";
      readonly job: number;
      readonly index: number;
      readonly attempt: number;
      readonly delayMs: number;
    }
  | { readonly type: "started"; readonly job: number }
  | { readonly type: "settle"; readonly job: number; readonly outcome: "completed" }
  | { readonly type: "settle"; readonly job: number; readonly outcome: "cancelled" }
  | { readonly type: "settle"; readonly job: number; readonly outcome: "failed"; readonly fault: JobFault }
  /** No thread touches the job any more. */
  | { readonly type: "stopped"; readonly job: number }
  /** All threads have handed back what they had of a paused job. */
  | { readonly type: "paused"; readonly job: number }
  /** Set the slot's thread aside and start a new one in its place. */
  | { readonly type: "replace"; readonly slot: number; readonly incarnation: number }
  /** The slot's thread is gone: start another. */
  | { readonly type: "restart"; readonly slot: number; readonly incarnation: number }
  /** Try to end the threads that were set aside. */
  | { readonly type: "terminate-strays" }
  /** A thread is stuck, and there is no room to set it aside: the engine has one thread less until it comes back. */
  | { readonly type: "capacity-lost"; readonly slot: number }
  /** The timer: at this time, or off. */
  | { readonly type: "arm"; readonly at: number | undefined }
  /** No job is live and no thread is busy. */
  | { readonly type: "idle" };
