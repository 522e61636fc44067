/**
 * A runner in the test's own thread: the real one, behind a real port, with a real control block. The test plays the
 * main thread, and reads what the runner answers.
 */
import { MessageChannel, type MessagePort } from "node:worker_threads";
import {
  type BatchIndices,
  type Column,
  ControlBlock,
  type FromThread,
  PROTOCOL_VERSION,
  type SharedColumns,
  type ThreadSetup,
  type ToThread,
  packColumn,
} from "@threadmill/protocol";
import { startRunner } from "../../src/runner/index.js";

export type Message<Type extends FromThread[0]> = Extract<FromThread, readonly [Type, ...unknown[]]>;

/** An answer whose values do not lie in shared columns. */
export type DoneWithValues = Message<"done"> & { readonly 3: Column };

function hasValues(answer: FromThread): answer is DoneWithValues {
  return answer[0] === "done" && answer[3] !== undefined;
}

export interface SentBatch {
  readonly jobId?: string;
  readonly indices?: BatchIndices;
  readonly attempts?: readonly number[];
  readonly concurrency?: number;
  readonly timeoutMs?: number;
}

export class ThreadAtHand implements AsyncDisposable {
  static readonly row = 0;
  readonly control = new ControlBlock(1);
  /** Everything that the runner has said, in order. */
  readonly said: FromThread[] = [];
  readonly #port: MessagePort;
  readonly #waiters = new Set<() => void>();
  #nextBatch = 1;
  #nextRecipe = 1;
  #isClosed = false;

  constructor(options: { graceMs?: number; now?: () => number } = {}) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.control.open(ThreadAtHand.row, 1);
    const setup: ThreadSetup<MessagePort> = {
      version: PROTOCOL_VERSION,
      port: port2,
      control: this.control.buffer,
      row: ThreadAtHand.row,
      incarnation: 1,
      graceMs: options.graceMs ?? 1_000,
    };
    startRunner(setup, { isOwnThread: false, ...(options.now === undefined ? {} : { now: options.now }) });
    port1.on("message", (message: FromThread) => {
      this.said.push(message);
      for (const wake of [...this.#waiters]) wake();
    });
  }

  send(message: ToThread): void {
    this.#port.postMessage(message);
  }

  /** Names a task of the fixtures; answers its recipe. */
  introduce(exportName: string, options?: unknown, file = "tasks.mjs"): number {
    const recipe = this.#nextRecipe++;
    this.send(["introduce", recipe, new URL(`fixtures/${file}`, import.meta.url).href, exportName, options]);
    return recipe;
  }

  /** Sends a batch; answers its number. `items` may be packed already. */
  batch(recipe: number, items: Column, sent: SentBatch = {}): number {
    const number = this.#nextBatch++;
    return this.#send(number, recipe, items.length, items, sent);
  }

  /** A batch of `count` elements of shared columns. */
  columns(recipe: number, columns: SharedColumns, count: number, sent: SentBatch = {}): number {
    return this.#send(this.#nextBatch++, recipe, count, columns, sent);
  }

  #send(number: number, recipe: number, count: number, items: Column | SharedColumns, sent: SentBatch): number {
    this.control.assign(ThreadAtHand.row, number, count);
    const { jobId = "job", indices = 0, attempts, concurrency = 0, timeoutMs = 0 } = sent;
    this.send(["batch", number, recipe, jobId, indices, count, items, attempts, concurrency, timeoutMs]);
    return number;
  }

  /** As the main thread sends it: many numbers travel as one block. */
  packed(recipe: number, items: readonly unknown[], sent?: SentBatch): number {
    return this.batch(recipe, packColumn(items), sent);
  }

  /** The first message of this type that has not been passed over; waits for it. */
  async hears<Type extends FromThread[0]>(
    type: Type,
    matches: (message: Message<Type>) => boolean = () => true,
  ): Promise<Message<Type>> {
    for (;;) {
      const found = this.said.find((message) => message[0] === type && matches(message as Message<Type>));
      if (found !== undefined) return found as Message<Type>;
      await this.#nextMessage();
    }
  }

  /** The answer to this batch, whichever it is. */
  async answer(batch: number): Promise<Message<"done"> | Message<"spoilt"> | Message<"broken">> {
    for (;;) {
      for (const message of this.said) {
        if ((message[0] === "done" || message[0] === "spoilt" || message[0] === "broken") && message[1] === batch) {
          return message;
        }
      }
      await this.#nextMessage();
    }
  }

  /** The answer to this batch, which is to bring values. */
  async done(batch: number): Promise<DoneWithValues> {
    const answer = await this.answer(batch);
    if (!hasValues(answer)) throw new Error(`batch ${batch} was answered by ${JSON.stringify(answer)}`);
    return answer;
  }

  #nextMessage(): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiters.delete(wake);
        resolve();
      };
      this.#waiters.add(wake);
    });
  }

  stop(batch: number): void {
    this.control.stop(ThreadAtHand.row, batch);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.send(["close"]);
    await this.hears("closed");
    this.#port.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
