/** What the callers of an engine saw, in the order in which they saw it; the checker reads nothing else. */
import type { JobState } from "@threadmill/engine";
import type { RunRecord } from "./run-log.js";

/** What was asked of a job, as far as the invariants speak of it. */
export interface Rules {
  readonly task: string;
  /** Items that its source has. */
  readonly items: number;
  readonly attempts: number;
  readonly onError: "fail" | "collect";
  readonly collects: boolean;
  /** An attempt may end without its handler. */
  readonly hasTimeout: boolean;
  /** Parts of a batch may go again though no thread died: one exceeded its time limit, or its answer was unreadable. */
  readonly mayRepeat?: boolean;
  /** Undefined: as the engine likes. */
  readonly maxInFlight: number | undefined;
}

/**
 * How a call of `run` was answered: `new` work, a handle on work that was live, a result from the cache, or a handle
 * whose signal was aborted before.
 */
export type Admission = "new" | "joined" | "cached" | "stillborn";

export type Seen =
  | {
      readonly type: "run";
      readonly handle: string;
      readonly job: string;
      readonly work: number;
      readonly how: Admission;
      readonly rules: Rules;
    }
  /** `run` threw. What could be seen of the engine before it and after it. */
  | {
      readonly type: "refused";
      readonly job: string;
      readonly work: number;
      readonly code: string;
      readonly before: string;
      readonly after: string;
    }
  | {
      readonly type: "heard";
      readonly handle: string;
      readonly event: "start" | "batch" | "retry" | "detail";
      readonly index?: number;
      readonly attempt?: number;
    }
  | {
      readonly type: "progress";
      readonly handle: string;
      readonly via: "event" | "snapshot";
      readonly state: JobState;
      readonly completed: number;
      readonly failed: number;
      readonly total: number | undefined;
    }
  | { readonly type: "settle"; readonly handle: string; readonly state: JobState; readonly code?: string }
  /**
   * What the `result` promise did. `values`: how many there are; `failures`: the indices that failed; `wrong`: those
   * whose value is missing or another item's; `works`: all that the values name.
   */
  | {
      readonly type: "result";
      readonly handle: string;
      readonly state: "resolved" | "rejected";
      readonly code?: string;
      readonly values?: number;
      readonly failures?: readonly number[];
      readonly wrong?: readonly number[];
      readonly works?: readonly number[];
    }
  | { readonly type: "loop"; readonly handle: string; readonly loop: number; readonly ordered: boolean }
  /** `proof`: the work and index that the value itself names. */
  | {
      readonly type: "outcome";
      readonly handle: string;
      readonly loop: number;
      readonly index: number;
      readonly status: "completed" | "failed";
      readonly attempt: number;
      /** Which answer of the loop brought it: several come in one where a loop reads whole batches. */
      readonly turn?: number;
      readonly code?: string;
      readonly proof?: { readonly work: number; readonly index: number; readonly attempt: number };
    }
  | {
      readonly type: "loop-end";
      readonly handle: string;
      readonly loop: number;
      readonly how: "done" | "thrown" | "left";
    }
  /** Somebody cancelled, by what means ever; the handle's state just before the call and just after it. */
  | {
      readonly type: "cancel";
      readonly handle: string;
      readonly by: "handle" | "id" | "signal" | "close";
      readonly before: JobState;
      readonly after: JobState;
      /** The loop that did it, while it held an outcome in its hands. */
      readonly loop?: number;
    }
  /** The engine took an item from the source, when so many had ended as far as the job's progress shows. */
  | { readonly type: "pulled"; readonly work: number; readonly index: number; readonly ended: number }
  | { readonly type: "stopped"; readonly handle: string }
  /** A thread died, whatever over; or the engine set it aside, and it may have been one that only had no time. */
  | { readonly type: "gone"; readonly how: "lost" | "stuck" }
  /** Bounded things of the engine, with their bounds. */
  | { readonly type: "bound"; readonly what: string; readonly size: number; readonly most: number }
  /** The end: what was still live, and what had been waited for in vain. */
  | { readonly type: "rest"; readonly live: readonly string[]; readonly pending: readonly Pending[] };

/** Something that did not come, and whose it is; a call on the engine has no handle. */
export interface Pending {
  readonly handle: string | undefined;
  readonly what: string;
}

/** `log`: how long the run log was. */
export type Entry = Seen & { readonly log: number };

export interface History {
  readonly entries: readonly Entry[];
  readonly runs: readonly (RunRecord | undefined)[];
}

export function isSettled(state: JobState): boolean {
  return state === "completed" || state === "failed" || state === "cancelled";
}

/** One line for a reader who looks for what went wrong. */
export function describeEntry({ log, type, ...rest }: Entry, at: number): string {
  const details = Object.entries(rest)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return `#${at} (${log} runs logged) ${type} ${details.join(" ")}`;
}
