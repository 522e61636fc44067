/**
 * The scheduler's surroundings, simulated: threads that know only what real ones know (their messages, and their row of
 * the real control block), a shell that performs effects as the dispatcher does, and time that passes when it is told to.
 *
 * The shell judges as it goes. What no scheduler may do is an error in the step where it is done: an item in two places,
 * a third batch in a slot, a word after the end of a job, a timer that rings in its own moment.
 */
import { ControlBlock, ControlRow } from "@threadmill/protocol";
import {
  type Batch,
  type Effect,
  type JobRules,
  type PositionFault,
  type SchedulerEvent,
  type SchedulerOptions,
  type State,
  attemptsOf,
  createState,
  indexAt,
  step,
} from "../../src/scheduler/index.js";

/** What becomes of one run of one item. `hang`: computes until it is terminated; `native`: until it comes back itself. */
export type Fate = "ok" | "fail" | "fail-final" | "crash" | "hang" | { readonly nativeMs: number };

export interface Call {
  readonly index: number;
  readonly attempt: number;
  /** How often this item has been begun before, whether or not that counted as an attempt. */
  readonly runsBefore: number;
}

/** A task as its module would describe it, and how its handler behaves. */
export interface SimulatedTask {
  readonly kind?: "item" | "batch";
  readonly concurrency?: number;
  readonly maxBatchItems?: number;
  /** Time of one item. Default 1. */
  readonly ms?: number | ((index: number) => number);
  readonly fate?: (call: Call) => Fate;
  /** Time of load and setup. Default 0. */
  readonly loadMs?: number;
  readonly load?: (loadsBefore: number) => "ok" | "broken" | "crash";
}

export interface SimulatedJob {
  readonly task: SimulatedTask;
  /** Jobs with the same recipe share what is known of the task. Default: one of its own. */
  readonly recipe?: number;
  readonly items?: number;
  /** The source must be pulled, and gives this much at a time. Default: all items are there. */
  readonly pulledBy?: number;
  readonly rules?: Partial<JobRules>;
  /** A reader sets the pace, who takes outcomes only by `read`. */
  readonly isThrottled?: boolean;
  readonly isWarmUp?: boolean;
}

export interface JobView {
  readonly key: number;
  readonly spec: SimulatedJob;
  state: "waiting" | "running" | "completed" | "cancelled" | "failed";
  settledAt: number | undefined;
  stoppedAt: number | undefined;
  fault: unknown;
  supplied: number;
  /** Indices that have ended, in the order of their commits. */
  readonly delivered: number[];
  readonly failed: Map<number, string>;
  readonly retried: { readonly index: number; readonly attempt: number; readonly delayMs: number }[];
  /** How often each item was begun in any thread. */
  readonly begun: Map<number, number>;
  /** Where each item is that is in some thread's batch. */
  readonly out: Map<number, Batch>;
  readonly ended: Set<number>;
  /** How often the job's threads have handed all back after a pause. */
  pauses: number;
  unread: number;
  /** Some item of it computes for ever. */
  hangs: boolean;
  /** The most items that were between source and reader at once. */
  mostInFlight: number;
}

const RULES: JobRules = {
  weight: 1,
  stopsAtFailure: true,
  retry: { attempts: 1, backoffMs: 100, maxBackoffMs: 30_000, jitter: 0 },
  timeoutMs: 0,
  concurrency: 0,
  batchSize: 0,
  maxInFlight: 0,
};

const OPTIONS: SchedulerOptions = { threads: 2, batchMs: 10, maxBatchItems: 4_096, graceMs: 1_000 };

/** What one event may bring along before we take it for a loop. */
const MOST_EVENTS_AT_ONCE = 10_000;
const MOST_STEPS = 3_000;
const MOST_TICKS_IN_VAIN = 30;

type Job = Batch["job"];

/** One message of a thread, or the end of one. */
type Word = Extract<SchedulerEvent, { incarnation: number }>;

interface RunningCall {
  readonly run: BatchInThread;
  readonly position: number;
  readonly fate: Fate;
}

/** A batch as its thread knows it. */
interface BatchInThread {
  readonly batch: Batch;
  readonly number: number;
  readonly count: number;
  readonly indices: readonly number[];
  readonly attempts: readonly number[] | undefined;
  next: number;
  open: number;
  isExhausted: boolean;
  startedAt: number | undefined;
  readonly faults: PositionFault[];
}

