/** What a simulated task is and does, and what a simulated job asks for. */
import type { HandlerNature, TaskKind } from "@threadmill/protocol";
import type { JobRules } from "@threadmill/engine/internal/scheduler";

/**
 * What becomes of one run of one item.
 *
 * - `fail`, `fail-final`: it throws; a batch or columns handler that throws spoils its batch
 * - `fail-alone`: the same, but a batch handler names the item
 * - `uncloneable`: its result cannot leave the thread; `unreadable`: it leaves, and cannot be read on the other side.
 *   What a columns handler writes does neither.
 * - `crash`: the thread dies; `exit-after`: it dies right after it has posted the answer
 * - `hang`: computes until it is terminated; `await`: waits for ever and does not hold its thread; a columns handler
 *   that wants to wait fails at once
 * - `nativeMs`: holds its thread in native code for so long
 */
export type Fate =
  | "ok"
  | "fail"
  | "fail-final"
  | "fail-alone"
  | "uncloneable"
  | "unreadable"
  | "crash"
  | "exit-after"
  | "hang"
  | "await"
  | { readonly nativeMs: number };

export interface Call {
  readonly index: number;
  readonly attempt: number;
  /** How often this item has been begun before, whether or not that counted as an attempt. */
  readonly runsBefore: number;
}

/** How the import of a task's module ends, or its setup. `hang`: it computes for ever; `await`: it waits for ever. */
export type LoadFate = "ok" | "broken" | "crash" | "hang" | "await";

export interface SimulatedSetup {
  readonly ms: number;
  /** It holds its thread for its time; else it waits. Default false. */
  readonly isSync?: boolean;
  readonly fate?: (setupsBefore: number) => LoadFate;
}

/** A task as its module would describe it, and how its handler behaves. */
export interface SimulatedTask {
  readonly kind?: TaskKind;
  readonly concurrency?: number;
  readonly maxBatchItems?: number;
  /** A handler that holds its thread for its time; else it waits, and other lanes go on. Default false. */
  readonly isSync?: boolean;
  readonly nature?: HandlerNature;
  /** The module loads an addon, so that handlers of unknown nature count as native. */
  readonly hasAddon?: boolean;
  /** Handlers that wait do not listen to their signal. Default true. */
  readonly ignoresCancel?: boolean;
  /** Time of one item. Default 1. */
  readonly ms?: number | ((index: number) => number);
  readonly fate?: (call: Call) => Fate;
  /** Time in which the files of the module are read, and its thread does other things. Default 0. */
  readonly importMs?: number;
  /** Time in which the module is evaluated, and holds its thread. Default 0. */
  readonly evaluateMs?: number;
  readonly import?: (importsBefore: number) => LoadFate;
  /** Default: it has none. */
  readonly setup?: SimulatedSetup;
}

/** A source that is pulled. */
export interface SimulatedSource {
  /** Items that it gives at a time. */
  readonly chunk: number;
  /** Time between two of them; 0: all that is wanted comes at once. */
  readonly delayMs?: number;
  /** Throws instead of giving the item with this index. */
  readonly throwsAt?: number;
  /** Gives no word any more once it has given so many. */
  readonly silentAt?: number;
  /** Its items are heavy: each chunk waits until nothing else is in flight, and the pull with it. */
  readonly isHeavy?: boolean;
  /** Has no end. */
  readonly isEndless?: boolean;
  /** The job has a cache, and these items are in it. */
  readonly isFound?: (index: number) => boolean;
  /** What the items are called there: one waits for another that has its name and is on its way. Default: no names. */
  readonly keyOf?: (index: number) => number;
}

/** Who takes the outcomes of a throttled job. `hand`: only `read` does. */
export type SimulatedReader = "hand" | "prompt" | { readonly everyMs: number; readonly most: number };

export interface SimulatedJobSpec {
  readonly task: SimulatedTask;
  /** Jobs with the same recipe share what is known of the task. Default: one of its own. */
  readonly recipe?: number;
  readonly items?: number;
  /** The source must be pulled. Default: all items are there. A number is a source that gives so many at a time. */
  readonly pulledBy?: number | SimulatedSource;
  readonly rules?: Partial<JobRules>;
  /** A reader sets the pace. */
  readonly isThrottled?: boolean;
  readonly reader?: SimulatedReader;
  readonly isWarmUp?: boolean;
  /** How an item travels: `uncloneable` ones cannot be sent, `unreadable` ones cannot be read in the thread. */
  readonly travels?: (index: number) => "ok" | "uncloneable" | "unreadable";
}

export const DEFAULT_RULES: JobRules = {
  weight: 1,
  stopsAtFailure: true,
  retry: { attempts: 1, backoffMs: 100, maxBackoffMs: 30_000, jitter: 0 },
  timeoutMs: 0,
  concurrency: 0,
  batchSize: 0,
  maxInFlight: 0,
};
