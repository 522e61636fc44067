/** Watches handles as a caller would, and writes down what it sees. */
import type { Engine, JobHandle, JobState, Outcome, TaskError } from "@threadmill/engine";
import type { Proof } from "./fixtures/logged.js";
import { type Admission, type Entry, type History, type Pending, type Rules, type Seen, isSettled } from "./history.js";
import type { RunLog } from "./run-log.js";

export type Handle = JobHandle<Proof, Proof | undefined>;

/** How a loop reads. `leaveAfter`: it breaks after so many. */
export interface Reading {
  readonly by: "outcomes" | "batches" | "values";
  readonly ordered: boolean;
  readonly leaveAfter?: number;
  /** It lets the event loop turn before it asks for more, so that outcomes wait for it. */
  readonly isSlow?: boolean;
  /** It cancels after so many, with the last one in its hands, and reads on. */
  readonly cancelAfter?: number;
}

export class Recorder {
  readonly log: RunLog;
  readonly #entries: Entry[] = [];
  readonly #names = new Map<Handle, string>();
  readonly #pending = new Map<Pending, Promise<void>>();
  #loops = 0;

  constructor(log: RunLog) {
    this.log = log;
  }

  get history(): History {
    return { entries: this.#entries, runs: this.log.records };
  }

  get handles(): Handle[] {
    return [...this.#names.keys()];
  }

  add(seen: Seen): void {
    this.#entries.push({ ...seen, log: this.log.length });
  }

  /** Writes down what becomes of the engine's threads. */
  watch(engine: Engine): void {
    engine.on("thread", ({ type }) => {
      if (type === "stuck" || type === "lost") this.add({ type: "gone", how: type });
    });
  }

  // ——— handles

  /** Follows a handle that `run` or `job` has just answered. One that is known already is not followed twice. */
  follow(handle: Handle, work: number, how: Admission, rules: Rules): void {
    if (this.#names.has(handle)) return;
    const name = `h${this.#names.size + 1}`;
    this.#names.set(handle, name);
    this.add({ type: "run", handle: name, job: handle.id, work, how, rules });
    handle.on("start", () => this.add({ type: "heard", handle: name, event: "start" }));
    handle.on("batch", () => this.add({ type: "heard", handle: name, event: "batch" }));
    handle.on("detail", () => this.add({ type: "heard", handle: name, event: "detail" }));
    handle.on("retry", ({ index, attempt }) =>
      this.add({ type: "heard", handle: name, event: "retry", index, attempt }),
    );
    handle.on("progress", ({ completed, failed, total }) =>
      this.add({ type: "progress", handle: name, via: "event", state: handle.state, completed, failed, total }),
    );
    this.expect(name, "its settle event", async () => {
      await new Promise<void>((resolve) =>
        handle.on("settle", ({ state, error }) => {
          this.add({ type: "settle", handle: name, state, ...codeOf(error) });
          resolve();
        }),
      );
    });
    this.expect(name, "its result", async () => {
      try {
        const { values, failures } = await handle.result;
        const indices = new Set(failures.map(({ index }) => index));
        const wrong = values.flatMap((value, index) => (index === value?.index || indices.has(index) ? [] : [index]));
        const works = [...new Set(values.flatMap((value) => (value === undefined ? [] : [value.work])))];
        const state = "resolved";
        this.add({ type: "result", handle: name, state, values: values.length, failures: [...indices], wrong, works });
      } catch (error) {
        this.add({ type: "result", handle: name, state: "rejected", ...codeOf(error) });
      }
    });
    this.expect(name, "stopped", async () => {
      // A client that has left its engine does not hear of it.
      if (
        await handle.stopped.then(
          () => true,
          () => false,
        )
      )
        this.add({ type: "stopped", handle: name });
    });
  }

  /** Opens a loop now, and reads it to its end. */
  read(handle: Handle, reading: Reading, cancel: (loop: number) => void = () => undefined): void {
    const name = this.#nameOf(handle);
    const loop = ++this.#loops;
    const iterator = open(handle, reading);
    const ordered = reading.ordered || reading.by === "values";
    this.add({ type: "loop", handle: name, loop, ordered });
    this.expect(name, `the end of loop ${loop}`, async () => {
      let read = 0;
      let turn = 0;
      let { cancelAfter = Infinity } = reading;
      // Not in the tick of the call: a cancel in the same tick would come before what is read, and be seen after it.
      await Promise.resolve();
      try {
        for await (const outcomes of iterator) {
          turn++;
          for (const outcome of outcomes) this.#deliver(name, loop, turn, outcome);
          read += outcomes.length;
          if (read >= cancelAfter) {
            cancelAfter = Infinity;
            cancel(loop);
          }
          if (reading.isSlow === true) await new Promise((resolve) => setImmediate(resolve));
          if (read >= (reading.leaveAfter ?? Infinity)) {
            this.add({ type: "loop-end", handle: name, loop, how: "left" });
            return;
          }
        }
        this.add({ type: "loop-end", handle: name, loop, how: "done" });
      } catch {
        this.add({ type: "loop-end", handle: name, loop, how: "thrown" });
      }
    });
  }

  #deliver(handle: string, loop: number, turn: number, outcome: Outcome<Proof>): void {
    const { index, status, attempt } = outcome;
    const about = { type: "outcome", handle, loop, index, status, attempt, turn } as const;
    // The proof alone: a value may hold much more beside it.
    if (outcome.status === "completed") this.add({ ...about, proof: proofOf(outcome.value) });
    else this.add({ ...about, code: outcome.error.code });
  }

  snapshot(handle: Handle): void {
    const { completed, failed, total } = handle.progress;
    const { state } = handle;
    this.add({ type: "progress", handle: this.#nameOf(handle), via: "snapshot", state, completed, failed, total });
  }

  // ——— what is done to them

  /** Cancels, and looks at once at every handle that this concerns. */
  cancel(
    by: Extract<Seen, { type: "cancel" }>["by"],
    concerned: readonly Handle[],
    action: () => void,
    loop?: number,
  ): void {
    const before = concerned.map((handle) => [handle, handle.state] as const);
    action();
    const doer = loop === undefined ? {} : { loop };
    for (const [handle, state] of before) {
      this.add({ type: "cancel", handle: this.#nameOf(handle), by, before: state, after: handle.state, ...doer });
    }
  }

  /** Handles on the same live work. */
  liveOf(id: string): Handle[] {
    return this.handles.filter((handle) => handle.id === id && !isSettled(handle.state));
  }

  /** A call of `run` threw this; undefined if it should have. `before`: what {@link showEngine} said before it. */
  refused(engine: Engine, call: { job: string; work: number; before: string; error: unknown }): void {
    const { job, work, before, error } = call;
    const code = codeOf(error).code ?? "none";
    this.add({ type: "refused", job, work, code, before, after: this.showEngine(engine) });
  }

  /** What a refused call must not change. */
  showEngine(engine: Engine): string {
    const { jobs, threadsStarted } = engine.stats();
    const states = engine.jobs().map((job): [string, JobState] => [job.id, job.state]);
    const { entries, bytes } = engine.results.stats;
    return JSON.stringify({ states, jobs, threadsStarted, entries, bytes });
  }

  /** Waits for all that handles have promised, but not beyond `patience`; then says what is left over. */
  async rest(engine: Engine, patience: Promise<unknown>): Promise<void> {
    let isOver = false;
    const giveUp = patience.then(() => (isOver = true));
    while (this.#pending.size > 0 && !isOver) await Promise.race([Promise.all(this.#pending.values()), giveUp]);
    for (const handle of this.handles) this.snapshot(handle);
    this.add({ type: "rest", live: engine.jobs().map(({ id }) => id), pending: [...this.#pending.keys()] });
  }

  /** Something that must come to an end. */
  expect(handle: string | undefined, what: string, body: () => Promise<void>): void {
    const pending = { handle, what };
    this.#pending.set(
      pending,
      body().finally(() => this.#pending.delete(pending)),
    );
  }

  #nameOf(handle: Handle): string {
    const name = this.#names.get(handle);
    if (name === undefined) throw new Error(`the recorder does not follow this handle of ${handle.id}`);
    return name;
  }
}

/** Every kind of loop, as one of arrays of outcomes. */
function open(handle: Handle, { by }: Reading): AsyncIterable<readonly Outcome<Proof>[]> {
  switch (by) {
    case "batches":
      return handle.batches();
    case "outcomes":
      return inArrays(handle[Symbol.asyncIterator](), (outcome) => outcome);
    case "values": {
      let index = 0;
      return inArrays(handle.values(), (value) => ({
        index: index++,
        status: "completed",
        value,
        attempt: value.attempt,
      }));
    }
    default:
      return by satisfies never;
  }
}

/** As a generator would, but opened at once: a job that does not collect must have its loop in the tick of `run`. */
function inArrays<Item>(
  iterator: AsyncIterator<Item>,
  convert: (item: Item) => Outcome<Proof>,
): AsyncIterable<readonly Outcome<Proof>[]> {
  return {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        const next = await iterator.next();
        return next.done === true ? { done: true, value: undefined } : { done: false, value: [convert(next.value)] };
      },
      return: async () => {
        await iterator.return?.();
        return { done: true, value: undefined };
      },
    }),
  };
}

function proofOf({ work, index, attempt }: Proof): Proof {
  return { work, index, attempt };
}

function codeOf(error: unknown): { code?: string } {
  if (error === undefined) return {};
  const { code, name } = Object(error) as Partial<TaskError>;
  return { code: typeof code === "string" ? code : (name ?? String(error)) };
}
