/** A batch on its way or in its thread, as the shell knows it. */
import type { Batch } from "@threadmill/engine/internal/scheduler";
import type { JobView } from "./job-view.js";
import type { SimulatedThread } from "./simulated-thread.js";
import type { BatchInThread } from "./thread-world.js";

export interface Sent {
  /** Unlike a batch's number, used once. */
  readonly serial: number;
  readonly batch: Batch;
  readonly job: JobView;
  readonly thread: SimulatedThread;
  readonly count: number;
  readonly attempts: readonly number[] | undefined;
  /** It names a range of shared columns, as the main thread does once it knows that the task takes them. */
  readonly hasColumns: boolean;
  /** The thread cannot read the message. */
  readonly isUnreadable: boolean;
  /** Since when it is the first of its slot; undefined while it is behind another. */
  runningSince: number | undefined;
  /** Since it was sent, or has been the first of its slot. */
  stoppedAt: number | undefined;
  /** When its newest item was begun; Infinity before. */
  begunAt: number;
  /** The run that answered. */
  run: BatchInThread | undefined;
}
