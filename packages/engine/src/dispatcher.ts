/**
 * The shell around the scheduler: it turns what happens into events, and performs the effects. It decides nothing.
 * Users are called back, and their iterators pulled, only when it is at rest, so that whatever they do starts afresh.
 */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import {
  ControlBlock,
  type DoneMessage,
  type ErrorCode,
  type ErrorRecord,
  type FromThread,
  PROTOCOL_VERSION,
  type PositionFailure,
  assertNever,
  toErrorRecord,
} from "@threadmill/protocol";
import { type Job, taskError } from "./jobs/job.js";
import type { ItemFailure } from "./jobs/outcome.js";
import type { ResolvedEngineOptions } from "./options.js";
import type { Runner, Thread } from "./runners/runner.js";
import {
  type Batch,
  type Effect,
  type JobFault,
  type SchedulerEvent,
  type State,
  createState,
  indexAt,
  lanesOf,
  step,
} from "./scheduler/index.js";
import { type SentBatch, ThreadLink } from "./thread-link.js";

/** What the dispatcher tells the engine. Called when it is at rest, but for `onSettle`, which comes in the same step. */
export interface DispatcherListener {
  onSettle(job: Job, state: "completed" | "failed" | "cancelled", error: unknown): void;
  onStarted(job: Job): void;
  onStopped(job: Job): void;
  onPaused(job: Job): void;
  onBatch(job: Job, batch: { items: number; elapsedMs: number; slot: number }): void;
  onRetry(job: Job, retry: { index: number; attempt: number; delayMs: number }): void;
  onDetail(job: Job, detail: unknown): void;
  onThread(event: ThreadEvent): void;
  onIdle(): void;
}

export interface ThreadEvent {
  readonly type: "ready" | "failed" | "lost" | "stuck" | "capacity-lost" | "returned";
  readonly slot: number;
  readonly cause?: unknown;
}

/** What an answer brings, for the effects of its event. */
type Answer =
  { readonly sent: SentBatch; readonly done: DoneMessage } | { readonly code: ErrorCode; readonly record: ErrorRecord };

export interface DispatcherStats {
  readonly threadsStarted: number;
  readonly threadsLost: number;
  readonly threadsStuck: number;
  readonly batches: number;
  readonly revokedItems: number;
  readonly droppedMessages: number;
}