class SimulatedThread {
  readonly slot: number;
  readonly incarnation: number;
  readonly rowNumber: number;
  readonly row: ControlRow;
  readonly runs: BatchInThread[] = [];
  readonly calls = new Set<RunningCall>();
  readonly loaded = new Set<number>();
  /** Every batch that it was ever given. */
  readonly given = new Set<Batch>();
  isAlive = true;
  isLoading = false;
  lastEnd = 0;
  readonly #world: Simulation;

  constructor(world: Simulation, slot: number, incarnation: number, rowNumber: number) {
    this.#world = world;
    this.slot = slot;
    this.incarnation = incarnation;
    this.rowNumber = rowNumber;
    this.row = new ControlRow(world.control.buffer, rowNumber, false);
  }

  /** Whether it holds its JavaScript thread in a call that will not end by itself soon. */
  get isHung(): boolean {
    return [...this.calls].some(({ fate }) => fate === "hang" || typeof fate === "object");
  }

  get isNative(): boolean {
    return [...this.calls].some(({ fate }) => typeof fate === "object");
  }

  receive(batch: Batch): void {
    const indices = Array.from({ length: batch.count }, (_, position) => indexAt(batch, position));
    const { number, count } = batch;
    const attempts = attemptsOf(batch);
    const isExhausted = false;
    this.runs.push({
      batch,
      number,
      count,
      indices,
      attempts,
      next: 0,
      open: 0,
      isExhausted,
      startedAt: undefined,
      faults: [],
    });
    this.#pump();
  }

  /** A stop wakes a thread that waits; one that computes sees it at its next claim. */
  wake(): void {
    if (!this.isHung) this.#pump();
  }

  #pump(): void {
    for (let rounds = 0; this.isAlive && !this.isHung; rounds++) {
      if (rounds > MOST_EVENTS_AT_ONCE) throw new Error("a simulated thread does not let go");
      const run = this.runs.find((one) => !this.#isDone(one));
      const over = this.runs.find((one) => this.#isDone(one));
      if (over !== undefined) {
        this.runs.splice(this.runs.indexOf(over), 1);
        this.#answer(over);
        continue;
      }
      if (run === undefined || !this.#advance(run)) return;
    }
  }

  #isDone(run: BatchInThread): boolean {
    return run.open === 0 && (run.isExhausted || this.row.isStopped(run.number));
  }

  /** Goes on with the first batch that has anything to claim; false if nothing can be done now. */
  #advance(first: BatchInThread): boolean {
    for (let at = this.runs.indexOf(first); at < this.runs.length; at++) {
      const run = this.runs[at]!;
      const { task } = this.#world.spec(run.batch.job.key);
      if (!this.loaded.has(run.batch.job.recipe.id)) {
        if (!this.isLoading) this.#load(run, task);
        return false;
      }
      run.startedAt ??= this.#world.now;
      if (this.#claim(run, task)) return true;
      if (!run.isExhausted || task.kind === "batch") return false;
      if (run.open === 0) return true;
    }
    return false;
  }

  /** True if the state of the batch has changed, so that there may be more to do. */
  #claim(run: BatchInThread, task: SimulatedTask): boolean {
    if (run.isExhausted) return false;
    if (task.kind === "batch") return this.#claimAll(run, task);
    const lanes = run.batch.job.rules.concurrency || (task.concurrency ?? 1);
    if (this.calls.size >= lanes) return false;
    if (run.next >= run.count || !this.row.claim(run.number, run.next)) {
      run.isExhausted = true;
      return true;
    }
    this.#begin(run, run.next++, task, this.#msOf(task, run, run.next - 1));
    return true;
  }

