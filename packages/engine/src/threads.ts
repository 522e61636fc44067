/**
 * The threads behind the slots: started, watched, set aside, ended. A slot has one at a time; those that were set
 * aside live on beside it until they can be ended.
 */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { ControlBlock, PROTOCOL_VERSION, readFromThread } from "@threadmill/protocol";
import type { Runner, Thread } from "./runners/runner.js";
import type { Batch, Cursors, Slot } from "./scheduler/index.js";
import { type SentBatch, ThreadLink } from "./thread-link.js";

export interface ThreadEvent {
  /**
   * `stuck`: set aside, and another one takes its place. `capacity-lost`: stuck, with too many aside already.
   * `returned`: one that was set aside is gone.
   */
  readonly type: "ready" | "failed" | "lost" | "stuck" | "capacity-lost" | "returned";
  readonly slot: number;
  readonly cause?: unknown;
}

/** What the owner of the threads is told. */
export interface ThreadsListener {
  /** Anything may have sent it: a task can reach into its thread. */
  onMessage(link: ThreadLink, message: unknown): void;
  onReady(link: ThreadLink): void;
  onFailed(link: ThreadLink): void;
  /** The thread is gone; what it has said before comes now, then `onAllSaid`, and then `onLost`. */
  onEnding(link: ThreadLink): void;
  /** Nothing of what it has said may wait any longer: its batches are let go. */
  onAllSaid(): void;
  onLost(link: ThreadLink): void;
  onStrayEnded(): void;
  /** The thread will not answer for this batch any more. */
  onLetGo(sent: SentBatch): void;
  onEvent(event: ThreadEvent): void;
}

/** How long threads may take to end. */
export interface EndBounds {
  readonly teardownMs: number;
  /** Resolves if the teardown must end before. */
  readonly teardownOver: Promise<void>;
  /** Resolves if what is not gone by then is to be left. */
  readonly endOver: Promise<void>;
}

export class Threads {
  readonly control: ControlBlock;
  /** Why the last thread died or could not be started. */
  fault: unknown;
  readonly counts = { threadsStarted: 0, threadsLost: 0, threadsStuck: 0 };
  readonly #runner: Runner;
  readonly #listener: ThreadsListener;
  readonly #options: { readonly keepWarm: number; readonly graceMs: number };
  readonly #links: (ThreadLink | undefined)[] = [];
  readonly #strays = new Set<ThreadLink>();
  readonly #freeRows: number[];
  #isHeld = false;
  #isEnded = false;
  /** Teardown is over: a thread that starts now is ended at once. */
  #isOver = false;

  constructor(
    runner: Runner,
    options: { readonly keepWarm: number; readonly graceMs: number },
    listener: ThreadsListener,
  ) {
    this.#runner = runner;
    this.#options = options;
    this.#listener = listener;
    // A row for each slot, and for each thread that may be set aside.
    const rows = 2 * runner.threads;
    this.control = new ControlBlock(rows);
    this.#freeRows = Array.from({ length: rows }, (_, row) => row).toReversed();
  }

  /** The thread of a slot that has been started. */
  at(slot: number): ThreadLink {
    return this.#links[slot] as ThreadLink;
  }

