/** One life of a slot: its thread, its row in shared memory, and the batches that were sent there. */
import type { MessagePort } from "node:worker_threads";
import { type ControlBlock, type ErrorRecord, type ToThread, packColumn, toErrorRecord } from "@threadmill/protocol";
import type { Job } from "./jobs/job.js";
import type { Recipe } from "./recipes.js";
import type { Thread } from "./runners/runner.js";
import { type Batch, attemptsOf } from "./scheduler/index.js";

/** A batch that is on its way or in its thread, with what the scheduler does not know of it. */
export interface SentBatch {
  readonly batch: Batch;
  readonly job: Job;
  /** Items that it held when it was sent; some may have been taken back since. */
  readonly sent: number;
  readonly sentAt: number;
  /** How long the main thread needed to send it. */
  sendMs: number;
  /** Empty where they lie in shared columns. */
  readonly items: readonly unknown[];
  readonly attempts: readonly number[] | undefined;
}

/** An item that cannot be sent. */
export interface Culprit {
  readonly position: number;
  readonly record: ErrorRecord;
}

export class ThreadLink {
  readonly slot: number;
  readonly incarnation: number;
  readonly row: number;
  readonly batches = new Map<number, SentBatch>();
  thread: Thread | undefined;
  /** Runs while the port is closed and the thread has not ended. */
  deafTimer: NodeJS.Timeout | undefined;
  /** Resolves when the thread has started, or could not be. */
  readonly opened: Promise<void>;
  onOpened: () => void = () => undefined;
  hasOpened = false;
  /** What was out when the thread was asked what it holds; undefined while it has nothing to answer. */
  #asked: readonly number[] | undefined;
  /** Another message could not be read since: there is more to ask. */
  #mustAskAgain = false;
  /** The recipes that the thread was given, least recently used first. */
  readonly #known = new Map<number, Recipe>();
  readonly #keepWarm: number;
  readonly #control: ControlBlock;

  constructor(init: { slot: number; incarnation: number; row: number; keepWarm: number; control: ControlBlock }) {
    this.slot = init.slot;
    this.incarnation = init.incarnation;
    this.row = init.row;
    this.#keepWarm = init.keepWarm;
    this.#control = init.control;
    this.opened = new Promise((resolve) => {
      this.onOpened = () => {
        this.hasOpened = true;
        resolve();
      };
    });
  }

  /** Sends a batch. If nothing was sent: answers the items that cannot travel, none if there are no items to be had. */
  send(batch: Batch, job: Job): Culprit[] | undefined {
    const sentAt = performance.now();
    const { number, indices, count } = batch;
    const { columns } = job;
    const items = count > 0 && columns === undefined ? job.source.take(indices, count) : [];
    const attempts = attemptsOf(batch);
    const entry: SentBatch = { batch, job, sent: count, sentAt, sendMs: 0, items, attempts };
    this.batches.set(number, entry);
    if (job.source.fault !== undefined) return [];
    this.#introduce(job.recipe);
    // Before the post, which orders it for the thread.
    this.#control.assign(this.row, number, count);
    const { concurrency, timeoutMs } = batch.job.rules;
    try {
      const column = columns ?? packColumn(items);
      this.#post(["batch", number, job.recipe.id, job.id, indices, count, column, attempts, concurrency, timeoutMs]);
      entry.sendMs = performance.now() - sentAt;
      return undefined;
    } catch (error) {
      const culprits = items.flatMap((item, position) => {
        const record = cloneFault(item);
        return record === undefined ? [] : [{ position, record }];
      });
      // Each can travel alone, yet not all together: then none can.
      return culprits.length > 0 ? culprits : items.map((_, position) => ({ position, record: toErrorRecord(error) }));
    }
  }

  #introduce(recipe: Recipe): void {
    const isKnown = this.#known.delete(recipe.id);
    this.#known.set(recipe.id, recipe);
    if (!isKnown) this.#post(["introduce", recipe.id, recipe.url, recipe.exportName, recipe.options]);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= this.#keepWarm) return;
      // A thread that has forgotten what it still loads would never say what kind of task that is.
      if (this.#isInUse(oldest)) continue;
      this.#known.delete(oldest);
      this.#post(["forget", oldest]);
    }
  }

  #isInUse(recipe: number): boolean {
    for (const { job } of this.batches.values()) if (job.recipe.id === recipe) return true;
    return false;
  }

  /** Some message could not be read, here or there: asks the thread which batches it holds. */
  ask(): void {
    // One question at a time: a thread that answers with nonsense must not be asked, and answer, for ever.
    if (this.#asked !== undefined) {
      this.#mustAskAgain = true;
      return;
    }
    this.#asked = [...this.batches.keys()];
    this.#post(["which"]);
  }

  /** The recipe with this number, if the thread has been given it, and still has it. */
  recipe(id: number): Recipe | undefined {
    return this.#known.get(id);
  }

  /** Batches that were out when the thread was asked, that it does not hold, and that it has not answered. */
  missing(held: readonly number[]): SentBatch[] {
    const lost = (this.#asked ?? []).filter((number) => !held.includes(number));
    this.#asked = undefined;
    if (this.#mustAskAgain) {
      this.#mustAskAgain = false;
      this.ask();
    }
    return lost.map((number) => this.batches.get(number)).filter((sent) => sent !== undefined);
  }

  /** Asks the thread to tear down what it has set up. */
  close(): void {
    this.#post(["close"]);
  }

  #post(message: ToThread): void {
    // Batches are assigned only to threads that have said that they are ready.
    const port = this.thread?.port as MessagePort;
    port.postMessage(message);
  }
}

function cloneFault(item: unknown): ErrorRecord | undefined {
  try {
    structuredClone(item);
    return undefined;
  } catch (error) {
    const cause = toErrorRecord(error);
    const message = `the item cannot travel to a thread: ${cause.message}`;
    return { name: "NotCloneableError", message, cause, final: true };
  }
}
