/**
 * The shell, simulated: it hands events to the scheduler and performs the effects as the dispatcher does, one event at
 * a time, and judges each act. What no scheduler may do is a violation in the step where it is done.
 */
import type { ControlBlock } from "@threadmill/protocol";
import type { Effect, SchedulerEvent, SchedulerOptions, State } from "@threadmill/engine/internal/scheduler";
import { Agenda, Kind, isMainSide } from "./agenda.js";
import { Batches } from "./batches.js";
import {
  type Answer,
  type EffectOf,
  liveJob,
  noteCommit,
  noteFailedItem,
  noteFound,
  noteRetry,
  noteSettled,
} from "./books.js";
import { Causes } from "./causes.js";
import type { Chance } from "./chance.js";
import type { JobView } from "./job-view.js";
import type { SchedulerUnderTest } from "./scheduler-under-test.js";
import type { Counters } from "./sometimes.js";
import { Outlook } from "./outlook.js";
import { ShareChecks } from "./share-checks.js";
import { SizeChecks } from "./size-checks.js";
import { SlotChecks } from "./slot-checks.js";
import { StateChecks } from "./state-checks.js";
import { Supplies, sortingOf } from "./supplies.js";
import { ThreadsBySlot } from "./threads-by-slot.js";
import type { Trace } from "./trace.js";
import { Violation, broken } from "./violation.js";

/** What one event may bring along before we take it for a loop. */
const MOST_EVENTS_AT_ONCE = 10_000;
const MOST_TICKS_AT_ONCE = 4;

export interface ShellParts {
  readonly scheduler: SchedulerUnderTest;
  readonly options: SchedulerOptions;
  readonly chance: Chance;
  readonly trace: Trace;
  readonly counters: Counters;
  /** Memory of a simulation that is over may be used again: each row is made ready when a thread opens it. */
  readonly control: ControlBlock;
  /** Nothing happens by itself but what a clock brings. */
  readonly isByHand: boolean;
  readonly keepWarm: number;
}

/** What is told of each effect, for tests that look at them. */
export type EffectListener = (effect: Effect, from: SchedulerEvent["type"]) => void;

export class Shell {
  readonly scheduler: SchedulerUnderTest;
  readonly options: SchedulerOptions;
  readonly chance: Chance;
  readonly trace: Trace;
  readonly counters: Counters;
  readonly state: State;
  readonly control: ControlBlock;
  readonly agenda = new Agenda();
  readonly jobs = new Map<number, JobView>();
  readonly threads: ThreadsBySlot;
  readonly supplies: Supplies;
  now = 0;
  /** The main thread is in somebody's hands until then. */
  busyUntil = 0;
  /** When the one timer rings; undefined: it is off. */
  armedAt: number | undefined;
  ringsAt = Infinity;
  /** The timer has rung, and the tick comes after what is there already. */
  pendingTicks = 0;
  isByHand: boolean;
  /** Recipes that each thread keeps warm. */
  readonly keepWarm: number;
  /** Events that were given to the scheduler, each with all checks. */
  steps = 0;
  /** Counts what brings the whole further: a loop that is none does not count. */
  progress = 0;
  isIdle = true;
  isClosed = false;
  onEffect: EffectListener | undefined;
  /** How much later than planned a tick may come. */
  slackMs = 1e-6;
  readonly checks: StateChecks;
  readonly shares: ShareChecks;
  readonly sizes: SizeChecks;
  readonly slots: SlotChecks;
  readonly causes: Causes;
  readonly #outlook: Outlook;
  readonly #batches = new Batches(this);
  readonly #queue: SchedulerEvent[] = [];
  readonly #answers: (Answer | undefined)[] = [];
  readonly #out: Effect[] = [];
  #isStepping = false;
  #ticksAtOnce = 0;
  #postponedTo = -1;

  constructor(parts: ShellParts) {
    this.scheduler = parts.scheduler;
    this.options = parts.options;
    this.chance = parts.chance;
    this.trace = parts.trace;
    this.counters = parts.counters;
    this.isByHand = parts.isByHand;
    this.keepWarm = parts.keepWarm;
    const { threads } = parts.options;
    this.state = this.scheduler.createState(parts.options);
    this.control = parts.control;
    this.threads = new ThreadsBySlot(this);
    this.supplies = new Supplies(this);
    this.shares = new ShareChecks(this);
    this.sizes = new SizeChecks(this);
    this.slots = new SlotChecks(this);
    this.checks = new StateChecks(this);
    this.causes = new Causes(this);
    this.#outlook = new Outlook(this);
    for (let slot = 0; slot < threads; slot++) this.threads.start(slot, 0);
  }