  /** Whether the threads are being ended, or have been. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  isStray(link: ThreadLink): boolean {
    return this.#strays.has(link);
  }

  start(slot: number, incarnation: number): void {
    if (this.#isEnded) return;
    const row = this.#freeRows.pop() as number;
    const { keepWarm, graceMs } = this.#options;
    const { control } = this;
    const link = new ThreadLink({ slot, incarnation, row, keepWarm, control });
    this.#links[slot] = link;
    control.open(row, incarnation);
    this.counts.threadsStarted++;
    this.#runner.start(
      slot,
      { version: PROTOCOL_VERSION, control: control.buffer, row, incarnation, graceMs },
      {
        onReady: (thread) => this.#onReady(link, thread),
        onFailed: (cause) => this.#onFailed(link, cause),
        onLost: (cause) => this.#onLost(link, cause),
      },
    );
  }

  /** Whether live jobs keep the process alive. */
  hold(isHeld: boolean): void {
    if (this.#isHeld === isHeld) return;
    this.#isHeld = isHeld;
    for (const link of this.#links) link?.thread?.hold(isHeld);
  }

  /** The last claims in the slot's batches, as its thread has left them. */
  cursors({ index, running, behind }: Slot): Cursors {
    const { row } = this.at(index);
    const curOf = (batch: Batch | undefined): number =>
      batch === undefined ? -1 : this.control.cur(row, batch.number);
    return [curOf(running), curOf(behind)];
  }

  setAside(slot: number): void {
    const link = this.at(slot);
    this.counts.threadsStuck++;
    this.#strays.add(link);
    clearTimeout(link.deafTimer);
    link.thread?.setAside();
    link.thread?.hold(false);
    for (const sent of link.batches.values()) {
      // What it has not begun it shall not begin when it comes back.
      this.control.stop(link.row, sent.batch.number);
      this.#listener.onLetGo(sent);
    }
    link.batches.clear();
    this.#listener.onEvent({ type: "stuck", slot });
  }

  /** Ends threads that were set aside, as far as that is safe; the others are left until they come back. */
  terminateStrays(): void {
    for (const link of this.#strays) {
      if (this.#mayTerminate(link)) void link.thread?.terminate().then(() => this.#dropStray(link));
    }
  }

  /**
   * Ends all threads: resources are torn down, idle threads terminated. Answers the slots whose thread had to be left:
   * it was in native code, or could not be ended in time.
   */
  async end({ teardownMs, teardownOver, endOver }: EndBounds): Promise<number[]> {
    this.#isEnded = true;
    let timer: NodeJS.Timeout | undefined;
    const budget = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, teardownMs);
    });
    const over = Promise.race([budget, teardownOver]);
    const links = [...this.#links.filter((link) => link !== undefined), ...this.#strays];
    for (const { deafTimer } of links) clearTimeout(deafTimer);
    await Promise.race([over, Promise.all(links.map((link) => link.opened))]);
    await Promise.all(links.map((link) => this.#tearDown(link, over)));
    clearTimeout(timer);
    this.#isOver = true;
    const areEnded = await Promise.all(links.map((link) => this.#end(link, endOver)));
    return [...new Set(links.filter((_, at) => !areEnded[at]).map(({ slot }) => slot))];
  }

  /** Whether the link's thread is gone. One that is still starting is waited for, to be ended then. */
  async #end(link: ThreadLink, endOver: Promise<void>): Promise<boolean> {
    await Promise.race([link.opened, endOver]);
    const { thread } = link;
    if (thread === undefined) return link.hasOpened;
    if (!this.#mayTerminate(link)) {
      thread.hold(false);
      return false;
    }
    return Promise.race([thread.terminate().then(() => true), endOver.then(() => false)]);
  }

  #onReady(link: ThreadLink, thread: Thread): void {
    link.thread = thread;
    link.onOpened();
    if (this.#isOver) void thread.terminate();
    if (this.#isEnded) return;
    thread.port.on("message", (message: unknown) => this.#listener.onMessage(link, message));
    thread.port.on("messageerror", () => link.ask());
    thread.port.once("close", () => this.#onPortClosed(link));
    thread.hold(this.#isHeld);
    this.#listener.onEvent({ type: "ready", slot: link.slot });
    this.#listener.onReady(link);
  }

  /** A port closes with its thread. If the thread goes on, a task has closed it: nobody there hears us any more. */
  #onPortClosed(link: ThreadLink): void {
    if (this.#isEnded || this.#strays.has(link) || this.#links[link.slot] !== link) return;
    link.deafTimer = setTimeout(() => {
      if (this.#mayTerminate(link)) link.thread?.kill(new Error("the thread has closed its port"));
      else this.#onPortClosed(link);
    }, this.#options.graceMs);
    // The port held the process for live jobs; now the timer does.
    if (!this.#isHeld) link.deafTimer.unref();
  }

  #onFailed(link: ThreadLink, cause: unknown): void {
    this.#freeRows.push(link.row);
    link.onOpened();
    if (this.#isEnded) return;
    this.fault = cause;
    this.#listener.onEvent({ type: "failed", slot: link.slot, cause });
    this.#listener.onFailed(link);
  }

  #onLost(link: ThreadLink, cause: unknown): void {
    if (!this.#isEnded && !this.#strays.has(link)) this.#listener.onEnding(link);
    const port = link.thread?.port as MessagePort;
    for (const message of lastWords(port)) this.#listener.onMessage(link, message);
    this.#listener.onAllSaid();
    port.close();
    clearTimeout(link.deafTimer);
    if (this.#strays.has(link)) {
      this.#dropStray(link);
      return;
    }
    if (this.#isEnded) return;
    this.counts.threadsLost++;
    this.fault = cause;
    this.#freeRows.push(link.row);
    for (const sent of link.batches.values()) this.#listener.onLetGo(sent);
    // Some versions of Node deliver what was under way even now: it matches no batch any more.
    link.batches.clear();
    this.#listener.onEvent({ type: "lost", slot: link.slot, cause });
    this.#listener.onLost(link);
  }

  #dropStray(link: ThreadLink): void {
    if (!this.#strays.delete(link)) return;
    this.#freeRows.push(link.row);
    this.#listener.onEvent({ type: "returned", slot: link.slot });
    if (!this.#isEnded) this.#listener.onStrayEnded();
  }

  /** Never in native code: the word in shared memory is taken, so that the thread cannot go there any more. */
  #mayTerminate({ row, thread }: ThreadLink): boolean {
    return thread?.isOwnThread === false || this.control.condemn(row);
  }

  /** Resolves when the thread has torn down, or the time is over. */
  #tearDown(link: ThreadLink, over: Promise<void>): Promise<void> {
    const { thread } = link;
    if (thread === undefined || this.#strays.has(link)) return Promise.resolve();
    return new Promise((resolve) => {
      thread.hold(true);
      void over.then(resolve);
      thread.port.on("message", (message: unknown) => {
        if (readFromThread(message)?.[0] === "closed") resolve();
      });
      thread.port.once("close", () => resolve());
      link.close();
    });
  }
}

/** What a thread said before it died counts, if it arrived. */
function* lastWords(port: MessagePort): Generator {
  for (;;) {
    let next: { message: unknown } | undefined;
    try {
      next = receiveMessageOnPort(port);
    } catch {
      // It cannot be read, and nobody is left to ask what it was: its batch counts as lost with the thread.
      continue;
    }
    if (next === undefined) return;
    yield next.message;
  }
}
