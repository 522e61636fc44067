/**
 * The scheduler's surroundings, simulated: threads that know only what real ones know, a shell that performs effects as
 * the dispatcher does and judges each, and time that passes when it is told to.
 *
 * By itself it goes on by events: `advance`, `run`, `runUntil`. By hand (`isByHand`), nothing moves but clocks: the
 * test says which thread works (`work`) and whose message arrives (`deliver`); `settle` lets everything go, without
 * faults, and answers what is left over.
 */
import { ControlBlock, ThreadState } from "@threadmill/protocol";
import type { Effect, SchedulerEvent, SchedulerOptions, State } from "@threadmill/engine/internal/scheduler";
import { type Chance, SteadyChance, type SteadyOptions } from "./chance.js";
import { JobView } from "./job-view.js";
import { REAL_SCHEDULER, type SchedulerUnderTest } from "./scheduler-under-test.js";
import { Shell } from "./shell.js";
import type { SimulatedThread } from "./simulated-thread.js";
import { type Counters, createCounters } from "./sometimes.js";
import type { SimulatedJobSpec } from "./spec.js";
import { Trace } from "./trace.js";
import { broken } from "./violation.js";

const OPTIONS: SchedulerOptions = { threads: 2, batchMs: 10, maxBatchItems: 4_096, graceMs: 1_000 };

/** Steps without progress that are taken for a loop. */
const MOST_STEPS_IN_VAIN = 3_000;
/** Looks of the timer that bring nothing, one after the other: it takes some until a thread counts as one that does not look. */
const MOST_TICKS_IN_VAIN = 200;

export interface SimulationOptions extends Partial<SchedulerOptions>, SteadyOptions {
  /** Default: the real one. */
  readonly scheduler?: SchedulerUnderTest;
  /** Nothing happens by itself but what a clock brings. Default false. */
  readonly isByHand?: boolean;
  /** Keep a script that a person can read. Default false. */
  readonly isRecorded?: boolean;
  /** Recipes that each thread keeps warm. Default 8. */
  readonly keepWarm?: number;
  /** What is left to chance. Default: nothing. */
  readonly chance?: Chance;
  readonly counters?: Counters;
  /** To use again, from a simulation that is over. */
  readonly control?: ControlBlock;
}

/** A batch as it was when it was assigned. */
export interface AssignedBatch {
  readonly at: number;
  readonly job: number;
  readonly slot: number;
  readonly indices: readonly number[];
  readonly isBehind: boolean;
  readonly isAlone: boolean;
}

export class Simulation {
  readonly options: SchedulerOptions;
  readonly scheduler: SchedulerUnderTest;
  readonly shell: Shell;
  /** Every effect with the time and the event that it came from; only if nothing is left to chance. */
  readonly effects: { readonly at: number; readonly effect: Effect; readonly from: SchedulerEvent["type"] }[] = [];
  readonly assigned: AssignedBatch[] = [];
  #nextKey = 1;

  constructor(options: SimulationOptions = {}) {
    const { threads, batchMs, maxBatchItems, graceMs } = { ...OPTIONS, ...options };
    this.options = { threads, batchMs, maxBatchItems, graceMs };
    this.scheduler = options.scheduler ?? REAL_SCHEDULER;
    const isRecorded = options.isRecorded ?? false;
    this.shell = new Shell({
      scheduler: this.scheduler,
      options: this.options,
      chance: options.chance ?? new SteadyChance(options),
      trace: new Trace(isRecorded),
      counters: options.counters ?? createCounters(),
      control: options.control ?? new ControlBlock(2 * threads),
      isByHand: options.isByHand ?? false,
      keepWarm: options.keepWarm ?? 8,
    });
    if (options.chance === undefined) this.shell.onEffect = (effect, from) => this.#note(effect, from);
    if (!this.shell.isByHand && options.chance === undefined) this.advance(0);
  }

  get now(): number {
    return this.shell.now;
  }
  get state(): State {
    return this.shell.state;
  }
  get jobs(): ReadonlyMap<number, JobView> {
    return this.shell.jobs;
  }
  get counters(): Counters {
    return this.shell.counters;
  }
  get armedAt(): number | undefined {
    return this.shell.armedAt;
  }
  get strays(): ReadonlySet<SimulatedThread> {
    return this.shell.threads.strays;
  }
  /** Events that were given to the scheduler, each with all checks. */
  get steps(): number {
    return this.shell.steps;
  }
  /** The same for equal runs. */
  get traceHash(): number {
    return this.shell.trace.hash;
  }
  /** All that happened, for a person; empty unless the simulation is recorded. */
  get script(): readonly string[] {
    return this.shell.trace.script ?? [];
  }

  // ——— what a caller does