  #claimAll(run: BatchInThread, task: SimulatedTask): boolean {
    if (this.calls.size > 0) return false;
    run.isExhausted = true;
    while (run.next < run.count && this.row.claim(run.number, run.next)) run.next++;
    let ms = 0;
    for (let position = 0; position < run.next; position++) ms += this.#msOf(task, run, position);
    for (let position = 0; position < run.next; position++) this.#begin(run, position, task, ms);
    return true;
  }

  #msOf({ ms = 1 }: SimulatedTask, run: BatchInThread, position: number): number {
    return typeof ms === "number" ? ms : ms(run.indices[position]!);
  }

  #begin(run: BatchInThread, position: number, task: SimulatedTask, ms: number): void {
    const index = run.indices[position]!;
    const runsBefore = this.#world.noteBegun(run.batch.job.key, index);
    const fate = task.fate?.({ index, attempt: run.attempts?.[position] ?? 1, runsBefore }) ?? "ok";
    const call: RunningCall = { run, position, fate };
    run.open++;
    this.calls.add(call);
    if (fate === "hang") {
      this.#world.jobs.get(run.batch.job.key)!.hangs = true;
      return;
    }
    this.#world.after(typeof fate === "object" ? fate.nativeMs : ms, () => {
      if (!this.isAlive || !this.calls.delete(call)) return;
      run.open--;
      if (fate === "crash") {
        this.#die();
        return;
      }
      if (fate === "fail" || fate === "fail-final") {
        run.faults.push({ position, code: "TASK_FAILED", isFinal: fate === "fail-final" });
      }
      this.#pump();
    });
  }

  #load(run: BatchInThread, task: SimulatedTask): void {
    this.isLoading = true;
    const { recipe } = run.batch.job;
    this.#world.after(task.loadMs ?? 0, () => {
      if (!this.isAlive) return;
      this.isLoading = false;
      const how = task.load?.(this.#world.noteLoad(recipe.id)) ?? "ok";
      if (how === "crash") {
        this.#die();
        return;
      }
      if (how === "broken") {
        // A stop lets go of a batch while its task is loaded.
        const at = this.runs.indexOf(run);
        if (at !== -1) {
          this.runs.splice(at, 1);
          this.#say({ type: "broken", ...this.#place(run) });
        }
      } else {
        this.loaded.add(recipe.id);
        const { kind = "item", concurrency = 1, maxBatchItems = 0 } = task;
        this.#world.describe(this, { type: "described", recipe: recipe.id, kind, concurrency, maxBatchItems });
      }
      this.#pump();
    });
  }

  #place(run: BatchInThread): { slot: number; incarnation: number; batch: number } {
    return { slot: this.slot, incarnation: this.incarnation, batch: run.number };
  }

  #answer(run: BatchInThread): void {
    const elapsedMs = this.#world.now - Math.max(run.startedAt ?? this.#world.now, this.lastEnd);
    this.lastEnd = this.#world.now;
    const place = this.#place(run);
    if (this.row.isStopped(run.number)) {
      this.#say({ type: "done", ...place, claimed: 0, faults: undefined, elapsedMs: 0, mainMs: 0, luck: 0 });
    } else if (run.batch.job.recipe.kind === "batch" && run.faults.length > 0) {
      const isFinal = run.faults.some((fault) => fault.isFinal);
      this.#say({ type: "spoilt", ...place, code: "TASK_FAILED", isFinal, elapsedMs, luck: 0 });
    } else {
      const faults = run.faults.length === 0 ? undefined : run.faults;
      this.#say({ type: "done", ...place, claimed: run.next, faults, elapsedMs, mainMs: 0, luck: 0 });
    }
  }

  #say(word: Word): void {
    this.#world.hear(this, word);
  }

  #die(): void {
    this.isAlive = false;
    this.#world.noteDeath(this);
  }

  cur(batch: Batch | undefined): number {
    return batch === undefined ? -1 : this.#world.control.cur(this.rowNumber, batch.number);
  }
}

