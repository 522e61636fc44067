/** One batch inside its thread: what was asked, how far it is, what has come out so far. */
import {
  type BatchMessage,
  type Column,
  type ControlRow,
  type ErrorCode,
  type ErrorRecord,
  type PositionFailure,
  type SharedColumns,
  toErrorRecord,
} from "@threadmill/protocol";
import type { Recipe } from "./recipe.js";
import { RunValues } from "./run-values.js";

export class BatchRun {
  readonly number: number;
  readonly recipe: Recipe;
  readonly jobId: string;
  /** Empty where the items lie in shared columns. */
  readonly items: Column;
  readonly columns: SharedColumns | undefined;
  readonly count: number;
  readonly askedConcurrency: number;
  readonly timeoutMs: number;
  readonly row: ControlRow;
  /** The next position to claim. */
  next = 0;
  /** Handler calls that have not settled. */
  open = 0;
  /** All that will be claimed has been. */
  exhausted = false;
  /** When the first item was claimed, or its recipe's setup began; 0 before. */
  startedAt = 0;
  /** For its recipe to be ready. */
  isWaiting = false;
  /** The recipe is ready and items may be claimed. */
  hasBegun = false;
  #values: RunValues | undefined;
  /** By position: the first word on an item counts. */
  readonly failures = new Map<number, PositionFailure>();
  readonly transfers = new Set<ArrayBuffer>();
  /** Aborts the signals of handlers in flight; those that never asked for one cost nothing. */
  readonly aborters = new Set<(reason: unknown) => void>();
  /** Lets the lanes of calls go that do not come back after a stop. */
  readonly abandoners = new Set<() => void>();
  abandonTimer: NodeJS.Timeout | undefined;
  stopSeen = false;
  /** A batch handler failed as a whole. */
  spoilt: readonly [ErrorCode, ErrorRecord] | undefined;
  readonly #indices: BatchMessage[4];
  readonly #attempts: readonly number[] | undefined;

  constructor(message: BatchMessage, recipe: Recipe, row: ControlRow) {
    let items: BatchMessage[6];
    [
      ,
      this.number,
      ,
      this.jobId,
      this.#indices,
      this.count,
      items,
      this.#attempts,
      this.askedConcurrency,
      this.timeoutMs,
    ] = message;
    this.columns = "input" in items ? items : undefined;
    this.items = "input" in items ? [] : items;
    this.recipe = recipe;
    this.row = row;
  }

  /** Made when they are first asked for: the batch behind the running one has none yet. */
  get values(): RunValues {
    return (this.#values ??= new RunValues(this.count));
  }

  indexOf(position: number): number {
    return typeof this.#indices === "number" ? this.#indices + position : (this.#indices[position] ?? -1);
  }

  /** How far, up to `most`, the indices from this position on follow one another. */
  rangeEnd(from: number, most: number): number {
    if (typeof this.#indices === "number") return most;
    let end = from + 1;
    while (end < most && this.#indices[end] === (this.#indices[end - 1] as number) + 1) end++;
    return end;
  }

  attemptOf(position: number): number {
    return this.#attempts?.[position] ?? 1;
  }

  get isStopped(): boolean {
    return this.row.isStopped(this.number);
  }

  fail(position: number, thrown: unknown, code: ErrorCode = "TASK_FAILED"): void {
    this.failWith(position, code, toErrorRecord(thrown));
  }

  failWith(position: number, code: ErrorCode, record: ErrorRecord): void {
    if (this.failures.has(position)) return;
    this.failures.set(position, [position, code, record]);
    this.row.noteFault(this.number);
  }
}
