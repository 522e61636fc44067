/**
 * The main thread's side of one thread that runs the real runner: batches go out, are taken back, stopped and answered
 * as the engine does it, but as fast as it can be done and whenever the caller likes.
 */
import { once } from "node:events";
import { MessageChannel, type MessagePort, Worker, receiveMessageOnPort } from "node:worker_threads";
import type { TaskReference } from "@threadmill/engine";
import { type ControlBlock, type FromThread, PROTOCOL_VERSION, type ToThread } from "@threadmill/protocol";
import { compiled } from "./compiled.js";
import type { CountingOptions } from "./tasks.js";
import type { ThreadData } from "./thread.js";

/** A batch that its thread has not answered. */
export interface OutBatch {
  readonly number: number;
  readonly cells: Float64Array;
  /** Positions from here on belong to the main thread again. */
  count: number;
  isStopped: boolean;
}

/** The answer to a batch: the first `claimed` positions were run, unless it was stopped: then nobody says. */
export interface BatchAnswer {
  readonly batch: OutBatch;
  readonly claimed: number;
  readonly values: ArrayLike<unknown>;
}

const RECIPE = 1;

type CountingTask = TaskReference<number, number, CountingOptions>;

export class ClaimingThread {
  /** At most two: the one that runs and the one behind it. */
  readonly batches: OutBatch[] = [];
  readonly #control: ControlBlock;
  readonly #row: number;
  readonly #port: MessagePort;
  readonly #worker: Worker;
  #nextBatch = 1;
  #failure: Error | undefined;

  constructor(control: ControlBlock, row: number, task: CountingTask, runs: SharedArrayBuffer) {
    this.#control = control;
    this.#row = row;
    control.open(row, 1);
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const { buffer } = control;
    const workerData: ThreadData = {
      version: PROTOCOL_VERSION,
      port: port2,
      control: buffer,
      row,
      incarnation: 1,
      graceMs: 60_000,
    };
    this.#worker = new Worker(compiled("thread.js"), { workerData, transferList: [port2] });
    this.#worker.on("error", (error: Error) => {
      this.#failure = error;
    });
    this.#post(["introduce", RECIPE, task.url, task.exportName, { runs }]);
  }

  async online(): Promise<void> {
    await once(this.#worker, "online");
  }

  assign(cells: Float64Array): void {
    // As the scheduler numbers them: a batch has the words of its parity to itself.
    const [other] = this.batches;
    const isTaken = other !== undefined && ((other.number ^ this.#nextBatch) & 1) === 0;
    const number = (this.#nextBatch + (isTaken ? 1 : 0)) | 0;
    this.#nextBatch = (number + 1) | 0;
    this.batches.push({ number, cells, count: cells.length, isStopped: false });
    this.#control.assign(this.#row, number, cells.length);
    const column = cells.slice();
    this.#post(["batch", number, RECIPE, "revocation", 0, column.length, column, undefined, 0, 0], [column.buffer]);
  }

  /** Takes back what the thread has not claimed; answers the cells that are the main thread's now. */
  revoke(batch: OutBatch, keep: number, least: number): Float64Array {
    const from = this.#control.revoke(this.#row, batch.number, keep, least);
    const taken = batch.cells.subarray(from, Math.max(batch.count, from));
    batch.count = Math.min(batch.count, from);
    return taken;
  }

  stop(batch: OutBatch): void {
    batch.isStopped = true;
    this.#control.stop(this.#row, batch.number);
  }

  cur(batch: OutBatch): number {
    return this.#control.cur(this.#row, batch.number);
  }

  /** The next answer, if one has come. */
  receive(): BatchAnswer | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    for (;;) {
      const received = receiveMessageOnPort(this.#port);
      if (received === undefined) return undefined;
      const message = received.message as FromThread;
      if (message[0] === "described") continue;
      if (message[0] !== "done") throw new Error(`a thread says ${JSON.stringify(message)}`);
      const [, number, claimed, values, failures] = message;
      const at = this.batches.findIndex((batch) => batch.number === number);
      const [batch] = at === -1 ? [] : this.batches.splice(at, 1);
      if (batch === undefined) throw new Error(`an answer to batch ${number}, which is not out`);
      if (failures !== undefined) throw new Error(`items failed: ${JSON.stringify(failures.slice(0, 3))}`);
      return { batch, claimed, values: values as ArrayLike<unknown> };
    }
  }

  async end(): Promise<void> {
    this.#port.close();
    await this.#worker.terminate();
  }

  #post(message: ToThread, transfer: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}