interface Happening {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export interface SimulationOptions extends Partial<SchedulerOptions> {
  /** Time that a new thread needs. Default 25; the first ones are there at once. */
  readonly startMs?: number;
  /** Whether the start of a thread fails. */
  readonly failsToStart?: (slot: number, incarnation: number) => boolean;
  /** Every answer comes twice. */
  readonly duplicates?: boolean;
  /** Messages arrive this late; those of one thread in their order. */
  readonly latencyMs?: number;
}

export class Simulation {
  readonly options: SchedulerOptions;
  readonly state: State;
  readonly control: ControlBlock;
  readonly jobs = new Map<number, JobView>();
  /** Every effect, in order, as plain data: what two equal runs must have in common. */
  readonly trace: string[] = [];
  /** Every effect with the time and the event that it came from. */
  readonly effects: { readonly at: number; readonly effect: Effect; readonly from: SchedulerEvent["type"] }[] = [];
  /** Batches as they were when they were assigned. */
  readonly assigned: {
    readonly at: number;
    readonly job: number;
    readonly slot: number;
    readonly indices: readonly number[];
    readonly isBehind: boolean;
    readonly isAlone: boolean;
  }[] = [];
  now = 0;
  armedAt: number | undefined;
  readonly threads: (SimulatedThread | undefined)[] = [];
  readonly strays = new Set<SimulatedThread>();
  readonly #freeRows: number[];
  readonly #shell: SimulationOptions;
  readonly #happenings: Happening[] = [];
  readonly #queue: SchedulerEvent[] = [];
  readonly #loads = new Map<number, number>();
  /** Effects that do more than set the timer. */
  #weighty = 0;
  #isStepping = false;
  #order = 0;
  #nextKey = 1;

  constructor(options: SimulationOptions = {}) {
    this.#shell = options;
    const { threads, batchMs, maxBatchItems, graceMs } = { ...OPTIONS, ...options };
    this.options = { threads, batchMs, maxBatchItems, graceMs };
    this.state = createState(this.options);
    this.control = new ControlBlock(2 * threads);
    this.#freeRows = Array.from({ length: 2 * threads }, (_, row) => row).toReversed();
    for (let slot = 0; slot < threads; slot++) this.#startThread(slot, 0, 0);
    this.advance(0);
  }

  // ——— what a test does

  submit(spec: SimulatedJob): JobView {
    const key = this.#nextKey++;
    const items = spec.items ?? 0;
    const isListed = spec.pulledBy === undefined;
    const job: JobView = {
      key,
      spec,
      state: "waiting",
      settledAt: undefined,
      stoppedAt: undefined,
      fault: undefined,
      supplied: isListed ? items : 0,
      delivered: [],
      failed: new Map(),
      retried: [],
      begun: new Map(),
      out: new Map(),
      ended: new Set(),
      pauses: 0,
      unread: 0,
      hangs: false,
      mostInFlight: 0,
    };
    this.jobs.set(key, job);
    this.dispatch({
      type: "submit",
      job: key,
      recipe: spec.recipe ?? 1_000 + key,
      rules: { ...RULES, ...spec.rules },
      supplied: job.supplied,
      sourceEnded: isListed,
      isThrottled: spec.isThrottled ?? false,
      isWarmUp: spec.isWarmUp ?? false,
    });
    return job;
  }

  cancel(job: JobView): void {
    this.dispatch({ type: "stop-asked", job: job.key });
  }

  pause(job: JobView): void {
    this.dispatch({ type: "pause-asked", job: job.key });
  }

  resume(job: JobView): void {
    this.dispatch({ type: "resume-asked", job: job.key });
  }

  /** A throttling reader takes outcomes. */
  read(job: JobView, count: number): void {
    job.unread -= count;
    this.dispatch({ type: "read", job: job.key, count });
  }

  /** Kills the slot's thread from outside. */
  kill(slot: number): void {
    const thread = this.threads[slot];
    if (thread === undefined || !thread.isAlive) return;
    thread.isAlive = false;
    this.noteDeath(thread);
  }

  /** Lets time pass, with all that falls due in it. */
  advance(ms: number, mostSteps = MOST_STEPS): void {
    const until = this.now + ms;
    for (let steps = 0; this.#nextAt() <= until; steps++) {
      if (steps >= mostSteps) throw new Error(`time stands still: ${mostSteps} steps, now ${this.now}`);
      this.#happenNext();
    }
    this.now = until;
  }

  /** Goes on until nothing more will happen by itself, but for a timer that keeps watch over a thread that computes. */
  run(mostSteps = MOST_STEPS): void {
    let inVain = 0;
    for (let steps = 0; this.#nextAt() < Infinity && inVain < MOST_TICKS_IN_VAIN; steps++) {
      const before = this.#weighty;
      const isAlone = this.#happenings.length === 0;
      if (steps >= mostSteps)
        throw new Error(`the simulation does not come to rest: ${mostSteps} steps, now ${this.now}`);
      this.#happenNext();
      inVain = isAlone && this.#weighty === before ? inVain + 1 : 0;
    }
  }

