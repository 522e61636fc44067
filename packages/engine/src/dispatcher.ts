/**
 * The shell around the scheduler: it turns what happens into events, and performs the effects. It decides nothing.
 * Users are called back, and their iterators pulled, only when it is at rest, so that whatever they do starts afresh.
 */
import { type ControlBlock, type PositionFailure, assertNever } from "@threadmill/protocol";
import { type Answer, Inbox, faultOf, giveBack } from "./inbox.js";
import { Intake } from "./intake.js";
import { finalFailures, jobError, lostItem } from "./jobs/failures.js";
import { sortingOf } from "./jobs/item-memo.js";
import type { Job } from "./jobs/job.js";
import type { ResolvedEngineOptions } from "./options.js";
import type { Runner } from "./runners/runner.js";
import {
  type Batch,
  type Effect,
  type SchedulerEvent,
  type State,
  createState,
  indexAt,
  lanesOf,
  step,
} from "./scheduler/index.js";
import type { Culprit, SentBatch, ThreadLink } from "./thread-link.js";
import { type EndBounds, type ThreadEvent, Threads, type ThreadsListener } from "./threads.js";
import { Turns } from "./turns.js";

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

interface Happening {
  readonly event: SchedulerEvent;
  readonly answer: Answer | undefined;
}

export interface DispatcherStats {
  readonly threadsStarted: number;
  readonly threadsLost: number;
  readonly threadsStuck: number;
  readonly batches: number;
  readonly revokedItems: number;
  /** Messages that matched no batch: from a thread that had been set aside, or said twice. */
  readonly droppedMessages: number;
}

export class Dispatcher {
  readonly state: State;
  readonly #threads: Threads;
  readonly #listener: DispatcherListener;
  readonly #jobs = new Map<number, Job>();
  readonly #turns = new Turns<Happening>((happening) => this.#step(happening));
  readonly #effects: Effect[] = [];
  #isEnded = false;
  #timer: NodeJS.Timeout | undefined;
  #revokedItems = 0;
  readonly #inbox = new Inbox({
    dispatch: (event, answer) => this.dispatch(event, answer),
    onBatch: (job, batch) => this.later(() => this.#listener.onBatch(job, batch)),
    onDetail: (job, detail) => this.later(() => this.#listener.onDetail(job, detail)),
  });

