/** The outcomes that have come to a client's handle, and the loops that read them there. */
import type { NumberColumn, TaskError } from "@threadmill/protocol";
import { type ItemFailure, type OutcomeRun, valuesOf } from "../jobs/outcome.js";
import { type Feed, type FeedEnding, Wakers } from "../jobs/readers.js";
import type { WireRun } from "./messages.js";
import { fromWireReason } from "./reasons.js";

export class OutcomeLog {
  #runs: OutcomeRun[] = [];
  readonly #failures = new Map<number, ItemFailure>();
  readonly #wakers = new Wakers();

  add(run: WireRun): void {
    const read = readRun(run);
    this.#runs.push(read);
    for (const [index, failure] of read.failures ?? []) this.#failures.set(index, failure);
  }

  /** The failure of an item, as a loop gives it. */
  failureOf(index: number): ItemFailure | undefined {
    return this.#failures.get(index);
  }

  /** The output of a columns task; its outcomes may have come already, or are to be read from it. */
  setColumn(column: NumberColumn): void {
    if (this.#runs.length > 0 || column.length === 0) return;
    const count = column.length;
    this.#runs.push({ start: 0, count, values: column, offset: 0, failures: undefined, attempts: undefined });
  }

  wake(): void {
    this.#wakers.wakeAll();
  }

  /** Nobody can read them any more, however long the handle is kept. */
  drop(): void {
    this.#runs = [];
    this.#failures.clear();
  }

  /** From the start, as often as one likes. */
  open(ending: () => FeedEnding): Feed {
    let next = 0;
    return {
      take: () => {
        const run = this.#runs[next];
        if (run !== undefined) next++;
        return run;
      },
      onRead: () => undefined,
      ending,
      wait: (wake) => this.#wakers.add(wake),
      leave: () => undefined,
    };
  }

  /** All values by index, and the failures. The runs are kept as parts of the array that is made of them. */
  result(): { values: unknown[]; failures: ItemFailure[] } {
    const values = valuesOf(this.#runs);
    this.#runs = this.#runs.map((run) => ({ ...run, values, offset: run.start }));
    return { values, failures: [...this.#failures.values()].toSorted((a, b) => a.index - b.index) };
  }
}

export interface OutcomeStreamInit {
  readonly ask: () => Promise<{ readonly runs: readonly WireRun[]; readonly isOver: boolean }>;
  /** The loop was left before its end. */
  readonly onLeft: () => void;
  /** All has been read. */
  readonly onOver: () => void;
  /** What is still to be read cannot be had. */
  readonly onLost: (error: unknown) => void;
}

/** The one loop over a job that does not collect: outcomes are asked for when it has none. */
export class OutcomeStream {
  readonly #init: OutcomeStreamInit;
  #queue: OutcomeRun[] = [];
  readonly #wakers = new Wakers();
  #isAsking = false;
  #isOver = false;
  /** Why the last outcomes cannot be had. */
  #lost: { readonly error: unknown } | undefined;

  constructor(init: OutcomeStreamInit) {
    this.#init = init;
  }

  /** No outcome comes any more, whether or not the job has been said to have ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  wake(): void {
    this.#wakers.wakeAll();
  }

  open(ending: () => FeedEnding): Feed {
    return {
      take: () => this.#queue.shift(),
      onRead: () => undefined,
      ending: () => {
        const end = ending();
        // A cancel holds at once; before any other end comes what the engine still has.
        if (end.status !== "cancelled" && !this.#isOver) return { status: "open" };
        // A job may have completed before its last outcomes were read: a loop without them has not.
        if (end.status === "completed" && this.#lost !== undefined) return { status: "failed", ...this.#lost };
        return end;
      },
      wait: (wake) => {
        this.#wakers.add(wake);
        void this.#fill();
      },
      leave: () => {
        this.#queue = [];
        this.#isOver = true;
        this.#init.onLeft();
      },
    };
  }

  async #fill(): Promise<void> {
    if (this.#isAsking || this.#isOver) return;
    this.#isAsking = true;
    try {
      const { runs, isOver } = await this.#init.ask();
      for (const run of runs) this.#queue.push(readRun(run));
      this.#isOver = isOver;
    } catch (error) {
      // The connection is over, as the handle knows by now, or a value cannot be sent.
      this.#lost = { error };
      this.#isOver = true;
      this.#init.onLost(error);
    }
    this.#isAsking = false;
    this.wake();
    if (this.#isOver) this.#init.onOver();
  }
}

function readRun({ start, values, failures, attempts }: WireRun): OutcomeRun {
  return {
    start,
    count: values.length,
    values,
    offset: 0,
    failures:
      failures === undefined
        ? undefined
        : new Map(
            failures.map(([index, attempt, error]) => [
              index,
              { index, attempt, error: fromWireReason(error) as TaskError },
            ]),
          ),
    attempts: attempts === undefined ? undefined : new Map(attempts),
  };
}
