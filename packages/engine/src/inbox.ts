/**
 * What threads say, as events for the scheduler. Nothing that comes from a thread is trusted: a message without form, or
 * that fits no batch, is dropped and counted, and the thread is asked what it holds, so that no batch waits for an
 * answer that was dropped.
 */
import {
  type Column,
  type DoneMessage,
  type ErrorRecord,
  type PositionFailure,
  assertNever,
  readFromThread,
} from "@threadmill/protocol";
import type { BrokenTask } from "./jobs/failures.js";
import type { Job } from "./jobs/job.js";
import type { PositionFault, SchedulerEvent } from "./scheduler/index.js";
import type { SentBatch, ThreadLink } from "./thread-link.js";
import type { Threads } from "./threads.js";

/** What an answer brings beside its event: the effects of the event need it. */
export interface Answer {
  readonly sent: SentBatch;
  readonly done: DoneMessage;
  readonly broken?: BrokenTask;
}

type Failures = readonly PositionFailure[] | undefined;

/** Where the inbox puts what it has understood. */
export interface InboxOutlet {
  dispatch(event: SchedulerEvent, answer?: Answer): void;
  onBatch(job: Job, batch: { items: number; elapsedMs: number; slot: number }): void;
  onDetail(job: Job, detail: unknown): void;
}

export class Inbox {
  readonly counts = { batches: 0, droppedMessages: 0 };
  readonly #outlet: InboxOutlet;

  constructor(outlet: InboxOutlet) {
    this.#outlet = outlet;
  }