  readonly #intake = new Intake<{ readonly link: ThreadLink; readonly message: unknown }>(({ link, message }) =>
    this.#inbox.take(this.#threads, link, message),
  );

  constructor(options: ResolvedEngineOptions, runner: Runner, listener: DispatcherListener) {
    this.#listener = listener;
    const { threads } = runner;
    const { batchMs, maxBatchItems, graceMs } = options;
    this.state = createState({ threads, batchMs, maxBatchItems, graceMs });
    this.#threads = new Threads(runner, options, this.#threadsListener());
    for (let slot = 0; slot < threads; slot++) this.#threads.start(slot, 0);
  }

  get control(): ControlBlock {
    return this.#threads.control;
  }

  get stats(): DispatcherStats {
    return { ...this.#threads.counts, ...this.#inbox.counts, revokedItems: this.#revokedItems };
  }

  now(): number {
    return performance.now();
  }

  add(job: Job): void {
    this.#jobs.set(job.key, job);
  }

  /** See {@link Turns}. `answer` goes to the effects of this event. */
  dispatch(event: SchedulerEvent, answer?: Answer): void {
    this.#turns.dispatch({ event, answer });
  }

  dispatchQuietly(first: () => void, event: SchedulerEvent): void {
    this.#turns.dispatchQuietly(first, { event, answer: undefined });
  }

  later(callback: () => void): void {
    this.#turns.later(callback);
  }

  #step({ event, answer }: Happening): void {
    step(this.state, event, this.now(), this.#effects);
    for (const effect of this.#effects) this.#perform(effect, answer);
    this.#effects.length = 0;
  }

  /** Whether live jobs keep the process alive. */
  hold(isHeld: boolean): void {
    this.#threads.hold(isHeld);
  }

  /** As {@link Threads.end}. Then whatever threads still had to answer for is over: nobody will. */
  async end(bounds: EndBounds): Promise<number[]> {
    this.#isEnded = true;
    clearTimeout(this.#timer);
    const leftBehind = await this.#threads.end(bounds);
    this.#intake.close();
    for (const { index, incarnation } of this.state.slots) {
      this.dispatch({ type: "thread-lost", slot: index, incarnation, cur: [-1, -1] });
    }
    return leftBehind;
  }

  /** Items of the job that threads have finished and not yet answered for. */
  seen(job: Job): number {
    let seen = 0;
    for (const { index, running, behind } of this.state.slots) {
      for (const batch of [running, behind]) {
        if (batch?.job.key !== job.key || batch.job.recipe.kind !== "item") continue;
        const { row } = this.#threads.at(index);
        const cur = Math.min(this.control.cur(row, batch.number), batch.count - 1);
        const finished = cur + 1 - lanesOf(batch.job) - this.control.faults(row, batch.number);
        // Bounded, whatever a task may have written there.
        seen += Math.min(Math.max(finished, 0), batch.count);
      }
    }
    return seen;
  }

  // ——— what threads say and do

  #threadsListener(): ThreadsListener {
    return {
      onMessage: (link, message) => this.#intake.receive({ link, message }),
      onReady: ({ slot, incarnation }) => this.dispatch({ type: "thread-ready", slot, incarnation }),
      onFailed: ({ slot, incarnation }) => this.dispatch({ type: "thread-failed", slot, incarnation }),
      onEnding: ({ slot, incarnation }) => {
        this.#intake.flush();
        this.dispatch({ type: "thread-ending", slot, incarnation });
      },
      onAllSaid: () => this.#intake.flush(),
      onLost: ({ slot, incarnation }) => {
        const held = this.state.slots[slot];
        const cur = held === undefined ? ([-1, -1] as const) : this.#threads.cursors(held);
        this.dispatch({ type: "thread-lost", slot, incarnation, cur });
      },
      onStrayEnded: () => this.dispatch({ type: "stray-ended" }),
      onLetGo: (sent) => giveBack(sent, 0, sent.batch.count),
      onEvent: (event) => this.later(() => this.#listener.onThread(event)),
    };
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
        const { slot, number } = effect.batch;
        this.control.stop(this.#threads.at(slot.index).row, number);
        break;
      }
      case "commit":
        this.#commit(effect, answer as Answer);
        this.#passOn(this.#jobs.get(effect.batch.job.key) as Job);
        break;
      case "deliver-found":
        (this.#jobs.get(effect.job) as Job).deliverFound();
        break;
      case "fail-item": {
        const job = this.#jobs.get(effect.job) as Job;
        const failure = lostItem(job, effect, this.#threads.fault);
        job.lastFailures = new Map([[effect.index, failure]]);
        job.failItem(failure);
        this.#passOn(job);
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
        this.#listener.onSettle(job, effect.outcome, this.#errorOf(job, effect, answer));
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
        this.#threads.setAside(effect.slot);
        this.#threads.start(effect.slot, effect.incarnation);
        break;
      case "restart":
        this.#threads.start(effect.slot, effect.incarnation);
        break;
      case "terminate-strays":
        this.#threads.terminateStrays();
        break;
      case "capacity-lost":
        this.later(() => this.#listener.onThread({ type: "capacity-lost", slot: effect.slot }));
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
    const link = this.#threads.at(batch.slot.index);
    const job = this.#jobs.get(batch.job.key) as Job;
    if (batch.job.recipe.kind === "columns" && batch.count > 0) this.#shareColumns(job);
    const culprits = link.send(batch, job);
    const { fault } = job.source;
    if (fault !== undefined && batch.count > 0) {
      job.sourceError = fault.cause;
      this.dispatch({ type: "source-failed", job: job.key });
    }
    if (culprits !== undefined) this.#answerUnsent(link, batch, culprits);
  }

  /** Nothing was sent: answered on the spot, with the others put back. */
  #answerUnsent(link: ThreadLink, batch: Batch, culprits: readonly Culprit[]): void {
    const sent = link.batches.get(batch.number) as SentBatch;
    link.batches.delete(batch.number);
    giveBack(sent, 0, batch.count);
    const records = new Map(culprits.map(({ position, record }) => [position, record]));
    const positions = Array.from({ length: batch.count }, (_, position) => position);
    const failures = positions.map((position): PositionFailure => {
      const record = records.get(position);
      return [position, record === undefined ? "unrun" : "NOT_CLONEABLE", record];
    });
    const { number, count: claimed } = batch;
    const { slot, incarnation } = link;
    const faults = failures.map(faultOf);
    const values = positions.map(() => undefined);
    this.dispatch(
      { type: "done", slot, incarnation, batch: number, claimed, faults, elapsedMs: 0, mainMs: 0, luck: 0 },
      { sent, done: ["done", number, claimed, values, failures, 0, 0] },
    );
  }

  /** Puts the job's columns into shared memory, once. An input that is no column fails the job. */
  #shareColumns(job: Job): void {
    try {
      job.shareColumns();
    } catch (error) {
      job.sourceError = error;
      this.dispatch({ type: "source-failed", job: job.key });
    }
  }

  #revoke({ batch, keep, least }: Extract<Effect, { type: "revoke" }>): void {
    const link = this.#threads.at(batch.slot.index);
    const sent = link.batches.get(batch.number);
    if (sent === undefined || batch.stoppedAt !== undefined) return;
    const from = this.control.revoke(link.row, batch.number, keep, least);
    this.#revokedItems += Math.max(batch.count - from, 0);
    giveBack(sent, from, batch.count);
    const { slot, incarnation } = link;
    this.dispatch({ type: "revoked", slot, incarnation, batch: batch.number, from });
  }

  #commit(
    { batch, claimed, retried }: Extract<Effect, { type: "commit" }>,
    { sent: { job, attempts }, done: [, , , values, faults] }: Answer,
  ): void {
    const failures = finalFailures(job, batch, attempts, { claimed, faults }, retried);
    job.lastFailures = failures;
    job.commit({
      indices: batch.indices,
      claimed,
      values: values ?? [],
      failures,
      attempts: attempts === undefined ? undefined : attemptsByIndex(batch, attempts, claimed),
      skipped: retried,
    });
  }

  /** Items have ended that others with their key have waited for. */
  #passOn(job: Job): void {
    const sorted = job.takeAwaited();
    if (sorted !== undefined) this.dispatch({ type: "awaited", job: job.key, sorting: sortingOf(sorted) });
  }

  #errorOf(job: Job, effect: Extract<Effect, { type: "settle" }>, answer: Answer | undefined): unknown {
    if (effect.outcome === "completed") return undefined;
    if (effect.outcome === "cancelled") return job.cancelReason;
    return jobError(job, effect.fault, answer?.broken, this.#threads.fault);
  }

  #arm(at: number | undefined): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (at === undefined || this.#isEnded) return;
    // Answers that are waiting in a port come before the verdict on their thread: hence the turn in between.
    const tick = (): void => {
      setImmediate(() => {
        if (this.#isEnded) return;
        this.#intake.flush();
        const cursors = this.state.slots.map((slot) => this.#threads.cursors(slot));
        this.dispatch({ type: "tick", cursors });
      });
    };
    this.#timer = setTimeout(tick, Math.max(Math.ceil(at - this.now()), 0));
    // Live jobs hold the process by their ports; the timer alone must not.
    this.#timer.unref();
  }
}

function attemptsByIndex(batch: Batch, attempts: readonly number[], count: number): Map<number, number> {
  const byIndex = new Map<number, number>();
  for (let position = 0; position < count; position++) {
    const attempt = attempts[position] ?? 1;
    if (attempt > 1) byIndex.set(indexAt(batch, position), attempt);
  }
  return byIndex;
}