  /** Hands an event to the scheduler, with all that follows from it; at once, unless it is what follows. */
  dispatch(event: SchedulerEvent, answer?: Answer): void {
    this.#queue.push(event);
    this.#answers.push(answer);
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let count = 0; this.#queue.length > 0; count++) {
        if (count > MOST_EVENTS_AT_ONCE) broken("L1", `one event has others without end, the last: ${event.type}`);
        this.#step(this.#queue.shift() as SchedulerEvent, this.#answers.shift());
      }
    } finally {
      this.#isStepping = false;
    }
  }

  #step(event: SchedulerEvent, answer: Answer | undefined): void {
    const { trace, now } = this;
    const out = this.#out;
    this.steps++;
    if (event.type === "described") this.sizes.onDescribed(event.recipe);
    if (event.type === "awaited") this.#noteAwaited(event);
    if (answer !== undefined && event.type === "done" && event.faults === undefined) {
      this.sizes.onAnswer(answer.sent, event.claimed);
    }
    if (answer !== undefined && (event.type === "done" ? event.claimed > 0 : answer.sent.batch.count === 1)) {
      this.causes.onRun(answer.sent.job);
    }
    this.shares.beforeStep(event);
    if (answer !== undefined) this.shares.onLeft(answer.sent);
    trace.event(event, now);
    out.length = 0;
    try {
      this.scheduler.step(this.state, event, now, out);
    } catch (error) {
      throw error instanceof Violation ? error : new Violation("S0", `the scheduler threw: ${String(error)}`);
    }
    for (let at = 0; at < out.length; at++) {
      const effect = out[at] as Effect;
      trace.effect(effect, now);
      this.onEffect?.(effect, event.type);
      this.#perform(effect, event, answer);
    }
    this.checks.afterStep(event, this.#queue.length === 0);
    if (this.#queue.length === 0) this.#outlook.afterTurn();
  }

  #perform(effect: Effect, event: SchedulerEvent, answer: Answer | undefined): void {
    switch (effect.type) {
      case "assign":
        this.#batches.assign(effect.batch);
        break;
      case "revoke":
        this.#batches.revoke(effect, event);
        break;
      case "stop":
        this.#batches.stop(effect.batch);
        break;
      case "commit": {
        this.progress++;
        const job = liveJob(this.jobs, effect.batch.job.key, "a commit");
        const before = job.delivered.length;
        noteCommit(job, effect, answer, this.scheduler);
        this.#passOn(job, before);
        this.supplies.onDelivered(job);
        break;
      }
      case "deliver-found": {
        this.progress++;
        const job = liveJob(this.jobs, effect.job, "a delivery of what was found");
        noteFound(job, effect);
        if (event.type === "resume-asked") this.counters["found items held back by a pause"]++;
        this.supplies.onDelivered(job);
        break;
      }
      case "fail-item": {
        this.progress++;
        const job = liveJob(this.jobs, effect.job, "a failed item");
        noteFailedItem(job, effect);
        this.#passOn(job, job.delivered.length - 1);
        if (effect.code === "THREAD_LOST") this.counters["item lost for good"]++;
        else this.counters["item timed out for good"]++;
        this.supplies.onDelivered(job);
        break;
      }
      case "retry":
        this.progress++;
        noteRetry(liveJob(this.jobs, effect.job, "a retry"), effect, answer, this.now, this.scheduler);
        break;
      case "pull":
        this.supplies.onPull(liveJob(this.jobs, effect.job, "a pull"), effect.max);
        break;
      case "started": {
        const job = liveJob(this.jobs, effect.job, "a start");
        if (job.state !== "waiting") broken("S12", `job ${effect.job} starts twice`);
        job.state = "running";
        break;
      }
      case "settle":
        this.#settle(effect, answer);
        break;
      case "stopped":
        this.#stopped(effect.job);
        break;
      case "paused": {
        const job = liveJob(this.jobs, effect.job, "a pause");
        if (!job.isPaused) broken("S12", `job ${job.key} is not paused and says so`);
        job.pauses++;
        job.pauseSaid = true;
        break;
      }
      case "replace":
        this.progress++;
        this.threads.setAside(effect.slot);
        this.threads.start(effect.slot, effect.incarnation);
        break;
      case "restart":
        this.progress++;
        if (event.type === "submit") this.counters["slot given another chance"]++;
        this.threads.start(effect.slot, effect.incarnation);
        break;
      case "terminate-strays":
        this.threads.terminateStrays(event.type === "tick");
        break;
      case "capacity-lost":
        this.counters["stuck with no room"]++;
        this.threads.onCapacityLost(effect.slot);
        break;
      case "arm":
        this.#arm(effect.at, event);
        break;
      case "idle":
        if (this.isIdle) broken("S12", "idle is said twice");
        this.isIdle = true;
        break;
      default:
        effect satisfies never;
    }
  }

  /** Items have ended, from this one on: others may have waited for them. */
  #passOn(job: JobView, from: number): void {
    if (job.source?.keyOf === undefined) return;
    const released: number[] = [];
    for (const index of job.delivered.slice(from)) {
      const hasFailed = job.failed.has(index);
      const others = job.release(index, hasFailed);
      if (others.length > 0) this.counters[hasFailed ? "item that waited for one that failed" : "item that waited"]++;
      released.push(...others);
    }
    if (released.length > 0) this.dispatch({ type: "awaited", job: job.key, sorting: sortingOf(job, released) });
  }

  #noteAwaited({ job, sorting }: Extract<SchedulerEvent, { type: "awaited" }>): void {
    const view = this.jobs.get(job) as JobView;
    view.waitingCount -= sorting.found + sorting.toRun.reduce((sum, { count }) => sum + count, 0);
  }

  #settle(effect: EffectOf<"settle">, answer: Answer | undefined): void {
    this.progress++;
    const job = liveJob(this.jobs, effect.job, "an end");
    noteSettled(job, effect, answer, this.now, this.scheduler);
    if (effect.outcome === "completed" && job.spec.isWarmUp === true) this.slots.checkWarm(job);
    if (effect.outcome === "failed") this.causes.onFault(job, effect.fault);
    this.supplies.onSettled(job);
    this.shares.onSettled(job);
    if (effect.outcome === "completed" && job.supplied > 0 && job.begins.every((times) => times === 0)) {
      this.counters["job completed by what was found alone"]++;
    }
    if (effect.outcome === "failed" && effect.fault.kind === "threads") {
      this.counters["job failed by threads that died"]++;
    }
  }

  #stopped(key: number): void {
    this.progress++;
    const job = this.jobs.get(key);
    if (job?.settledAt === undefined || job.stoppedAt !== undefined) {
      return broken("S12", `job ${key} stops before it settled, or twice`);
    }
    if (this.threads.holdsBatchOf(job))
      broken("S12", `job ${key} is said to have stopped while a thread has some of it`);
    job.stoppedAt = this.now;
  }

  #arm(at: number | undefined, event: SchedulerEvent): void {
    if (at !== undefined && !(at < Infinity)) broken("L2", `the timer is set to ${at}`);
    // A tick that came late may find one thing after the other overdue, but not without end.
    if (event.type === "tick" && at !== undefined && at <= this.now) {
      if (++this.#ticksAtOnce > MOST_TICKS_AT_ONCE) broken("L2", `at ${this.now} ticks ask for others, now for ${at}`);
    } else this.#ticksAtOnce = 0;
    this.armedAt = at;
    this.ringsAt = at === undefined ? Infinity : Math.max(at + this.chance.timerSlackMs(), this.now);
  }

  // ——— what happens by itself

  /** Lets the next happening or the timer come; false if there is none until then. */
  happenNext(until: number): boolean {
    const { agenda } = this;
    const first = agenda.first;
    const ringsAt = Math.max(this.ringsAt, this.busyUntil);
    if (first !== undefined && first.at <= ringsAt) {
      if (first.at > until) return false;
      agenda.take();
      if (isMainSide(first.kind) && first.at < this.busyUntil) {
        agenda.postpone(first, this.busyUntil);
        this.#postponedTo = this.busyUntil;
        return true;
      }
      if (first.at > this.now) this.now = first.at;
      this.#happen(first.kind, first.subject, first.detail);
      return true;
    }
    if (ringsAt > until || ringsAt === Infinity) return false;
    this.now = Math.max(this.now, ringsAt);
    this.ringsAt = Infinity;
    this.armedAt = undefined;
    if (this.#postponedTo === this.now) this.counters["tick and message due together"]++;
    // Answers that are waiting in a port come before the verdict on their thread: hence the turn in between.
    agenda.plan(this.now, Kind.TICK, undefined, undefined);
    this.pendingTicks++;
    return true;
  }

  #happen(kind: Kind, subject: unknown, detail: unknown): void {
    if (kind <= Kind.TERMINATED) {
      this.threads.happen(kind, subject, detail);
      return;
    }
    switch (kind) {
      case Kind.TICK:
        this.pendingTicks--;
        this.tick();
        break;
      case Kind.SOURCE:
        this.supplies.give(subject as JobView);
        break;
      case Kind.READ:
        this.supplies.readSome(subject as JobView);
        break;
      case Kind.ECHO:
        // Nobody asked for it: the scheduler has to know by itself.
        this.dispatch(subject as SchedulerEvent);
        break;
      case Kind.ACTION:
        (subject as () => void)();
        break;
      default:
        throw new Error(`nothing that happens on the main thread: ${kind}`);
    }
  }

  planAction(at: number, action: () => void): void {
    this.agenda.plan(at, Kind.ACTION, action, undefined);
  }

  tick(): void {
    const cursors = this.state.slots.map(({ index, running, behind }) => this.threads.cursors(index, running, behind));
    const before = this.progress;
    this.dispatch({ type: "tick", cursors });
    if (this.progress === before) this.counters["tick that found nothing due"]++;
  }
}
