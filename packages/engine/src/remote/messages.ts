/**
 * What an engine and its client say to each other. Each side calls methods of the other one's face; a job is known by
 * the key that its client gave it. All of it can be cloned by any kind of port: no functions, no ports, no transfers.
 */
import type { Column, NumberColumn } from "@threadmill/protocol";
import type { CloseOptions, CloseReport } from "../closing.js";
import type { EngineStats } from "../engine.js";
import type { JobState, SettledState } from "../jobs/job.js";
import type { JobStats } from "../jobs/outcome.js";
import type { Progress } from "../jobs/progress.js";
import type { RunOptions } from "../options.js";
import type { WireReason } from "./reasons.js";

/** Both sides must say the same. */
export const REMOTE_VERSION = 1;

/** The options of a run that travel; the others stay with the client, or are functions. */
export type WireRunOptions = Omit<
  RunOptions<unknown, unknown>,
  "id" | "signal" | "options" | "ordered" | "weigh" | "maxInFlightBytes"
>;

/** Items in one message at the most. */
export const MAX_ITEMS = 4_096;

export type WireItems =
  /** All of them. `uncloneable`: positions whose item could not travel. */
  | { readonly kind: "list"; readonly items: Column; readonly uncloneable?: readonly number[] }
  /** A typed array, in shared memory where both sides see it. */
  | { readonly kind: "column"; readonly items: NumberColumn }
  /** To be asked for. `isList`: they are all there already, and may be asked for ahead of time. */
  | { readonly kind: "pulled"; readonly isList: boolean };

/** Task options with a name made of their content: shared memory in them keeps its identity by it. */
export interface WireTaskOptions {
  readonly key: string;
  readonly value: unknown;
}

export interface RunRequest {
  readonly key: number;
  readonly task: { readonly url: string; readonly exportName: string };
  readonly id: string;
  /** The caller gave the id, so that the result is kept by it. */
  readonly isNamed: boolean;
  readonly items: WireItems;
  readonly options: WireRunOptions;
  readonly taskOptions?: WireTaskOptions;
  /** How the one loop of a job that does not collect reads. */
  readonly loop?: "as-ended" | "ordered";
  readonly listensTo: readonly ForwardedEvent[];
  /** A `call` or `map`: nobody sees the handle, and only its end counts. */
  readonly isQuiet: boolean;
}

export const FORWARDED_EVENTS = ["progress", "batch", "retry", "detail"] as const;
/** Events that are sent only where somebody listens. */
export type ForwardedEvent = (typeof FORWARDED_EVENTS)[number];

/** Outcomes that belong together: a range of indices. */
export interface WireRun {
  readonly start: number;
  readonly values: Column;
  readonly failures?: readonly (readonly [index: number, attempt: number, error: WireReason])[];
  /** Of completed items that took more than one, or none, since a cache had their value. */
  readonly attempts?: readonly (readonly [index: number, attempt: number])[];
}

export interface WireEnd {
  readonly state: SettledState;
  readonly error?: WireReason;
  readonly stats?: JobStats;
  /** The output of a columns task. */
  readonly column?: NumberColumn;
}

/** Where a job is. `turn`: how many pauses and resumes of this client the engine had heard of by then. */
export interface Standing {
  readonly state: JobState;
  readonly turn: number;
  readonly progress: Progress;
}

/** What has happened to a job since the last news of it, to be taken in in this order. */
export interface News {
  readonly standing: Standing;
  readonly events: readonly (readonly [name: ForwardedEvent | "start", argument?: unknown])[];
  readonly runs: readonly WireRun[];
  readonly end?: WireEnd;
  readonly isStopped: boolean;
}

export interface JobSummary {
  readonly id: string;
  readonly state: JobState;
  readonly progress: Progress;
}

/** The engine's side. */
export interface EngineFace {
  run(request: RunRequest): { fromCache: boolean };
  cancel(key: number, reason: WireReason): void;
  /** As by a signal: the work goes on for others. */
  leave(key: number, reason: WireReason): void;
  pause(key: number, turn: number): Promise<Standing | undefined>;
  resume(key: number, turn: number): Standing | undefined;
  listen(key: number, event: ForwardedEvent): void;
  /** The next outcomes of the one loop over a job that does not collect. */
  read(key: number): Promise<{ runs: WireRun[]; isOver: boolean }>;
  /** `live`: this key stands for it, the one given or that of an earlier look. `collects`: its outcomes will come. */
  observe(
    key: number,
    id: string,
  ):
    | { kind: "live"; key: number; collects: boolean; standing: Standing }
    | { kind: "settled"; state: SettledState; error: WireReason; stats: JobStats }
    | undefined;
  jobs(): JobSummary[];
  cancelJob(id: string, reason: WireReason): boolean;
  warm(task: RunRequest["task"], options?: WireTaskOptions): Promise<void>;
  stats(): EngineStats;
  drain(): Promise<void>;
  close(options: CloseOptions): Promise<CloseReport>;
}

export const ENGINE_METHODS: readonly (keyof EngineFace)[] = [
  "run",
  "cancel",
  "leave",
  "pause",
  "resume",
  "listen",
  "read",
  "observe",
  "jobs",
  "cancelJob",
  "warm",
  "stats",
  "drain",
  "close",
];

/** Items of a source. They come first; then the source has ended or failed. */
export interface ItemsAnswer {
  readonly items: Column;
  readonly uncloneable?: readonly number[];
  readonly isEnded: boolean;
  readonly failure?: WireReason;
}

/** The client's side. */
export interface ClientFace {
  /** Its answer is what lets more be sent. */
  news(key: number, news: News): void;
  items(key: number, max: number): Promise<ItemsAnswer>;
  /** No more items are wanted. */
  closeItems(key: number): void;
}

export const CLIENT_METHODS: readonly (keyof ClientFace)[] = ["news", "items", "closeItems"];