  /** Goes on until the condition holds; an error if it never does. */
  runUntil(holds: () => boolean, mostSteps = MOST_STEPS): void {
    for (let steps = 0; !holds(); steps++) {
      if (this.#nextAt() === Infinity || steps >= mostSteps) throw new Error("what the test waits for never happens");
      this.#happenNext();
    }
  }

  effectsOf<Type extends Effect["type"]>(type: Type): Extract<Effect, { type: Type }>[] {
    return this.effects.filter(({ effect }) => effect.type === type).map(({ effect }) => effect as never);
  }

  /** What is left over when nothing is to be done; empty if all is as it should be. */
  leftovers(): string[] {
    const { state } = this;
    const left: string[] = [];
    if (state.jobs.size > 0) left.push(`jobs kept: ${[...state.jobs.keys()].join(", ")}`);
    for (const slot of state.slots) {
      if (slot.running !== undefined || slot.behind !== undefined) left.push(`a batch in slot ${slot.index}`);
    }
    for (const recipe of state.recipes.values()) if (recipe.jobs.size > 0) left.push(`jobs in recipe ${recipe.id}`);
    if (state.runnable.size > 0) left.push("runnable jobs");
    if (state.backingOff.size > 0) left.push("jobs that back off");
    if (state.warmUps.size > 0) left.push("warm-ups");
    if (state.lingering !== 0) left.push(`lingering: ${state.lingering}`);
    if (this.armedAt !== undefined) left.push(`the timer is on, for ${this.armedAt}`);
    if (!state.isIdle) left.push("idle was not said");
    for (const job of this.jobs.values()) {
      if (job.settledAt === undefined) left.push(`job ${job.key} has not settled`);
      else if (job.stoppedAt === undefined) left.push(`job ${job.key} has not stopped`);
    }
    return left;
  }

  // ——— what threads do

  spec(key: number): SimulatedJob {
    return this.jobs.get(key)!.spec;
  }

  after(ms: number, run: () => void): void {
    this.#happenings.push({ at: this.now + ms, order: this.#order++, run });
  }

  noteBegun(key: number, index: number): number {
    const { begun } = this.jobs.get(key)!;
    const before = begun.get(index) ?? 0;
    begun.set(index, before + 1);
    return before;
  }

  noteLoad(recipe: number): number {
    const before = this.#loads.get(recipe) ?? 0;
    this.#loads.set(recipe, before + 1);
    return before;
  }

  describe(thread: SimulatedThread, event: Extract<SchedulerEvent, { type: "described" }>): void {
    this.after(this.#shell.latencyMs ?? 0, () => {
      if (!this.strays.has(thread)) this.dispatch(event);
    });
  }

  hear(thread: SimulatedThread, word: Word): void {
    this.after(this.#shell.latencyMs ?? 0, () => {
      // Also from a thread that was set aside, or has died since: the incarnation says so, and the word is dropped.
      this.dispatch(word);
      if (this.#shell.duplicates === true) this.dispatch(word);
      if (this.strays.has(thread)) this.#endStray(thread);
    });
  }

  noteDeath(thread: SimulatedThread): void {
    // Node says that a thread has ended after all that it had posted.
    this.after(this.#shell.latencyMs ?? 0, () => {
      if (this.strays.has(thread)) {
        this.#endStray(thread);
        return;
      }
      const slot = this.state.slots[thread.slot]!;
      const cur = [thread.cur(slot.running), thread.cur(slot.behind)] as const;
      this.#freeRows.push(thread.rowNumber);
      this.#takeBackAll(thread);
      this.dispatch({ type: "thread-lost", slot: thread.slot, incarnation: thread.incarnation, cur });
    });
  }

  // ——— the shell

