/**
 * The threads behind the slots: started, heard, set aside, ended. What they say becomes events here, as it does in the
 * engine's `threads.ts` and `inbox.ts`.
 */
import type { Batch, Cursors } from "@threadmill/engine/internal/scheduler";
import { ThreadState } from "@threadmill/protocol";
import type { Readiness, ReadinessSteps } from "@threadmill/workers/runner";
import { Kind } from "./agenda.js";
import { noteBegun } from "./books.js";
import { Inbox } from "./inbox.js";
import type { JobView } from "./job-view.js";
import type { Shell } from "./shell.js";
import { SimulatedThread } from "./simulated-thread.js";
import type { BatchInThread, RunningCall, ThreadWorld, ToThread, Word } from "./thread-world.js";
import type { LoadStep, RecipeInThread } from "./recipe-in-thread.js";
import type { Fate, LoadFate } from "./spec.js";
import { broken } from "./violation.js";

const EPSILON_MS = 1e-6;

export class ThreadsBySlot implements ThreadWorld {
  readonly strays = new Set<SimulatedThread>();
  /** Slots whose thread has not come back since it was said that there is no room to set it aside. */
  readonly stuck = new Set<number>();
  /** When the threads that were set aside were last asked to end. */
  strayCheckAt = 0;
  /** Faults of handlers, loads and threads; without them, whatever was drawn for a handler ends well. */
  hasFaults = true;
  #setAsideAt = -1;
  readonly #shell: Shell;
  readonly #bySlot: (SimulatedThread | undefined)[] = [];
  /** Threads that die soon, and what they said last, are known here until the main thread hears of it. */
  readonly #freeRows: number[];
  /** How often each recipe was imported, and set up, in any thread. */
  readonly #imports = new Map<number, number>();
  readonly #setups = new Map<number, number>();
  readonly inbox: Inbox;

  constructor(shell: Shell) {
    this.#shell = shell;
    this.inbox = new Inbox(shell, this);
    const rows = 2 * shell.options.threads;
    this.#freeRows = Array.from({ length: rows }, (_, row) => row).toReversed();
  }

  get now(): number {
    return this.#shell.now;
  }
  get graceMs(): number {
    return this.#shell.options.graceMs;
  }
  get buffer(): SharedArrayBuffer {
    return this.#shell.control.buffer;
  }
  get freeRows(): number {
    return this.#freeRows.length;
  }

  at(slot: number): SimulatedThread | undefined {
    return this.#bySlot[slot];
  }

  /** The last claims in the slot's batches, as its thread has left them. */
  cursors(slot: number, running: Batch | undefined, behind: Batch | undefined): Cursors {
    const row = this.#bySlot[slot]?.rowNumber ?? 0;
    const { control } = this.#shell;
    return [
      running === undefined ? -1 : control.cur(row, running.number),
      behind === undefined ? -1 : control.cur(row, behind.number),
    ];
  }

  holdsBatchOf(job: JobView): boolean {
    return this.#bySlot.some((thread) => thread?.sent.some((sent) => sent.job === job) === true);
  }

  // ——— life of a thread

  start(slot: number, incarnation: number): void {
    const row = this.#freeRows.pop();
    if (row === undefined) return broken("S10", "no row is left: more threads than may be");
    const before = this.#bySlot[slot];
    if (before !== undefined && before.state !== "gone" && !before.isStray) {
      return broken("S10", `slot ${slot} gets a thread and has one`);
    }
    if (before !== undefined && before.incarnation >= incarnation)
      broken("S8", `slot ${slot} lives twice as ${incarnation}`);
    const thread = new SimulatedThread(this, slot, incarnation, row);
    this.#shell.control.open(row, incarnation);
    this.#bySlot[slot] = thread;
    if (!this.#shell.isByHand) this.#planStart(thread);
  }

  #planStart(thread: SimulatedThread): void {
    const { slot, incarnation } = thread;
    this.#shell.agenda.plan(this.now + this.#shell.chance.startMs(slot, incarnation), Kind.STARTED, thread, undefined);
  }

