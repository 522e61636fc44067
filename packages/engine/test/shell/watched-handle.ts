/** A handle as its caller sees it, with all that may be seen of it, checked as it happens. */
import type { JobHandle } from "../../src/jobs/handle.js";
import type { JobState } from "../../src/jobs/job.js";
import type { JobResult, Outcome } from "../../src/jobs/outcome.js";
import type { Item } from "./played-source.js";

/** What the handlers of the world answer: the item they got, and which attempt it was. */
export interface Value {
  readonly item: Item;
  readonly attempt: number;
}

export type Handle = JobHandle<Value, Value | undefined>;

export interface DrawnLoop {
  readonly by: "outcomes" | "batches" | "values";
  readonly leaveAfter: number | undefined;
  readonly isSlow: boolean;
}

/** What the errors of handlers say. */
export const MEANT_TO_FAIL = "is meant to fail";

interface Loop {
  readonly drawn: DrawnLoop;
  readonly seen: number[];
  /** The reader is busy with what it was given. */
  isPausing: boolean;
  end: "done" | "left" | "refused" | { readonly error: unknown } | undefined;
}

export interface HandleFacts {
  readonly name: string;
  readonly isOrdered: boolean;
  readonly collects: boolean;
  /** Items there are, where the source gives all of them; -1 where that cannot be told. */
  readonly count: number;
  /** The work goes on for its sake. */
  readonly isHolder: boolean;
  readonly signal: AbortSignal | undefined;
}

export class WatchedHandle {
  readonly handle: Handle;
  readonly facts: HandleFacts;
  readonly #report: (what: string) => void;
  readonly #loops: Loop[] = [];
  readonly #ends: { readonly state: JobState; readonly error?: unknown }[] = [];
  #result: { readonly value: JobResult<Value | undefined> } | { readonly error: unknown } | undefined;
  #isAwaited = false;
  #isSilent = false;
  #hasRetried = false;
  #shown = { completed: 0, failed: 0 };
  /** The state that it had when it was first seen to have settled. */
  #settledAs: JobState | undefined;

  constructor(handle: Handle, facts: HandleFacts, report: (what: string) => void) {
    this.handle = handle;
    this.facts = facts;
    this.#report = (what) => report(`${facts.name} (${handle.id}): ${what}`);
    // The first listeners: a later one may end the job, and those after it still hear of what has been before.
    for (const event of ["start", "batch", "retry", "detail"] as const) {
      handle.on(event, () => {
        if (this.isSettled) this.#report(`S3: ${event} came after it had settled`);
      });
    }
  }