  dispatch(event: SchedulerEvent): void {
    this.#queue.push(event);
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      let events = 0;
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        if (++events > MOST_EVENTS_AT_ONCE) throw new Error(`one event has others without end, the last: ${next.type}`);
        this.#step(next);
      }
    } finally {
      this.#isStepping = false;
    }
  }

  #step(event: SchedulerEvent): void {
    if (event.type === "done" || event.type === "spoilt" || event.type === "broken") this.#takeAnswer(event);
    const out: Effect[] = [];
    step(this.state, event, this.now, out);
    for (const effect of out) {
      this.effects.push({ at: this.now, effect, from: event.type });
      if (effect.type !== "arm") this.#weighty++;
      this.trace.push(describe(this.now, effect));
      this.#perform(effect, event);
    }
    this.#checkState();
  }

  /** The items of an answered batch are in no thread any more; those of a late one never were its. */
  #takeAnswer(event: Extract<SchedulerEvent, { type: "done" | "spoilt" | "broken" }>): void {
    const slot = this.state.slots[event.slot]!;
    if (slot.incarnation !== event.incarnation) return;
    for (const batch of [slot.running, slot.behind]) {
      if (batch?.number === event.batch) this.#takeBack(batch, 0);
    }
  }

  #takeBackAll(thread: SimulatedThread): void {
    for (const batch of thread.given) this.#takeBack(batch, 0);
  }

  #takeBack(batch: Batch, from: number): void {
    const { out } = this.jobs.get(batch.job.key)!;
    for (let position = from; position < batch.count; position++) {
      const index = indexAt(batch, position);
      if (out.get(index) === batch) out.delete(index);
    }
  }

  #perform(effect: Effect, event: SchedulerEvent): void {
    switch (effect.type) {
      case "assign":
        this.#assign(effect.batch);
        break;
      case "revoke": {
        const { batch, keep, least } = effect;
        const thread = this.threads[batch.slot.index]!;
        const from = this.control.revoke(thread.rowNumber, batch.number, keep, least);
        if (from < 0) throw new Error(`a revoke of batch ${batch.number} answers ${from}`);
        this.#takeBack(batch, from);
        const { slot, incarnation } = thread;
        this.dispatch({ type: "revoked", slot, incarnation, batch: batch.number, from });
        break;
      }
      case "stop": {
        const thread = this.threads[effect.batch.slot.index]!;
        this.control.stop(thread.rowNumber, effect.batch.number);
        this.after(0, () => thread.wake());
        break;
      }
      case "commit":
        this.#commit(effect, event);
        break;
      case "fail-item":
        this.#deliver(this.#live(effect.job), effect.index, effect.code);
        break;
      case "retry": {
        const { index, attempt, delayMs } = effect;
        this.#live(effect.job).retried.push({ index, attempt, delayMs });
        break;
      }
      case "started": {
        const job = this.#live(effect.job);
        if (job.state !== "waiting") throw new Error(`job ${effect.job} starts twice`);
        job.state = "running";
        break;
      }
      case "settle":
        this.#settle(effect);
        break;
      case "stopped": {
        const job = this.jobs.get(effect.job)!;
        if (job.settledAt === undefined || job.stoppedAt !== undefined) {
          throw new Error(`job ${effect.job} stops before it settled, or twice`);
        }
        job.stoppedAt = this.now;
        break;
      }
      case "paused":
        this.jobs.get(effect.job)!.pauses++;
        break;
      case "pull":
        this.#pull(this.#live(effect.job), effect.max);
        break;
      case "replace": {
        const thread = this.threads[effect.slot]!;
        this.strays.add(thread);
        // What it has not begun it shall not begin when it comes back.
        for (const { number } of thread.runs) this.control.stop(thread.rowNumber, number);
        this.#takeBackAll(thread);
        this.#startThread(effect.slot, effect.incarnation, this.#shell.startMs ?? 25);
        break;
      }
      case "restart":
        this.#startThread(effect.slot, effect.incarnation, this.#shell.startMs ?? 25);
        break;
      case "terminate-strays":
        for (const thread of this.strays) {
          if (thread.isNative) continue;
          thread.isAlive = false;
          this.after(1, () => this.#endStray(thread));
        }
        break;
      case "arm":
        if (event.type === "tick" && effect.at !== undefined && effect.at <= this.now) {
          throw new Error(`at ${this.now} a tick asks for another one at ${effect.at}`);
        }
        this.armedAt = effect.at;
        break;
      case "capacity-lost":
      case "idle":
        break;
      default:
        effect satisfies never;
    }
  }

  #assign(batch: Batch): void {
    const thread = this.threads[batch.slot.index];
    if (thread === undefined || batch.slot.phase !== "ready") throw new Error(`slot ${batch.slot.index} has no thread`);
    if (thread.incarnation !== batch.slot.incarnation) throw new Error("a batch for an earlier life of its slot");
    const job = this.#live(batch.job.key);
    const indices = Array.from({ length: batch.count }, (_, position) => indexAt(batch, position));
    for (const index of indices) {
      if (index >= job.supplied) throw new Error(`item ${index} of job ${job.key} does not exist`);
      if (job.ended.has(index)) throw new Error(`item ${index} of job ${job.key} goes again after it has ended`);
      if (job.out.has(index)) throw new Error(`item ${index} of job ${job.key} is in two batches`);
      job.out.set(index, batch);
    }
    if (batch.slot.running?.isAlone === true && batch.slot.running !== batch) {
      throw new Error("something goes behind an item that must be alone");
    }
    const { running, behind } = batch.slot;
    if (running !== undefined && behind !== undefined && (running.number & 1) === (behind.number & 1)) {
      throw new Error(`batches ${running.number} and ${behind.number} of one slot share their words of shared memory`);
    }
    thread.given.add(batch);
    const isBehind = batch.slot.behind === batch;
    const { isAlone } = batch;
    this.assigned.push({ at: this.now, job: job.key, slot: batch.slot.index, indices, isBehind, isAlone });
    this.control.assign(thread.rowNumber, batch.number, batch.count);
    this.after(this.#shell.latencyMs ?? 0, () => {
      if (thread.isAlive) thread.receive(batch);
    });
  }

  #commit({ batch, claimed, retried }: Extract<Effect, { type: "commit" }>, event: SchedulerEvent): void {
    const job = this.#live(batch.job.key);
    const failed = new Map<number, string>();
    if (event.type === "done") {
      for (const { position, code } of event.faults ?? []) failed.set(position, code);
    } else if (event.type === "spoilt") failed.set(0, event.code);
    for (let position = 0; position < claimed; position++) {
      if (retried?.has(position) !== true) this.#deliver(job, indexAt(batch, position), failed.get(position));
    }
  }

  #deliver(job: JobView, index: number, code: string | undefined): void {
    if (job.ended.has(index)) throw new Error(`item ${index} of job ${job.key} ends twice`);
    if (job.out.has(index)) throw new Error(`item ${index} of job ${job.key} ends while it is in a batch`);
    job.ended.add(index);
    job.delivered.push(index);
    if (code !== undefined) job.failed.set(index, code);
    if (job.spec.isThrottled === true) job.unread++;
  }

  #settle(effect: Extract<Effect, { type: "settle" }>): void {
    const job = this.#live(effect.job);
    job.state = effect.outcome;
    job.settledAt = this.now;
    if (effect.outcome === "failed") job.fault = effect.fault;
    if (effect.outcome === "completed" && job.delivered.length !== (job.spec.items ?? 0)) {
      throw new Error(`job ${job.key} completed with ${job.delivered.length} of ${job.spec.items ?? 0} items`);
    }
  }

  #pull(job: JobView, max: number): void {
    const items = job.spec.items ?? 0;
    const { pulledBy = Infinity } = job.spec;
    this.after(0, () => {
      if (job.settledAt !== undefined) return;
      const count = Math.min(max, pulledBy, items - job.supplied);
      job.supplied += count;
      job.mostInFlight = Math.max(job.mostInFlight, job.supplied - job.delivered.length + job.unread);
      if (count > 0) this.dispatch({ type: "items", job: job.key, count });
      this.dispatch({ type: "pulled", job: job.key, ended: job.supplied === items });
    });
  }

  /** The job that an effect is about, which must not have ended. */
  #live(key: number): JobView {
    const job = this.jobs.get(key)!;
    if (job.settledAt !== undefined) throw new Error(`an effect for job ${key}, which has settled`);
    return job;
  }

  #startThread(slot: number, incarnation: number, ms: number): void {
    const row = this.#freeRows.pop();
    if (row === undefined) throw new Error("no row is left: more threads than may be");
    const thread = new SimulatedThread(this, slot, incarnation, row);
    this.control.open(row, incarnation);
    this.threads[slot] = undefined;
    this.after(ms, () => {
      if (this.#shell.failsToStart?.(slot, incarnation) === true) {
        this.#freeRows.push(row);
        this.dispatch({ type: "thread-failed", slot, incarnation });
        return;
      }
      this.threads[slot] = thread;
      this.dispatch({ type: "thread-ready", slot, incarnation });
    });
  }

  #endStray(thread: SimulatedThread): void {
    if (!this.strays.delete(thread)) return;
    thread.isAlive = false;
    this.#freeRows.push(thread.rowNumber);
    this.dispatch({ type: "stray-ended" });
  }

  #checkState(): void {
    const { state } = this;
    for (const slot of state.slots) {
      const { running, behind, reservedFor } = slot;
      if (behind !== undefined && running === undefined) throw new Error("a batch behind nothing");
      if (slot.phase === "starting" && running !== undefined) throw new Error("a batch without a thread");
      if (reservedFor !== undefined && reservedFor.phase === "settled") throw new Error("a slot is kept for the dead");
      if (slot.phase !== "ready" || running !== undefined) continue;
      if (state.runnable.size > 0) throw new Error(`slot ${slot.index} has nothing to do while there is work`);
      if ([...state.warmUps].some(({ toWarm }) => toWarm?.has(slot))) throw new Error(`slot ${slot.index} stays cold`);
    }
    for (const job of state.jobs.values()) checkJob(state, job);
    for (const { id, phase, jobs } of state.recipes.values()) {
      const batches = state.slots.flatMap(({ running, behind }) => [running, behind]);
      if (phase !== "probing" || batches.some((batch) => batch?.isProbe === true && batch.job.recipe.id === id))
        continue;
      throw new Error(`${jobs.size} jobs wait for a description of recipe ${id} that nobody will bring`);
    }
    if (state.setAside !== this.strays.size) throw new Error("the count of threads set aside is wrong");
    if (state.setAside > this.options.threads) throw new Error("more threads set aside than may be");
  }

  #nextAt(): number {
    let at = this.armedAt ?? Infinity;
    for (const happening of this.#happenings) at = Math.min(at, happening.at);
    return at;
  }

  #happenNext(): void {
    let best: Happening | undefined;
    for (const one of this.#happenings) {
      if (best === undefined || one.at < best.at || (one.at === best.at && one.order < best.order)) best = one;
    }
    // Answers that are there come before the verdict on their thread.
    if (best !== undefined && best.at <= (this.armedAt ?? Infinity)) {
      this.#happenings.splice(this.#happenings.indexOf(best), 1);
      this.now = Math.max(this.now, best.at);
      best.run();
      return;
    }
    this.now = Math.max(this.now, this.armedAt!);
    this.armedAt = undefined;
    const cursors = this.state.slots.map(({ index, running, behind }) => {
      const thread = this.threads[index];
      return [thread?.cur(running) ?? -1, thread?.cur(behind) ?? -1] as const;
    });
    this.dispatch({ type: "tick", cursors });
  }
}