  /** Not for an engine that was closed: a refused `run` has no effect (S13), and so there is nothing to simulate. */
  submit(spec: SimulatedJobSpec): JobView {
    const { shell } = this;
    if (shell.isClosed) throw new Error("the simulated engine is closed");
    const job = new JobView(this.#nextKey++, spec, shell.now);
    shell.jobs.set(job.key, job);
    shell.isIdle = false;
    this.dispatch({
      type: "submit",
      job: job.key,
      recipe: job.recipe,
      rules: job.rules,
      supplied: job.supplied,
      sourceEnded: job.sourceEnded,
      isThrottled: spec.isThrottled ?? false,
      isWarmUp: spec.isWarmUp ?? false,
    });
    return job;
  }

  cancel(job: JobView): void {
    if (job.isSettled) return;
    if (job.isPaused) this.counters["cancel of a paused job"]++;
    this.dispatch({ type: "stop-asked", job: job.key });
  }

  pause(job: JobView): void {
    if (job.isSettled) return;
    job.isPaused = true;
    job.pauseSaid = false;
    if (job.batchCount === 0) this.counters["pause with nothing in threads"]++;
    this.dispatch({ type: "pause-asked", job: job.key });
  }

  resume(job: JobView): void {
    if (!job.isPaused || job.isSettled) return;
    job.isPaused = false;
    for (const at of job.dueAt.values()) if (at <= this.now) this.counters["retry due during pause"]++;
    this.dispatch({ type: "resume-asked", job: job.key });
  }

  /** A word that comes when there is nothing to it any more: it must have no effect. */
  late(job: JobView, word: "cancel" | "pause" | "resume" | "read"): void {
    const { key } = job;
    if (word === "resume" && !job.isPaused) this.dispatch({ type: "resume-asked", job: key });
    if (!job.isSettled) return;
    if (word === "cancel") this.dispatch({ type: "pulled", job: key, ended: true });
    else if (word === "pause") this.dispatch({ type: "pause-asked", job: key });
    else if (word === "read") this.dispatch({ type: "items", job: key, count: 1 });
  }

  /** A throttling reader takes outcomes. */
  read(job: JobView, count = job.unread): void {
    if (count > 0) this.shell.supplies.read(job, count);
  }

  /** The engine takes no more jobs; after `deadlineMs`, if there is one, it cancels those that are left. */
  close(deadlineMs?: number): void {
    const { shell } = this;
    shell.isClosed = true;
    for (const thread of this.#threads()) if (thread.runs.length > 0) this.counters["close with items in flight"]++;
    if (deadlineMs === undefined) return;
    const cancelAll = (): void => {
      for (const job of shell.jobs.values()) {
        if (job.isSettled) continue;
        this.counters["deadline of a close that cancelled"]++;
        this.cancel(job);
      }
    };
    if (deadlineMs === 0) cancelAll();
    else this.at(shell.now + deadlineMs, cancelAll);
  }

  /** Tells the scheduler that nobody refers to this recipe any more. It must have no live job. */
  forget(recipe: number): void {
    for (const { behind, running } of this.state.slots) {
      if (running?.job.recipe.id === recipe || behind?.job.recipe.id === recipe) {
        this.counters["recipe forgotten while its batch is out"]++;
      }
    }
    this.dispatch({ type: "recipe-forgotten", recipe });
  }

  /** Any event, as it is. */
  dispatch(event: SchedulerEvent): void {
    this.shell.dispatch(event);
  }

  // ——— what befalls threads

  /** Kills the slot's thread from outside; false if there is none. */
  crash(slot: number): boolean {
    const thread = this.shell.threads.at(slot);
    if (thread === undefined || !thread.isAlive) return false;
    this.shell.threads.die(thread);
    return true;
  }

  /** What the slot's thread is in goes on for ever: an item that it runs computes until it is terminated. */
  hang(slot: number): boolean {
    return this.shell.threads.at(slot)?.calls.hang() ?? false;
  }

  // ——— time

  /** Something to be done at a time of its own. */
  at(time: number, action: () => void): void {
    this.shell.planAction(time, action);
  }

  /** Lets time pass, with all that falls due in it. */
  advance(ms: number, mostSteps = MOST_STEPS_IN_VAIN): void {
    const { shell } = this;
    const until = shell.now + ms;
    let { progress, steps } = shell;
    while (shell.happenNext(until)) {
      if (progress !== shell.progress) ({ progress, steps } = shell);
      else if (shell.steps - steps > mostSteps) broken("L1", `${mostSteps} steps without progress, now ${shell.now}`);
    }
    if (until > shell.now) shell.now = until;
  }

  /** The main thread is busy for so long: threads go on, and what they say waits, with the timer. */
  stall(ms: number): void {
    this.shell.slackMs += ms;
    this.shell.busyUntil = Math.max(this.shell.busyUntil, this.shell.now + ms);
  }

  /** Goes on until nothing more will happen by itself, but for a timer that keeps watch over a thread that computes. */
  run(mostStepsInVain = MOST_STEPS_IN_VAIN): void {
    const { shell } = this;
    let { progress, steps } = shell;
    let ticksInVain = 0;
    for (;;) {
      const isAlone = shell.agenda.size === 0;
      if (!shell.happenNext(Infinity)) return;
      if (progress !== shell.progress) {
        ({ progress, steps } = shell);
        ticksInVain = 0;
        continue;
      }
      if (shell.steps - steps > mostStepsInVain) {
        broken("L1", `no rest, and ${mostStepsInVain} steps without progress, now ${shell.now}`);
      }
      if (isAlone && ++ticksInVain > MOST_TICKS_IN_VAIN) return;
    }
  }

  /** Goes on until the condition holds; an error if it never does. */
  runUntil(holds: () => boolean, mostSteps = MOST_STEPS_IN_VAIN): void {
    for (let steps = 0; !holds(); steps++) {
      if (steps > mostSteps || !this.shell.happenNext(Infinity)) throw new Error("what is waited for never happens");
    }
  }

  // ——— by hand

  /** The slot's thread takes its next step: it starts, reads a message, ends what it is at. False: nothing to do. */
  work(slot: number): boolean {
    const thread = this.shell.threads.at(slot);
    return thread !== undefined && this.shell.threads.work(thread);
  }

  /** The same for the threads that were set aside, by number. */
  workAside(which: number): boolean {
    const thread = [...this.strays][which];
    return thread !== undefined && this.shell.threads.work(thread);
  }

  /** Threads with messages on their way: those of slots first, then those that were set aside. */
  pending(): SimulatedThread[] {
    return this.#threads().filter(({ outbox }) => outbox.length > 0);
  }

  /** The oldest message of the k-th such thread arrives: within a thread they keep their order. */
  deliver(which: number): boolean {
    const thread = this.pending()[which];
    return thread !== undefined && this.shell.threads.deliver(thread);
  }

  /** The newest answer that arrived comes once more, past the shell's own check; false if there was none. */
  duplicate(which = 0): boolean {
    const event = this.shell.threads.inbox.answers.at(-1 - which);
    if (event === undefined) return false;
    this.counters["duplicate answer"]++;
    this.dispatch(event);
    return true;
  }

  /**
   * No more faults, and everything by itself: paused jobs go on, readers read, endless sources end, and what computes
   * for ever is cancelled by its caller. Answers what is left over: nothing, if all is well.
   */
  settle(): string[] {
    const { shell } = this;
    shell.threads.hasFaults = false;
    shell.supplies.hasFaults = false;
    if (shell.isByHand) {
      shell.isByHand = false;
      shell.threads.letGo();
    }
    for (const job of shell.jobs.values()) this.resume(job);
    for (;;) {
      const { progress } = shell;
      for (const job of shell.jobs.values()) {
        if (job.isSettled) continue;
        shell.supplies.wake(job);
        if (job.unread > 0) this.read(job);
      }
      for (const thread of this.#threads()) this.#releaseFrom(thread);
      // One in native code cannot be terminated; it must come back.
      let hasComeBack = false;
      for (const thread of this.strays) {
        if (shell.control.state(thread.rowNumber) === ThreadState.NATIVE && thread.comeBack()) hasComeBack = true;
      }
      this.run();
      const isEndless = this.#threads().some((thread) => this.#endlessIn(thread) !== undefined);
      if (shell.progress === progress && !hasComeBack && !isEndless) return this.leftovers();
    }
  }

  /** Without a time limit nothing ends an item that computes for ever, and nothing should but its caller. */
  #releaseFrom(thread: SimulatedThread): void {
    const job = this.#endlessIn(thread);
    if (job !== undefined) this.cancel(job);
  }

  #endlessIn(thread: SimulatedThread): JobView | undefined {
    const key = thread.endlessJob();
    const job = key === undefined ? undefined : this.jobs.get(key);
    return job?.isSettled === false ? job : undefined;
  }

  leftovers(): string[] {
    return this.shell.checks.leftovers();
  }

  effectsOf<Type extends Effect["type"]>(type: Type): Extract<Effect, { type: Type }>[] {
    return this.effects.filter(({ effect }) => effect.type === type).map(({ effect }) => effect as never);
  }

  #threads(): SimulatedThread[] {
    const { threads } = this.shell;
    const list: SimulatedThread[] = [];
    for (let slot = 0; slot < this.options.threads; slot++) {
      const thread = threads.at(slot);
      if (thread !== undefined && !thread.isStray) list.push(thread);
    }
    return [...list, ...threads.strays];
  }

  #note(effect: Effect, from: SchedulerEvent["type"]): void {
    this.effects.push({ at: this.now, effect, from });
    if (effect.type !== "assign") return;
    const { job, slot, count, isAlone } = effect.batch;
    const indices = Array.from({ length: count }, (_, position) => this.scheduler.indexAt(effect.batch, position));
    const isBehind = slot.behind === effect.batch;
    this.assigned.push({ at: this.now, job: job.key, slot: slot.index, indices, isBehind, isAlone });
  }
}
