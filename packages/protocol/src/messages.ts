/**
 * The messages between the main thread and a thread: two unions of tuples, told apart by their first element.
 * Tuples, since a clone of an object spells its keys out each time. They travel over a port that belongs to one
 * incarnation of one slot; a batch is known by its number there.
 */
import type { ErrorCode } from "./errors.js";
import type { ErrorRecord } from "./error-record.js";
import type { NumberColumnName } from "./shared-columns.js";

/** Both sides must say the same; a thread answers another version with `PROTOCOL_MISMATCH`. */
export const PROTOCOL_VERSION = 2;

/** The items or the values of a batch, by position. Arrays of nothing but numbers travel as one block. */
export type Column = readonly unknown[] | Float64Array;

/** What a columns task reads and writes: any array of numbers in memory. */
export type NumberColumn =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** The whole input and output of a job, by index, in shared memory. Nothing of it is copied on the way. */
export interface SharedColumns {
  readonly input: NumberColumn;
  readonly output: NumberColumn;
}

/** Which items of the job a batch holds: a range from its first index, or the indices one by one. */
export type BatchIndices = number | readonly number[];

/** What a thread is told when it starts. */
export interface ThreadSetup<Port> {
  readonly version: number;
  readonly port: Port;
  readonly control: SharedArrayBuffer;
  readonly row: number;
  readonly incarnation: number;
  readonly graceMs: number;
}

/** The task that a recipe names, with the options that its setup gets. Sent once per thread. */
export type IntroduceMessage = readonly [
  type: "introduce",
  recipe: number,
  url: string,
  exportName: string,
  options: unknown,
];

/** Run these items; without items: load the module and set it up, no more. */
export type BatchMessage = readonly [
  type: "batch",
  batch: number,
  recipe: number,
  jobId: string,
  indices: BatchIndices,
  count: number,
  /** Shared columns hold all items of the job; the batch is about those that `indices` names. */
  items: Column | SharedColumns,
  /** Which run of its item each position is; absent where all are first ones. */
  attempts: readonly number[] | undefined,
  /** Items in flight at once; 0: as the task says. */
  concurrency: number,
  /** Bound of one handler call; 0: none. */
  timeoutMs: number,
];

/** The recipe is not needed here any more: tear its resource down. */
export type ForgetMessage = readonly [type: "forget", recipe: number];

/** Which batches do you hold? Asked when a message could not be read, and it is not known which. */
export type WhichMessage = readonly [type: "which"];

/** Tear everything down; the thread answers `closed` and sends nothing after it. */
export type CloseMessage = readonly [type: "close"];

export type ToThread = IntroduceMessage | BatchMessage | ForgetMessage | WhichMessage | CloseMessage;

/** What only the module knows. Sent once per recipe, when it has been loaded and before it is set up. */
export type DescribedMessage = readonly [
  type: "described",
  recipe: number,
  kind: TaskKind,
  concurrency: number,
  /** 0: as the engine says. */
  maxBatchItems: number,
  /** Of a columns task: the name of the class of its output. */
  output: NumberColumnName | undefined,
];

/** How a task takes its items: one by one, a batch at a time, or as ranges of shared columns. */
export type TaskKind = "item" | "batch" | "columns";

/**
 * One position that has no value. `failed`: the handler's fault; `unrun`: it was claimed and then left alone, so it
 * goes back to the queue for free.
 */
export type PositionFailure = readonly [position: number, code: ErrorCode | "unrun", record: ErrorRecord | undefined];

/** The batch is over: the first `claimed` positions were run, the rest belongs to the main thread again. */
export type DoneMessage = readonly [
  type: "done",
  batch: number,
  claimed: number,
  /** Undefined where they lie in shared columns. */
  values: Column | undefined,
  failures: readonly PositionFailure[] | undefined,
  /** Time that the batch held the thread beyond the batch before it. */
  elapsedMs: number,
  /** How long the thread needed to write an answer like this one: about as long as the main thread will to read it. */
  writeMs: number,
];

/** Nothing of the batch was run: the module cannot be loaded, the export is no task, setup failed. */
export type BrokenMessage = readonly [type: "broken", batch: number, code: ErrorCode, record: ErrorRecord];

/** A batch handler failed as a whole (or took too long): the batch is to be split until the bad items stand alone. */
export type SpoiltMessage = readonly [
  type: "spoilt",
  batch: number,
  code: ErrorCode,
  record: ErrorRecord,
  elapsedMs: number,
];

/** The newest value that a handler gave to `ctx.detail`. */
export type DetailMessage = readonly [type: "detail", batch: number, value: unknown];

/** A message from the main thread could not be read: it nests too deep for this thread's stack, say. */
export type UnreadableMessage = readonly [type: "unreadable"];

/** The answer to `which`. What the main thread has sent before it asked, and is not here, was lost on the way. */
export type HeldMessage = readonly [type: "held", batches: readonly number[]];

export type ClosedMessage = readonly [type: "closed"];

export type FromThread =
  | DescribedMessage
  | DoneMessage
  | BrokenMessage
  | SpoiltMessage
  | DetailMessage
  | UnreadableMessage
  | HeldMessage
  | ClosedMessage;

/** Ends a `switch` over a union: the compiler complains here when a member has been forgotten. */
export function assertNever(value: never): never {
  throw new Error(`unexpected: ${JSON.stringify(value)}`);
}