  take(threads: Threads, link: ThreadLink, received: unknown): void {
    const message = readFromThread(received);
    if (message?.[0] === "closed") {
      if (!threads.isEnded) this.counts.droppedMessages++;
      return;
    }
    if (threads.isStray(link)) {
      this.counts.droppedMessages++;
      // It has come back: whatever it says comes too late, but it can be ended now.
      if (message !== undefined && message[0] !== "detail") threads.terminateStrays();
      return;
    }
    if (message === undefined) {
      this.#refuse(link);
      return;
    }
    const { slot, incarnation } = link;
    switch (message[0]) {
      case "described": {
        const [, id, kind, concurrency, maxBatchItems, output] = message;
        const recipe = link.recipe(id);
        if (recipe === undefined) {
          this.#refuse(link);
          break;
        }
        if (output !== undefined) recipe.output = output;
        this.#outlet.dispatch({ type: "described", recipe: id, kind, concurrency, maxBatchItems });
        break;
      }
      case "detail": {
        const sent = link.batches.get(message[1]);
        if (sent === undefined) this.counts.droppedMessages++;
        if (sent === undefined || sent.job.isSettled) break;
        sent.job.detail = message[2];
        this.#outlet.onDetail(sent.job, message[2]);
        break;
      }
      case "done": {
        const [, batch, claimed, values, failures] = message;
        if (!isPossible(link.batches.get(batch), claimed, values)) {
          this.#refuse(link);
          break;
        }
        const sent = this.#answered(link, batch);
        if (sent === undefined) break;
        const [elapsedMs, writeMs] = credible(sent, message[5], message[6]);
        this.#account(sent, elapsedMs, link.slot);
        for (const [position] of failures ?? []) giveBack(sent, position, position + 1);
        giveBack(sent, claimed, sent.batch.count);
        if (sent.job.memo !== undefined) this.#remember(sent, claimed, values, failures);
        const faults = failures?.map(faultOf);
        const mainMs = sent.sendMs + writeMs;
        this.#outlet.dispatch(
          { type: "done", slot, incarnation, batch, claimed, faults, elapsedMs, mainMs, luck: Math.random() },
          { sent, done: message },
        );
        break;
      }
      case "spoilt": {
        const [, batch, code, record] = message;
        const sent = this.#answered(link, batch);
        if (sent === undefined) break;
        const [elapsedMs] = credible(sent, message[4], 0);
        this.#account(sent, elapsedMs, link.slot);
        giveBack(sent, 0, sent.batch.count);
        const isFinal = record.final === true;
        // If it stands alone already, it is an item that failed.
        const done: DoneMessage = ["done", batch, 1, [undefined], [[0, code, record]], elapsedMs, 0];
        this.#outlet.dispatch(
          { type: "spoilt", slot, incarnation, batch, code, isFinal, elapsedMs, luck: Math.random() },
          { sent, done },
        );
        break;
      }
      case "broken": {
        const [, batch, code, record] = message;
        const sent = this.#answered(link, batch);
        if (sent === undefined) break;
        const done: DoneMessage = ["done", batch, 0, [], undefined, 0, 0];
        this.#outlet.dispatch({ type: "broken", slot, incarnation, batch }, { sent, done, broken: { code, record } });
        break;
      }
      case "unreadable":
        link.ask();
        break;
      case "held":
        for (const sent of link.missing(message[1])) this.#onUnreadable(link, sent);
        break;
      default:
        assertNever(message);
    }
  }

  /** The batch or its answer was lost on the way: halves of it may travel, and in the end one item is to blame. */
  #onUnreadable(link: ThreadLink, sent: SentBatch): void {
    const { number } = sent.batch;
    this.#answered(link, number);
    giveBack(sent, 0, sent.batch.count);
    const message = "the item or its result cannot be read on the other side: it nests too deep";
    const record: ErrorRecord = { name: "NotCloneableError", message, final: true };
    const { slot, incarnation } = link;
    this.#outlet.dispatch(
      {
        type: "spoilt",
        slot,
        incarnation,
        batch: number,
        code: "NOT_CLONEABLE",
        isFinal: true,
        elapsedMs: 0,
        luck: 0,
      },
      { sent, done: ["done", number, 1, [undefined], [[0, "NOT_CLONEABLE", record]], 0, 0] },
    );
  }

  /**
   * Puts values into the store of the job's cache: just before they are committed, since the store is the caller's code, and
   * must not be called within a step; and since a job whose store throws has to fail, even with its last answer.
   */
  #remember({ job, batch }: SentBatch, claimed: number, values: Column | undefined, failures: Failures): void {
    if (job.isSettled || values === undefined) return;
    try {
      job.memo?.store(batch.indices, Math.min(claimed, batch.count), values, failures);
    } catch (error) {
      job.sourceError = error;
      this.#outlet.dispatch({ type: "source-failed", job: job.key });
    }
  }

  /** What cannot be made sense of may have been an answer. */
  #refuse(link: ThreadLink): void {
    this.counts.droppedMessages++;
    link.ask();
  }

  /** The batch that an answer is for. Anything may call itself an answer: what matches no batch is dropped. */
  #answered(link: ThreadLink, batch: number): SentBatch | undefined {
    const sent = link.batches.get(batch);
    if (sent === undefined) this.counts.droppedMessages++;
    else link.batches.delete(batch);
    return sent;
  }

  #account({ job, batch }: SentBatch, elapsedMs: number, slot: number): void {
    this.counts.batches++;
    if (job.isSettled) return;
    job.batches++;
    job.threadMs += elapsedMs;
    this.#outlet.onBatch(job, { items: batch.count, elapsedMs, slot });
  }
}

/** Whether this can be the answer to the batch. */
function isPossible(sent: SentBatch | undefined, claimed: number, values: Column | undefined): boolean {
  if (sent === undefined) return true;
  return claimed <= sent.sent && (claimed === 0 || (values === undefined) === (sent.job.columns !== undefined));
}

/** Times as the thread has told them: it may say what it likes, but not that they are longer than the batch was out. */
function credible({ sentAt }: SentBatch, elapsedMs: number, writeMs: number): [elapsedMs: number, writeMs: number] {
  const most = performance.now() - sentAt;
  return [Math.min(elapsedMs, most), Math.min(writeMs, most)];
}

/** Puts positions of a batch back into their source, from where they may be asked for again. */
export function giveBack({ job, batch, items }: SentBatch, from: number, to: number): void {
  if (!job.isSettled) job.source.giveBack(batch.indices, items, from, to);
}

export function faultOf([position, code, record]: PositionFailure): PositionFault {
  return { position, code, isFinal: record?.final === true };
}
