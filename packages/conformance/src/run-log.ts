/**
 * What handlers did, as they saw it: an append-only list in shared memory that survives the threads which wrote it. Its
 * length, taken on the main thread beside each thing that a caller saw, tells what had been run by then.
 */
import { threadId } from "node:worker_threads";

/** What a handler says of one run of an item. */
export const phases = ["begun", "completed", "failed", "dying", "spoilt", "sticking"] as const;
export type Phase = (typeof phases)[number];

export interface RunRecord {
  /** Which call of `run` brought the item. */
  readonly work: number;
  readonly index: number;
  readonly attempt: number;
  /**
   * `dying`: the item is about to end its thread; `spoilt`: its batch handler is about to throw, and the parts of the
   * batch go again for free; `sticking`: the item is about to hold its thread for ever.
   */
  readonly phase: Phase;
  readonly thread: number;
}

const FIELDS = 5;
const HEADER = 1;
const CAPACITY = 1 << 16;

export class RunLog {
  readonly shared: SharedArrayBuffer;
  readonly #words: Int32Array;

  /** A new one, with room for so many records, or the one that lies in this memory. */
  constructor(init: number | SharedArrayBuffer = CAPACITY) {
    const bytes = (capacity: number): number => (HEADER + capacity * FIELDS) * Int32Array.BYTES_PER_ELEMENT;
    this.shared = typeof init === "number" ? new SharedArrayBuffer(bytes(init)) : init;
    this.#words = new Int32Array(this.shared);
  }

  /** The phase is written last: a record whose thread died over it has none, and is left out. */
  add(work: number, index: number, attempt: number, phase: Phase): void {
    const at = Atomics.add(this.#words, 0, 1);
    const base = HEADER + at * FIELDS;
    if (base + FIELDS > this.#words.length) throw new RangeError("the run log is full");
    this.#words.set([work, index, attempt, threadId], base);
    Atomics.store(this.#words, base + FIELDS - 1, phases.indexOf(phase) + 1);
  }

  get length(): number {
    return Atomics.load(this.#words, 0);
  }

  /** How often the item has ended its thread. */
  deaths(work: number, index: number): number {
    return this.records.filter((one) => one?.phase === "dying" && one.work === work && one.index === index).length;
  }

  /** At its place each record, or undefined where a thread died while it wrote. */
  get records(): (RunRecord | undefined)[] {
    return Array.from({ length: this.length }, (_, at) => {
      const base = HEADER + at * FIELDS;
      const phase = phases[Atomics.load(this.#words, base + FIELDS - 1) - 1];
      const [work = 0, index = 0, attempt = 0, thread = 0] = this.#words.subarray(base, base + FIELDS - 1);
      return phase === undefined ? undefined : { work, index, attempt, phase, thread };
    });
  }
}