  /** To be called in the tick of `run`, when all others have been put there that might harm. */
  listen(): void {
    const { handle } = this;
    for (const event of ["start", "batch", "retry", "detail"] as const) handle.on(event, () => this.#onEvent(event));
    handle.on("progress", () => {
      this.#onEvent("progress");
      this.look();
    });
    handle.on("settle", (end) => this.#onSettle(end));
  }

  get isSettled(): boolean {
    return isEnd(this.handle.state);
  }

  #onEvent(event: string): void {
    if (event === "retry") this.#hasRetried = true;
    if (this.#ends.length > 0) this.#report(`S3: ${event} came after settle`);
  }

  #onSettle(end: { readonly state: JobState; readonly error?: unknown }): void {
    if (this.#ends.length > 0) this.#report("S4: settle came twice");
    this.#ends.push(end);
    if (this.handle.state !== end.state) this.#report(`S4: settle says ${end.state}, it is ${this.handle.state}`);
  }

  /** All promises have led to what they lead to: from now on a cancelled handle gives nothing more. */
  noteTurn(): void {
    this.#isSilent ||= this.handle.state === "cancelled";
    this.look();
    if (!this.isSettled) return;
    for (const { end, isPausing } of this.#loops) {
      if (end === undefined && !isPausing) this.#report(`a loop waits on, though it is ${this.handle.state}`);
    }
  }

  /** Looks at it, as anybody may at any time. */
  look(): void {
    const { state, progress } = this.handle;
    if (this.#settledAs !== undefined && state !== this.#settledAs) {
      this.#report(`S4: it was ${this.#settledAs} and is ${state}`);
    }
    if (isEnd(state)) this.#settledAs ??= state;
    const { completed, failed, total } = progress;
    if (completed < this.#shown.completed || failed < this.#shown.failed) this.#report("S5: progress fell");
    if (total !== undefined && completed + failed > total) this.#report("S5: progress passes the total");
    if (state === "completed" && completed + failed !== total) this.#report("S5: it completed short of the total");
    this.#shown = { completed, failed };
  }

  awaitResult(): void {
    if (this.#isAwaited) return;
    this.#isAwaited = true;
    this.handle.result.then(
      (value) => {
        this.#result = { value };
        if (this.handle.state !== "completed") this.#report(`S7: result resolved, it is ${this.handle.state}`);
      },
      (error: unknown) => {
        this.#result = { error };
        if (this.handle.state === "completed") this.#report("S4: result rejected, it is completed");
      },
    );
  }

  /** Reads it in a loop. `pause`: a slow reader waits for it between two items. */
  async read(drawn: DrawnLoop, pause: () => Promise<void>): Promise<void> {
    const loop: Loop = { drawn, seen: [], isPausing: false, end: undefined };
    this.#loops.push(loop);
    let source: AsyncIterable<Outcome<Value> | Outcome<Value>[] | Value>;
    try {
      const { handle } = this;
      if (drawn.by === "values") source = handle.values();
      else source = drawn.by === "batches" ? handle.batches() : handle[Symbol.asyncIterator]();
    } catch (error) {
      loop.end = "refused";
      if (this.facts.collects) this.#report(`a loop was refused: ${String(error)}`);
      return;
    }
    try {
      for await (const given of source) {
        if (this.#isSilent) this.#report("S7: a loop was given something after the cancel");
        for (const one of Array.isArray(given) ? given : [given]) this.#take(loop, one);
        if (drawn.leaveAfter !== undefined && loop.seen.length >= drawn.leaveAfter) {
          loop.end = "left";
          return;
        }
        if (!drawn.isSlow) continue;
        loop.isPausing = true;
        await pause();
        loop.isPausing = false;
      }
      loop.end = "done";
    } catch (error) {
      loop.end = { error };
    }
  }

  #take(loop: Loop, given: Outcome<Value> | Value): void {
    const { seen, drawn } = loop;
    const index = "item" in given ? given.item.index : given.index;
    if (seen.includes(index)) this.#report(`S1: item ${index} came twice in one loop`);
    if ((this.facts.isOrdered || drawn.by === "values") && index !== seen.length) {
      this.#report(`S12: item ${index} came as number ${seen.length} of an ordered loop`);
    }
    if ("status" in given) {
      const named = given.status === "completed" ? given.value.item.index : given.error.index;
      if (named !== index) this.#report(`item ${index} brought what came of item ${named}`);
      if (given.status === "failed") this.#checkError(given.error);
    }
    seen.push(index);
  }

  /** That an item failed as it was meant to, and not because something else than it reached its handler. */
  #checkError(error: unknown): void {
    const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
    if (code === "TASK_FAILED" && !String(message).includes(MEANT_TO_FAIL))
      this.#report(`it failed: ${String(message)}`);
  }

  /** What has become of it, to be counted. */
  get sightings(): string[] {
    const { state } = this.handle;
    const ended = state === "cancelled" ? ["a job was cancelled"] : [`a job ${state}`];
    const loops = this.#loops.flatMap(({ end }) => (end === "left" || end === "refused" ? [`a loop is ${end}`] : []));
    const thrown = (this.#ends[0]?.error as { code?: unknown } | undefined)?.code === "SOURCE_FAILED";
    return [
      ...ended,
      ...loops,
      ...(this.#hasRetried ? ["an item goes again"] : []),
      ...(thrown ? ["a source throws"] : []),
    ];
  }

  // ——— the end

  /** That it has come to the end that it has to come to. */
  finish(): void {
    const { handle, facts } = this;
    this.look();
    const { state } = handle;
    if (!isEnd(state)) {
      this.#report(`L1: it never settled, it is ${state}`);
      return;
    }
    const [end] = this.#ends;
    if (end === undefined) this.#report("S4: settle never came");
    if (state === "failed") this.#checkError(end?.error);
    if (this.#isAwaited) this.#finishResult(state, end?.error);
    for (const loop of this.#loops) this.#finishLoop(loop, state, end?.error);
    if (state === "cancelled" && facts.signal?.aborted !== true && end?.error === undefined) {
      this.#report("it was cancelled for no reason");
    }
  }

  #finishResult(state: JobState, error: unknown): void {
    const result = this.#result;
    if (result === undefined) this.#report("L1: its result never settled");
    else if ("value" in result !== (state === "completed")) this.#report(`S4: its result does not fit ${state}`);
    else if ("error" in result && result.error !== error) this.#report("S4: result and settle have other errors");
    if (result === undefined || !("value" in result)) return;
    const { values, failures } = result.value;
    const { collects, count } = this.facts;
    if (collects && count >= 0 && values.length !== count) this.#report(`L6: ${values.length} values of ${count}`);
    const failed = new Set(failures.map(({ index }) => index));
    for (const [index, value] of values.entries()) {
      if (value === undefined ? !failed.has(index) : value.item.index !== index) {
        this.#report(`L6: the value of item ${index} is ${JSON.stringify(value)}`);
      }
    }
  }

  #finishLoop({ drawn, seen, end }: Loop, state: JobState, error: unknown): void {
    const what = `a loop by ${drawn.by}`;
    if (end === undefined) this.#report(`L1: ${what} never ended`);
    else if (end === "done") {
      if (state !== "completed") this.#report(`L6: ${what} ended as if it had completed, it is ${state}`);
      const { total, failed } = this.handle.progress;
      const count = this.facts.count >= 0 ? this.facts.count : total;
      if (seen.length !== count) this.#report(`L6: ${what} had ${seen.length} items of ${count}`);
      if (drawn.by === "values" && failed > 0) this.#report(`L6: ${what} has passed over ${failed} failures`);
    } else if (typeof end === "object" && drawn.by !== "values" && end.error !== error) {
      this.#report(`S4: ${what} ended with another error than settle has: ${String(end.error)}`);
    }
  }
}

export function isEnd(state: JobState): boolean {
  return state === "completed" || state === "failed" || state === "cancelled";
}