  /** The thread runs, or cannot. */
  #started(thread: SimulatedThread): void {
    const { slot, incarnation } = thread;
    const shell = this.#shell;
    if (thread.state !== "starting") return;
    if (this.hasFaults && shell.chance.failsToStart(slot, incarnation)) {
      thread.state = "gone";
      this.#freeRows.push(thread.rowNumber);
      shell.dispatch({ type: "thread-failed", slot, incarnation });
      shell.causes.afterFailedStart(slot);
      const { slots } = shell.state;
      if (slots[slot]?.phase !== "broken") return;
      shell.counters["slot broken"]++;
      for (const job of shell.jobs.values()) if (job.spec.isWarmUp === true) job.warmed.add(slot);
      if (slots.every(({ phase }) => phase === "broken")) shell.counters["all slots broken"]++;
      return;
    }
    thread.state = "alive";
    shell.causes.onStarted(slot);
    shell.dispatch({ type: "thread-ready", slot, incarnation });
  }

  /** The thread dies, in the middle of whatever it does; the main thread hears of it later. */
  die(thread: SimulatedThread): void {
    if (!thread.isAlive) return;
    const shell = this.#shell;
    thread.state = "dead";
    shell.trace.say(this.now, `thread ${thread.slot}/${thread.incarnation} dies`);
    const lost = shell.chance.lostWith(thread.outbox.length);
    if (lost > 0) {
      shell.counters["crash that took answers with it"]++;
      thread.outbox.length -= lost;
    }
    if (thread.runs.length === 0) {
      if (thread.sent.length === 0) shell.counters["crash of an idle thread"]++;
      else shell.counters["crash after the answer was posted"]++;
    }
    if (!shell.isByHand) shell.agenda.plan(this.now + shell.chance.exitMs(), Kind.EXIT, thread, undefined);
  }

  /** Node says that a thread has ended. What it said before counts, if it arrived. */
  exit(thread: SimulatedThread): void {
    if (thread.state === "gone") return;
    const shell = this.#shell;
    const { slot, incarnation } = thread;
    if (!this.strays.has(thread)) {
      thread.isEnding = true;
      this.stuck.delete(slot);
      shell.dispatch({ type: "thread-ending", slot, incarnation });
    }
    while (thread.outbox.length > 0) this.inbox.take(thread, thread.outbox.shift() as Word);
    if (this.strays.has(thread)) {
      this.#dropStray(thread);
      return;
    }
    thread.state = "gone";
    const held = shell.state.slots[slot];
    const cur = this.cursors(slot, held?.running, held?.behind);
    this.#freeRows.push(thread.rowNumber);
    if (thread.sent.some((sent) => sent.job.spec.isWarmUp === true)) shell.counters["warm-up on a lost thread"]++;
    if (thread.sent.length === 2 && thread.sent[0]?.job !== thread.sent[1]?.job) {
      shell.counters["crash of a thread with two jobs in it"]++;
    }
    if (shell.state.runnable.size >= 2) shell.counters["crash with two jobs waiting"]++;
    this.#takeBack(thread);
    const blamed = shell.causes.onDeath(thread);
    thread.sent.length = 0;
    shell.dispatch({ type: "thread-lost", slot, incarnation, cur });
    shell.causes.afterDeath(blamed);
  }

  /** The thread will not answer for what it holds any more. */
  #takeBack(thread: SimulatedThread): void {
    for (const sent of thread.sent) {
      sent.job.takeBack(sent, 0, this.#shell.scheduler.indexAt);
      sent.job.batchCount--;
      this.#shell.shares.onLeft(sent);
    }
  }

  setAside(slot: number): void {
    const thread = this.#bySlot[slot];
    if (thread === undefined || thread.isStray) return broken("S8", `slot ${slot} has no thread to set aside`);
    const { control, counters } = this.#shell;
    counters["thread set aside"]++;
    if (control.state(thread.rowNumber) === ThreadState.NATIVE) counters["thread set aside in native code"]++;
    this.strays.add(thread);
    this.#setAsideAt = this.now;
    thread.isStray = true;
    if (thread.sent[0]?.batch.isUnheeded === true) counters["thread set aside that looked at nothing"]++;
    // What it has not begun it shall not begin when it comes back.
    for (const { batch } of thread.sent) this.stop(thread, batch.number);
    this.#takeBack(thread);
    this.#shell.causes.onSetAside(thread, this.stuck.delete(slot));
    thread.sent.length = 0;
  }

  stop(thread: SimulatedThread, batch: number): void {
    this.#shell.control.stop(thread.rowNumber, batch);
    this.#shell.agenda.plan(this.now + this.#shell.chance.noticeMs(), Kind.STOP_SEEN, thread, undefined);
  }

  /** Ends threads that were set aside, as far as that is safe; the others are left until they come back. */
  terminateStrays(isTick = false): void {
    const shell = this.#shell;
    if (isTick && this.#setAsideAt !== this.now && this.now < this.strayCheckAt + this.graceMs - EPSILON_MS) {
      broken("L4", "threads that were set aside are asked to end without a grace in between");
    }
    // By themselves they are asked as soon as one says a word; that puts no other look off.
    if (isTick || this.#setAsideAt === this.now) this.strayCheckAt = this.now;
    for (const thread of this.strays) {
      if (thread.isTerminating || !shell.control.condemn(thread.rowNumber)) continue;
      const call = blockingCall(thread);
      if (typeof call?.fate === "object" || call?.run.task.nature === "native" || isNativeSetup(thread))
        broken("S8", "a thread is terminated in native code");
      thread.isTerminating = true;
      shell.agenda.plan(this.now + shell.chance.terminateMs(), Kind.TERMINATED, thread, undefined);
    }
  }

  #dropStray(thread: SimulatedThread): void {
    if (!this.strays.delete(thread)) return;
    this.#shell.progress++;
    thread.state = "gone";
    this.#freeRows.push(thread.rowNumber);
    this.#shell.dispatch({ type: "stray-ended" });
  }

  onCapacityLost(slot: number): void {
    if (this.strays.size < this.#shell.options.threads) broken("L4", `slot ${slot} is stuck while there is room`);
    if (this.stuck.has(slot)) broken("S12", `slot ${slot} is said to be stuck, and was before`);
    this.stuck.add(slot);
  }

  // ——— messages

  /** To a thread. */
  post(thread: SimulatedThread, message: ToThread): void {
    thread.inbox.push(message);
    const shell = this.#shell;
    if (shell.isByHand) return;
    thread.lastArrivalAt = Math.max(this.now + shell.chance.latencyMs(), thread.lastArrivalAt);
    shell.agenda.plan(thread.lastArrivalAt, Kind.ARRIVE, thread, undefined);
  }

  /** From a thread. */
  say(thread: SimulatedThread, word: Word): void {
    thread.outbox.push(word);
    const shell = this.#shell;
    if (shell.isByHand) return;
    thread.lastDeliveryAt = Math.max(this.now + shell.chance.latencyMs(), thread.lastDeliveryAt);
    shell.agenda.plan(thread.lastDeliveryAt, Kind.DELIVER, thread, undefined);
  }

  /** The oldest message of the thread arrives; false if there is none. */
  deliver(thread: SimulatedThread): boolean {
    const word = thread.outbox.shift();
    if (word === undefined) return false;
    this.inbox.take(thread, word);
    return true;
  }

  happen(kind: Kind, subject: unknown, detail: unknown): void {
    const thread = subject as SimulatedThread;
    switch (kind) {
      case Kind.DELIVER:
        this.deliver(thread);
        break;
      case Kind.STARTED:
        this.#started(thread);
        break;
      case Kind.EXIT:
        this.exit(thread);
        break;
      case Kind.TERMINATED:
        thread.outbox.length = 0;
        if (thread.isAlive) thread.state = "dead";
        this.#dropStray(thread);
        break;
      case Kind.DIE:
        this.die(thread);
        break;
      default:
        thread.happen(kind, detail);
    }
  }

  // ——— what a thread asks of the world

  plan(thread: SimulatedThread, ms: number, kind: Kind, detail: unknown): void {
    if (!this.#shell.isByHand) this.#shell.agenda.plan(this.now + ms, kind, thread, detail);
    else thread.waiting.push({ kind, detail, ms });
  }

  planTimer(thread: SimulatedThread, ms: number, kind: Kind, detail: unknown): void {
    this.#shell.agenda.plan(this.now + ms, kind, thread, detail);
  }

  claimGapMs(): number {
    return this.#shell.chance.claimGapMs();
  }

  relapseMs(): number | undefined {
    return this.#shell.chance.relapseMs();
  }

  isGapFirst(): boolean {
    return this.#shell.chance.isGapFirst();
  }

  onBegin(thread: SimulatedThread, run: BatchInThread, position: number): Fate {
    const { sent } = run;
    const { job } = sent;
    const index = this.#shell.scheduler.indexAt(sent.batch, position);
    noteBegun(run, thread, position, index, this.now);
    if (!run.recipe.isSetUp) broken("S8", `item ${index} of job ${job.key} begins before its setup`);
    const runsBefore = job.begins[index] as number;
    job.begins[index] = runsBefore + 1;
    job.firstBegunAt ??= this.now;
    const { fate } = job.task;
    if (fate === undefined) return "ok";
    const drawn = fate({ index, attempt: sent.attempts?.[position] ?? 1, runsBefore });
    return this.hasFaults || !isFault(drawn) ? drawn : "ok";
  }

  onEnded(run: BatchInThread, position: number): void {
    const { job, batch } = run.sent;
    job.runners[this.#shell.scheduler.indexAt(batch, position)] = undefined;
  }

  onBeganBehind(): void {
    this.#shell.counters["batch behind begun before the one ahead ended"]++;
  }

  onAbandoned(): void {
    this.#shell.counters["handler abandoned"]++;
  }

  createReadiness(steps: ReadinessSteps): Readiness {
    return new this.#shell.scheduler.Readiness(steps);
  }

  onWaits({ step, hasModule }: RecipeInThread): void {
    const { counters } = this.#shell;
    if (step?.does === "sets up") counters["batch that joins a setup under way"]++;
    else if (step !== undefined) counters["batch that joins an import under way"]++;
    else if (hasModule) counters["module that was imported, and not set up"]++;
  }

  onLeftByImport(): void {
    this.#shell.counters["batch left behind by its import"]++;
  }

  importFate({ id, task }: RecipeInThread): LoadFate {
    const fate = task.import?.(countUp(this.#imports, id)) ?? "ok";
    return this.hasFaults ? fate : "ok";
  }

  setupFate({ id, task }: RecipeInThread): LoadFate {
    const fate = task.setup?.fate?.(countUp(this.#setups, id)) ?? "ok";
    return this.hasFaults ? fate : "ok";
  }

  callMs(run: BatchInThread, first: number, end: number): number {
    const { ms = 1 } = run.task;
    if (typeof ms === "number") return ms * (end - first);
    let sum = 0;
    for (let at = first; at < end; at++) sum += ms(this.#indexOf(run, at));
    return sum;
  }

  #indexOf(run: BatchInThread, position: number): number {
    return this.#shell.scheduler.indexAt(run.sent.batch, position);
  }

  // ——— by hand

  /** The thread takes its next step: starts, reads a message, or comes to the end of what it is at. */
  work(thread: SimulatedThread): boolean {
    if (thread.state === "starting") {
      this.#started(thread);
      return true;
    }
    if (thread.state === "dead") {
      this.exit(thread);
      return true;
    }
    if (!thread.isAlive) return false;
    const at = thread.waiting.findIndex(({ detail }) => thread.blockedBy === undefined || thread.blockedBy === detail);
    if (thread.blockedBy === undefined && thread.inbox.length > thread.arrived) {
      thread.happen(Kind.ARRIVE, undefined);
      return true;
    }
    if (at === -1) return false;
    const [next] = thread.waiting.splice(at, 1);
    if (next !== undefined) thread.happen(next.kind, next.detail);
    return true;
  }

  /** From now on everything happens by itself, also what waited for a hand. */
  letGo(): void {
    const { agenda, chance } = this.#shell;
    for (const thread of [...this.#bySlot, ...this.strays]) {
      if (thread === undefined) continue;
      if (thread.state === "starting") this.#planStart(thread);
      for (const { kind, detail, ms } of thread.waiting.splice(0)) agenda.plan(this.now + ms, kind, thread, detail);
      for (let at = thread.arrived; at < thread.inbox.length; at++)
        agenda.plan(this.now, Kind.ARRIVE, thread, undefined);
      for (let at = 0; at < thread.outbox.length; at++) agenda.plan(this.now, Kind.DELIVER, thread, undefined);
      if (thread.state === "dead") agenda.plan(this.now + chance.exitMs(), Kind.EXIT, thread, undefined);
    }
  }
}

/** Answers how often there was one before. */
function countUp(counts: Map<number, number>, id: number): number {
  const before = counts.get(id) ?? 0;
  counts.set(id, before + 1);
  return before;
}

/** Whether a fate is the fault of more than an item. */
function isFault(fate: Fate): boolean {
  return fate === "crash" || fate === "hang" || fate === "await" || fate === "exit-after";
}

/** The batch of a call that holds the thread, for those who ask how long. */
export function blockingCall(thread: SimulatedThread): RunningCall | undefined {
  const { blockedBy } = thread;
  return blockedBy !== undefined && "deadline" in blockedBy ? blockedBy : undefined;
}

function isNativeSetup({ blockedBy }: SimulatedThread): boolean {
  const step: LoadStep | undefined = blockedBy !== undefined && "does" in blockedBy ? blockedBy : undefined;
  return step?.does === "sets up" && step.recipe.task.nature === "native";
}