export class Dispatcher {
  readonly control: ControlBlock;
  readonly state: State;
  readonly #options: ResolvedEngineOptions;
  readonly #runner: Runner;
  readonly #listener: DispatcherListener;
  readonly #jobs = new Map<number, Job>();
  readonly #links: (ThreadLink | undefined)[] = [];
  /** Threads that were set aside and are still alive. */
  readonly #strays = new Set<ThreadLink>();
  readonly #freeRows: number[];
  readonly #queue: { event: SchedulerEvent; answer: Answer | undefined }[] = [];
  readonly #later: (() => void)[] = [];
  #isStepping = false;
  #isHeld = false;
  #isEnded = false;
  #timer: NodeJS.Timeout | undefined;
  #threadFault: unknown;
  readonly #counts = {
    threadsStarted: 0,
    threadsLost: 0,
    threadsStuck: 0,
    batches: 0,
    revokedItems: 0,
    droppedMessages: 0,
  };

  constructor(options: ResolvedEngineOptions, runner: Runner, listener: DispatcherListener) {
    this.#options = options;
    this.#runner = runner;
    this.#listener = listener;
    const { threads } = runner;
    const { batchMs, maxBatchItems, graceMs } = options;
    this.state = createState({ threads, batchMs, maxBatchItems, graceMs });
    // A row for each slot, and for each thread that may be set aside.
    this.control = new ControlBlock(2 * threads);
    this.#freeRows = Array.from({ length: 2 * threads }, (_, row) => row).toReversed();
    for (let slot = 0; slot < threads; slot++) this.#start(slot, 0);
  }

  get stats(): DispatcherStats {
    return { ...this.#counts };
  }

  now(): number {
    return performance.now();
  }

  add(job: Job): void {
    this.#jobs.set(job.key, job);
  }

  /** Lets an event happen, with all that follows from it, before it returns; unless it is called by what follows. */
  dispatch(event: SchedulerEvent, answer?: Answer): void {
    this.#queue.push({ event, answer });
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      const out: Effect[] = [];
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        step(this.state, next.event, this.now(), out);
        for (const effect of out) this.#perform(effect, next.answer);
        out.length = 0;
      }
    } finally {
      this.#isStepping = false;
    }
    this.#flush();
  }

  /**
   * The same, but what is to be done at rest is done only after the caller's own caller has returned: no listener
   * hears of a job before `run` has answered its handle. `first` comes before all that follows from the event.
   */
  dispatchQuietly(first: () => void, event: SchedulerEvent): void {
    this.#later.push(first);
    const wasFlushing = this.#isFlushing;
    this.#isFlushing = true;
    try {
      this.dispatch(event);
    } finally {
      this.#isFlushing = wasFlushing;
    }
    queueMicrotask(() => this.#flush());
  }

  /** To be done when the dispatcher is at rest, in order. */
  later(callback: () => void): void {
    this.#later.push(callback);
    if (!this.#isStepping) this.#flush();
  }

  #isFlushing = false;
  #flush(): void {
    if (this.#isFlushing || this.#isStepping) return;
    this.#isFlushing = true;
    try {
      for (let next = this.#later.shift(); next !== undefined; next = this.#later.shift()) next();
    } finally {
      this.#isFlushing = false;
    }
  }

  /** Whether live jobs keep the process alive. */
  hold(isHeld: boolean): void {
    if (this.#isHeld === isHeld) return;
    this.#isHeld = isHeld;
    for (const link of this.#links) link?.thread?.hold(isHeld);
  }

  /** Items of the job that threads have finished and not yet answered for. */
  seen(job: Job): number {
    let seen = 0;
    for (const slot of this.state.slots) {
      const link = this.#links[slot.index];
      for (const batch of [slot.running, slot.behind]) {
        if (link === undefined || batch?.job.key !== job.key || batch.job.recipe.kind === "batch") continue;
        const cur = Math.min(this.control.cur(link.row, batch.number), batch.count - 1);
        const finished = cur + 1 - lanesOf(batch.job) - this.control.faults(link.row, batch.number);
        seen += Math.max(finished, 0);
      }
    }
    return seen;
  }

  // ——— threads

  #start(slot: number, incarnation: number): void {
    const row = this.#freeRows.pop() as number;
    const { keepWarm, graceMs } = this.#options;
    const { control } = this;
    const link = new ThreadLink({ slot, incarnation, row, keepWarm, control });
    this.#links[slot] = link;
    control.open(row, incarnation);
    this.#counts.threadsStarted++;
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

  #onReady(link: ThreadLink, thread: Thread): void {
    link.thread = thread;
    link.onOpened();
    if (this.#isEnded) return;
    thread.port.on("message", (message: FromThread) => this.#onMessage(link, message));
    thread.port.on("messageerror", () => link.ask());
    thread.hold(this.#isHeld);
    this.#tell({ type: "ready", slot: link.slot });
    this.dispatch({ type: "thread-ready", slot: link.slot, incarnation: link.incarnation });
  }

  #onFailed(link: ThreadLink, cause: unknown): void {
    this.#freeRows.push(link.row);
    link.onOpened();
    if (this.#isEnded) return;
    this.#threadFault = cause;
    this.#tell({ type: "failed", slot: link.slot, cause });
    this.dispatch({ type: "thread-failed", slot: link.slot, incarnation: link.incarnation });
  }

  #onLost(link: ThreadLink, cause: unknown): void {
    // What it said before it died counts, if it arrived.
    const port = link.thread?.port as MessagePort;
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      this.#onMessage(link, next.message as FromThread);
    }
    port.close();
    if (this.#strays.has(link)) {
      this.#dropStray(link);
      return;
    }
    if (this.#isEnded) return;
    this.#counts.threadsLost++;
    this.#threadFault = cause;
    const slot = this.state.slots[link.slot];
    const curOf = (batch: Batch | undefined): number =>
      batch === undefined ? -1 : this.control.cur(link.row, batch.number);
    const cur = [curOf(slot?.running), curOf(slot?.behind)] as const;
    this.#freeRows.push(link.row);
    for (const sent of link.batches.values()) this.#giveBack(sent, 0, sent.batch.count);
    this.#tell({ type: "lost", slot: link.slot, cause });
    this.dispatch({ type: "thread-lost", slot: link.slot, incarnation: link.incarnation, cur });
  }

  #setAside(slot: number): void {
    const link = this.#links[slot] as ThreadLink;
    this.#counts.threadsStuck++;
    this.#strays.add(link);
    link.thread?.setAside();
    link.thread?.hold(false);
    for (const sent of link.batches.values()) {
      // What it has not begun it shall not begin when it comes back.
      this.control.stop(link.row, sent.batch.number);
      this.#giveBack(sent, 0, sent.batch.count);
    }
    link.batches.clear();
    this.#tell({ type: "stuck", slot });
  }

  /** Ends threads that were set aside, as far as that is safe; the others are left until they come back. */
  #terminateStrays(): void {
    for (const link of this.#strays) {
      if (!this.#mayTerminate(link)) continue;
      void link.thread?.terminate().then(() => this.#dropStray(link));
    }
  }

  #dropStray(link: ThreadLink): void {
    if (!this.#strays.delete(link)) return;
    this.#freeRows.push(link.row);
    this.#tell({ type: "returned", slot: link.slot });
    if (!this.#isEnded) this.dispatch({ type: "stray-ended" });
  }

  #tell(event: ThreadEvent): void {
    this.later(() => this.#listener.onThread(event));
  }

  // ——— messages

  #onMessage(link: ThreadLink, message: FromThread): void {
    if (message[0] === "closed") return;
    if (this.#strays.has(link)) {
      this.#counts.droppedMessages++;
      // It has come back: whatever it says comes too late, but it can be ended now.
      if (message[0] !== "detail") this.#terminateStrays();
      return;
    }
    const { slot, incarnation } = link;
    switch (message[0]) {
      case "described": {
        const [, recipe, kind, concurrency, maxBatchItems] = message;
        this.dispatch({ type: "described", recipe, kind, concurrency, maxBatchItems });
        break;
      }
      case "detail": {
        const sent = link.batches.get(message[1]);
        if (sent === undefined || sent.job.isSettled) break;
        sent.job.detail = message[2];
        this.later(() => this.#listener.onDetail(sent.job, message[2]));
        break;
      }
      case "done": {
        const [, batch, claimed, , failures, elapsedMs] = message;
        const sent = this.#answered(link, batch);
        if (sent === undefined) break;
        this.#account(sent, elapsedMs, link.slot);
        for (const [position] of failures ?? []) this.#giveBack(sent, position, position + 1);
        this.#giveBack(sent, claimed, sent.batch.count);
        const faults = failures?.map(faultOf);
        this.dispatch(
          { type: "done", slot, incarnation, batch, claimed, faults, elapsedMs, luck: Math.random() },
          { sent, done: message },
        );
        break;
      }
      case "spoilt": {
        const [, batch, code, record, elapsedMs] = message;
        const sent = this.#answered(link, batch);
        if (sent === undefined) break;
        this.#account(sent, elapsedMs, link.slot);
        this.#giveBack(sent, 0, sent.batch.count);
        const isFinal = record.final === true;
        // If it stands alone already, it is an item that failed.
        const done: DoneMessage = ["done", batch, 1, [undefined], [[0, code, record]], elapsedMs];
        this.dispatch(
          { type: "spoilt", slot, incarnation, batch, code, isFinal, elapsedMs, luck: Math.random() },
          { sent, done },
        );
        break;
      }
      case "broken": {
        const [, batch, code, record] = message;
        if (this.#answered(link, batch) === undefined) break;
        this.dispatch({ type: "broken", slot, incarnation, batch }, { code, record });
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
    this.#giveBack(sent, 0, sent.batch.count);
    const message = "the item or its result cannot be read on the other side: it nests too deep";
    const record: ErrorRecord = { name: "NotCloneableError", message, final: true };
    const { slot, incarnation } = link;
    this.dispatch(
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
      { sent, done: ["done", number, 1, [undefined], [[0, "NOT_CLONEABLE", record]], 0] },
    );
  }

  /** The batch that an answer is for. Anything may call itself an answer: what matches no batch is dropped. */
  #answered(link: ThreadLink, batch: number): SentBatch | undefined {
    const sent = link.batches.get(batch);
    if (sent === undefined) this.#counts.droppedMessages++;
    else link.batches.delete(batch);
    return sent;
  }

  #account({ job, batch }: SentBatch, elapsedMs: number, slot: number): void {
    this.#counts.batches++;
    if (job.isSettled) return;
    job.batches++;
    job.threadMs += elapsedMs;
    this.later(() => this.#listener.onBatch(job, { items: batch.count, elapsedMs, slot }));
  }

  #giveBack({ job, batch, items }: SentBatch, from: number, to: number): void {
    if (!job.isSettled) job.source.giveBack(batch.indices, items, from, to);
  }

  // ——— effects

  #perform(effect: Effect, answer: Answer | undefined): void {
    switch (effect.type) {
      case "assign":
        this.#assign(effect.batch);
        break;
      case "revoke":
        this.#revoke(effect);
        break;
      case "stop": {
        const link = this.#links[effect.batch.slot.index];
        if (link !== undefined) this.control.stop(link.row, effect.batch.number);
        break;
      }
      case "commit":
        this.#commit(effect, answer as { sent: SentBatch; done: DoneMessage });
        break;
      case "fail-item": {
        const job = this.#jobs.get(effect.job) as Job;
        const failure = this.#lostItem(job, effect);
        job.lastFailures = new Map([[effect.index, failure]]);
        job.failItem(failure);
        break;
      }
      case "retry": {
        const job = this.#jobs.get(effect.job) as Job;
        const { index, attempt, delayMs } = effect;
        job.retries++;
        this.later(() => this.#listener.onRetry(job, { index, attempt, delayMs }));
        break;
      }
      case "pull": {
        const job = this.#jobs.get(effect.job);
        const { max } = effect;
        this.later(() => job?.source.pull(max));
        break;
      }
      case "started": {
        const job = this.#jobs.get(effect.job) as Job;
        job.hasStarted = true;
        if (job.state === "waiting") job.state = "running";
        this.later(() => this.#listener.onStarted(job));
        break;
      }
      case "settle": {
        const job = this.#jobs.get(effect.job) as Job;
        const error = effect.outcome === "failed" ? this.#jobError(job, effect.fault, answer) : job.cancelReason;
        this.#listener.onSettle(job, effect.outcome, effect.outcome === "completed" ? undefined : error);
        break;
      }
      case "stopped": {
        const job = this.#jobs.get(effect.job) as Job;
        this.#jobs.delete(effect.job);
        this.later(() => this.#listener.onStopped(job));
        break;
      }
      case "paused": {
        const job = this.#jobs.get(effect.job) as Job;
        this.later(() => this.#listener.onPaused(job));
        break;
      }
      case "replace":
        this.#setAside(effect.slot);
        this.#start(effect.slot, effect.incarnation);
        break;
      case "restart":
        this.#start(effect.slot, effect.incarnation);
        break;
      case "terminate-strays":
        this.#terminateStrays();
        break;
      case "capacity-lost":
        this.#tell({ type: "capacity-lost", slot: effect.slot });
        break;
      case "arm":
        this.#arm(effect.at);
        break;
      case "idle":
        this.later(() => this.#listener.onIdle());
        break;
      default:
        assertNever(effect);
    }
  }

  #assign(batch: Batch): void {
    const link = this.#links[batch.slot.index] as ThreadLink;
    const job = this.#jobs.get(batch.job.key) as Job;
    const culprits = link.send(batch, job, this.now());
    if (culprits === undefined) return;
    // Nothing was sent: answered on the spot, with the others put back.
    const sent = link.batches.get(batch.number) as SentBatch;
    link.batches.delete(batch.number);
    this.#giveBack(sent, 0, batch.count);
    const byPosition = new Map(culprits.map(({ position, record }) => [position, record]));
    const failures: PositionFailure[] = sent.items.map((_, position) => {
      const record = byPosition.get(position);
      return [position, record === undefined ? "unrun" : "NOT_CLONEABLE", record];
    });
    const { number } = batch;
    const { slot, incarnation } = link;
    const claimed = batch.count;
    this.dispatch(
      { type: "done", slot, incarnation, batch: number, claimed, faults: failures.map(faultOf), elapsedMs: 0, luck: 0 },
      { sent, done: ["done", number, claimed, sent.items.map(() => undefined), failures, 0] },
    );
  }

  #revoke({ batch, keep, least }: Extract<Effect, { type: "revoke" }>): void {
    const link = this.#links[batch.slot.index] as ThreadLink;
    const sent = link.batches.get(batch.number);
    if (sent === undefined || batch.stoppedAt !== undefined) return;
    const from = this.control.revoke(link.row, batch.number, keep, least);
    this.#counts.revokedItems += Math.max(batch.count - from, 0);
    this.#giveBack(sent, from, batch.count);
    const { slot, incarnation } = link;
    this.dispatch({ type: "revoked", slot, incarnation, batch: batch.number, from });
  }

  #commit(
    { batch, claimed, retried }: Extract<Effect, { type: "commit" }>,
    { sent: { job, attempts }, done }: { sent: SentBatch; done: DoneMessage },
  ): void {
    const [, , , values, faults] = done;
    let failures: Map<number, ItemFailure> | undefined;
    for (const [position, code, record] of faults ?? []) {
      if (code === "unrun" || retried?.has(position)) continue;
      const index = indexAt(batch, position);
      const attempt = attempts?.[position] ?? 1;
      (failures ??= new Map()).set(index, {
        index,
        attempt,
        error: taskError(job.id, { index, attempt, code, record }),
      });
    }
    job.lastFailures = failures;
    job.commit({
      indices: batch.indices,
      claimed,
      values,
      failures,
      attempts: attempts === undefined ? undefined : attemptsByIndex(batch, attempts, claimed),
      skipped: retried,
    });
  }

  #lostItem(job: Job, { index, attempt, code }: Extract<Effect, { type: "fail-item" }>): ItemFailure {
    const message =
      code === "THREAD_LOST"
        ? "its thread died while it ran, twice"
        : "the handler call took longer than timeoutMs and did not come back in the grace after it";
    const cause = code === "THREAD_LOST" ? toErrorRecord(this.#threadFault) : undefined;
    const record: ErrorRecord = { name: "ThreadmillError", message, ...(cause === undefined ? {} : { cause }) };
    return { index, attempt, error: taskError(job.id, { index, attempt, code, record }) };
  }

  #jobError(job: Job, fault: JobFault, answer: Answer | undefined): unknown {
    switch (fault.kind) {
      case "item":
        return job.lastFailures?.get(fault.index)?.error;
      case "broken": {
        const { code, record } = answer as { code: ErrorCode; record: ErrorRecord };
        return taskError(job.id, { index: -1, attempt: 0, code, record });
      }
      case "source": {
        const record = toErrorRecord(job.sourceError);
        const message = `its source of items failed: ${record.message}`;
        const error = taskError(job.id, {
          index: -1,
          attempt: 0,
          code: "SOURCE_FAILED",
          record: { name: record.name, message },
        });
        // The source is on this side: its error need not be a copy.
        error.cause = job.sourceError;
        return error;
      }
      case "threads": {
        const cause = toErrorRecord(this.#threadFault);
        const message = `threads die before they have begun an item: ${cause.message}`;
        const record: ErrorRecord = { name: "ThreadLostError", message, cause };
        return taskError(job.id, { index: -1, attempt: 0, code: "THREAD_LOST", record });
      }
      default:
        return assertNever(fault);
    }
  }

  #arm(at: number | undefined): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (at === undefined || this.#isEnded) return;
    // Answers that are waiting in a port come before the verdict on their thread: hence the turn in between.
    const tick = (): void => {
      setImmediate(() => {
        if (this.#isEnded) return;
        const cursors = this.state.slots.map(({ index, running }) => {
          const link = this.#links[index];
          return running === undefined || link === undefined ? -1 : this.control.cur(link.row, running.number);
        });
        this.dispatch({ type: "tick", cursors });
      });
    };
    this.#timer = setTimeout(tick, Math.max(Math.ceil(at - this.now()), 0));
    // Live jobs hold the process by their ports; the timer alone must not.
    this.#timer.unref();
  }

  // ——— the end

  /**
   * Ends all threads: resources are torn down, idle threads terminated. Answers the slots whose thread had to be left
   * because it was in native code.
   */
  async end(budgetMs: number): Promise<number[]> {
    this.#isEnded = true;
    clearTimeout(this.#timer);
    const links = [...this.#links.filter((link) => link !== undefined), ...this.#strays];
    await Promise.all(links.map((link) => link.opened));
    await Promise.all(links.map((link) => this.#tearDown(link, budgetMs)));
    const left: number[] = [];
    await Promise.all(
      links.map(async (link) => {
        if (link.thread === undefined) return;
        if (this.#mayTerminate(link)) await link.thread.terminate();
        else {
          left.push(link.slot);
          link.thread.hold(false);
        }
      }),
    );
    return left;
  }

  /** Never in native code: the word in shared memory is taken, so that the thread cannot go there any more. */
  #mayTerminate({ row, thread }: ThreadLink): boolean {
    return thread?.isOwnThread === false || this.control.condemn(row);
  }

  /** Resolves when the thread has torn down, or the time is over. */
  #tearDown(link: ThreadLink, budgetMs: number): Promise<void> {
    const { thread } = link;
    if (thread === undefined || this.#strays.has(link)) return Promise.resolve();
    return new Promise((resolve) => {
      thread.hold(true);
      const timer = setTimeout(resolve, budgetMs);
      const finish = (): void => {
        clearTimeout(timer);
        resolve();
      };
      thread.port.on("message", (message: FromThread) => {
        if (message[0] === "closed") finish();
      });
      thread.port.once("close", finish);
      link.close();
    });
  }
}

function faultOf([position, code, record]: PositionFailure): {
  position: number;
  code: ErrorCode | "unrun";
  isFinal: boolean;
} {
  return { position, code, isFinal: record?.final === true };
}

function attemptsByIndex(batch: Batch, attempts: readonly number[], count: number): Map<number, number> {
  const byIndex = new Map<number, number>();
  for (let position = 0; position < count; position++) {
    const attempt = attempts[position] ?? 1;
    if (attempt > 1) byIndex.set(indexAt(batch, position), attempt);
  }
  return byIndex;
}