/** No item is lost or doubled, and a job that has something to assign is known to have it. */
function checkJob(state: State, job: Job): void {
  const { key, fresh, supplied, returned, suspects, retries } = job;
  let held = supplied - fresh + returned.size + suspects.length + retries.size + job.completed + job.failed;
  for (const piece of job.pieces) held += piece.count;
  for (const batch of job.batches) held += batch.count;
  if (held !== supplied) throw new Error(`job ${key} has ${supplied} items, and accounts for ${held}`);
  const isWaiting = fresh < supplied || returned.size > 0 || suspects.length > 0 || job.pieces.length > 0;
  const canGo = job.phase === "live" && job.recipe.phase !== "probing" && isWaiting;
  if (canGo && !state.runnable.has(job)) throw new Error(`job ${key} has work that is forgotten`);
  if (state.runnable.has(job) && !canGo && retries.size === 0) throw new Error(`job ${key} has no work to give`);
}

/** An effect as plain text: batches are named by slot and number. */
function describe(now: number, effect: Effect): string {
  return `${now} ${JSON.stringify(effect, (key, value: unknown) => {
    if (key === "batch") {
      const { slot, number, indices, count } = value as Batch;
      return { slot: slot.index, number, indices, count };
    }
    return value instanceof Set ? [...(value as Set<unknown>)] : value;
  })}`;
}
