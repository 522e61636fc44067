/**
 * A thread as the real runner behaves (`workers/src/runner/thread.ts`), knowing only what that knows: the messages it
 * got, and its row of the real control block. What its handlers do is up to the fates that the world draws for them.
 */
import { ControlRow, type ErrorCode } from "@threadmill/protocol";
import { Kind } from "./agenda.js";
import type { Sent } from "./sent.js";
import type { Fate, SimulatedTask } from "./spec.js";
import {
  type BatchInThread,
  type Claiming,
  type Load,
  Position,
  type RunningCall,
  type ThreadWorld,
  type ToThread,
  type Word,
  gravity,
  natureOf,
} from "./thread-world.js";

/** A handler that only waits is left behind after this share of the grace. */
const ABANDON_SHARE = 0.6;

export class SimulatedThread {
  readonly slot: number;
  readonly incarnation: number;
  readonly rowNumber: number;
  readonly row: ControlRow;
  /** Batches that were sent and not answered, as the main thread knows it. */
  readonly sent: Sent[] = [];
  /** What the main thread asked about when a message could not be read. */
  asked: readonly number[] = [];
  /** Messages on their way to the thread, and how many of them have arrived. */
  readonly inbox: ToThread[] = [];
  arrived = 0;
  /** Messages on their way from the thread. */
  readonly outbox: Word[] = [];
  /** When the last message arrived or will: the ports keep the order. */
  lastArrivalAt = 0;
  lastDeliveryAt = 0;
  readonly runs: BatchInThread[] = [];
  /** Handler calls that have not ended, abandoned ones too. */
  readonly calls: RunningCall[] = [];
  readonly loaded = new Set<number>();
  readonly described = new Set<number>();
  readonly loads: Load[] = [];
  /** Steps that wait for a hand. */
  readonly waiting: { readonly kind: Kind; readonly detail: unknown; readonly ms: number }[] = [];
  state: "starting" | "alive" | "dead" | "gone" = "starting";
  isTerminating = false;
  isStray = false;
  inFlight = 0;
  /** What its JavaScript cannot do anything else for. */
  blockedBy: RunningCall | Load | Claiming | undefined;
  /** Steps that fell due while it was blocked. */
  readonly #due: { readonly kind: Kind; readonly detail: unknown }[] = [];
  #stopRaised = false;
  #lastEnd = 0;
  readonly #world: ThreadWorld;

  constructor(world: ThreadWorld, slot: number, incarnation: number, rowNumber: number) {
    this.#world = world;
    this.slot = slot;
    this.incarnation = incarnation;
    this.rowNumber = rowNumber;
    this.row = new ControlRow(world.buffer, rowNumber, false);
  }

  get isAlive(): boolean {
    return this.state === "alive";
  }

  /** The job of something in it that nobody but a caller will end. A time limit does not hold for load and setup. */
  endlessJob(): number | undefined {
    for (const { run, fate, deadline, isAbandoned } of this.calls) {
      const isEndless = deadline === Infinity && (fate === "hang" || fate === "await");
      if (isEndless && !isAbandoned) return run.sent.batch.job.key;
    }
    for (const { fate, waiters } of this.loads) {
      const waiter = waiters.find(({ isLoading }) => isLoading);
      if ((fate === "hang" || fate === "await") && waiter !== undefined) return waiter.sent.batch.job.key;
    }
    return undefined;
  }

  get isClaiming(): boolean {
    return this.blockedBy !== undefined && "hasStored" in this.blockedBy;
  }

  /** What it is in for ever ends all the same, as native code does that was only slow. */
  comeBack(): void {
    for (const call of [...this.calls]) {
      if (call.fate !== "hang" && call.fate !== "await") continue;
      this.#world.planTimer(this, 0, Kind.CALL_END, call);
    }
    for (const load of this.loads) {
      if (load.fate === "hang" || load.fate === "await") this.#world.planTimer(this, 0, Kind.LOAD_END, load);
    }
  }

  /** What the thread is in goes on for ever; false if it is in nothing. */
  hang(): boolean {
    const at = this.calls.findIndex((call) => !call.isAbandoned && call.fate !== "await");
    const call = this.calls[at];
    if (!this.isAlive || call === undefined || (this.blockedBy !== undefined && this.blockedBy !== call)) return false;
    // A handler that computes holds its thread, also one that was to wait.
    const hung: RunningCall = { ...call, fate: "hang", isSync: true };
    call.isOver = true;
    this.calls[at] = hung;
    if (!call.isSync) this.#freeLane(call);
    this.blockedBy = hung;
    return true;
  }

  /** A step of the thread has fallen due. */
  happen(kind: Kind, detail: unknown): void {
    if (!this.isAlive) return;
    if (kind === Kind.ARRIVE) this.arrived++;
    else if (this.blockedBy === undefined || this.blockedBy === detail) {
      this.#act(kind, detail);
    } else if (kind === Kind.STOP_SEEN) this.#stopRaised = true;
    else this.#due.push({ kind, detail });
    this.#catchUp();
  }

  /** Whatever waited while the thread was blocked, in the order of an event loop: ends and timers, then messages. */
  #catchUp(): void {
    while (this.isAlive && this.blockedBy === undefined) {
      const due = this.#due.shift();
      if (due !== undefined) this.#act(due.kind, due.detail);
      else if (this.#stopRaised) this.#onStop();
      else if (this.arrived > 0) {
        this.arrived--;
        this.#receive(this.inbox.shift() as ToThread);
      } else return;
    }
  }

  #act(kind: Kind, detail: unknown): void {
    switch (kind) {
      case Kind.CALL_END:
        this.#endCall(detail as RunningCall);
        break;
      case Kind.CLAIM:
        this.blockedBy = undefined;
        this.#store(detail as Claiming);
        this.#claimed((detail as Claiming).run);
        this.#pump();
        break;
      case Kind.EXPIRE:
        this.#expire(detail as RunningCall);
        break;
      case Kind.ABANDON:
        this.#abandon(detail as BatchInThread);
        break;
      case Kind.LOAD_END:
        this.#endLoad(detail as Load);
        break;
      case Kind.STOP_SEEN:
        this.#onStop();
        break;
      default:
        throw new Error(`no step of a thread: ${kind}`);
    }
  }

  #receive(message: ToThread): void {
    switch (message.type) {
      case "batch":
        this.#receiveBatch(message.sent);
        break;
      case "which":
        this.#post({ type: "held", batches: this.runs.map(({ number }) => number) });
        break;
      case "forget":
        this.loaded.delete(message.recipe);
        this.described.delete(message.recipe);
        break;
    }
  }

  #receiveBatch(sent: Sent): void {
    if (sent.isUnreadable) {
      this.#post({ type: "unreadable" });
      return;
    }
    const { task, recipe } = sent.job;
    this.runs.push({
      sent,
      number: sent.batch.number,
      count: sent.count,
      task,
      recipe,
      positions: [],
      next: 0,
      open: 0,
      isExhausted: false,
      startedAt: -1,
      hasBegun: false,
      isLoading: false,
      stopSeen: false,
      faults: undefined,
      spoilt: undefined,
      isUnreadable: false,
      exitsAfter: false,
    });
    if (this.loaded.has(recipe)) this.#describe(recipe, task);
    this.#pump();
  }

  #describe(recipe: number, task: SimulatedTask): void {
    if (this.described.has(recipe)) return;
    this.described.add(recipe);
    this.#post({ type: "described", recipe, task });
  }

  #post(word: Word): void {
    this.#world.say(this, word);
  }

  /** Starts whatever can be started: after every message and every end of a call. */
  #pump(): void {
    const { runs } = this;
    for (let at = 0; at < runs.length && this.blockedBy === undefined && this.isAlive;) {
      const run = runs[at] as BatchInThread;
      if (!run.isExhausted) this.#advance(run);
      if (this.blockedBy !== undefined || !this.isAlive) return;
      if (run.isExhausted && run.open === 0) {
        runs.splice(at, 1);
        this.#finish(run);
      } else if (run.isExhausted && run.task.kind !== "batch") {
        at++; // Its lanes are thinning out: fill them from the batch behind.
        if (at < runs.length) this.#world.onBeganBehind();
      } else return;
    }
  }

  #advance(run: BatchInThread): void {
    if (this.row.isStopped(run.number)) {
      run.isExhausted = true;
      return;
    }
    if (!this.loaded.has(run.recipe)) {
      if (run.startedAt < 0) this.#prepare(run);
      return;
    }
    if (!run.hasBegun) this.#begin(run);
    if (run.task.kind !== "batch") this.#callItems(run);
    else if (this.inFlight === 0) this.#claim(run, run.count - 1);
  }

  #begin(run: BatchInThread): void {
    run.startedAt = this.#world.now;
    run.hasBegun = true;
    this.row.enter(natureOf(run.task));
  }

  // ——— load and setup

  #prepare(run: BatchInThread): void {
    run.startedAt = this.#world.now;
    run.open++;
    run.isLoading = true;
    this.row.noteLoading(run.number);
    this.row.enter("unknown");
    let load = this.loads.find(({ recipe }) => recipe === run.recipe);
    if (load !== undefined) {
      load.waiters.push(run);
      return;
    }
    load = { recipe: run.recipe, task: run.task, fate: this.#world.loadFate(run), waiters: [run] };
    this.loads.push(load);
    if (load.fate === "hang") this.blockedBy = load;
    else if (load.fate !== "await") this.#world.plan(this, run.task.loadMs ?? 0, Kind.LOAD_END, load);
  }

  #endLoad(load: Load): void {
    const at = this.loads.indexOf(load);
    if (at === -1) return;
    this.loads.splice(at, 1);
    if (this.blockedBy === load) this.blockedBy = undefined;
    if (load.fate === "crash") {
      this.#world.die(this);
      return;
    }
    const isBroken = load.fate === "broken";
    if (!isBroken) {
      this.loaded.add(load.recipe);
      if (load.task.hasAddon === true) this.row.noteAddon();
      this.#describe(load.recipe, load.task);
      this.#lastEnd = this.#world.now;
    }
    for (const run of load.waiters) {
      this.row.leave("unknown");
      if (!run.isLoading) continue;
      run.isLoading = false;
      run.open--;
      if (!isBroken) continue;
      this.runs.splice(this.runs.indexOf(run), 1);
      if (this.row.isStopped(run.number)) this.#answerEmpty(run);
      else this.#post({ type: "broken", run });
    }
    this.#pump();
  }

  // ——— claims and calls

  #callItems(run: BatchInThread): void {
    const { task } = run;
    const lanes = run.sent.batch.job.rules.concurrency || (task.concurrency ?? 1);
    while (this.inFlight < lanes && this.isAlive && this.blockedBy === undefined && !run.isExhausted) {
      if (run.next >= run.count) run.isExhausted = true;
      else this.#claim(run, run.next);
    }
  }

  /** The claim as the runner's inner loop spells it out: the store first, then the look at the limit. */
  #claim(run: BatchInThread, position: number): void {
    const gapMs = this.#world.claimGapMs();
    if (gapMs > 0) {
      const claiming: Claiming = { run, position, hasStored: false };
      if (!this.#world.isGapFirst()) this.#store(claiming);
      this.blockedBy = claiming;
      this.#world.plan(this, gapMs, Kind.CLAIM, claiming);
      return;
    }
    if (position >= 0) Atomics.store(this.row.words, this.row.curAt(run.number), position);
    this.#claimed(run);
  }

  #store(claiming: Claiming): void {
    if (claiming.hasStored) return;
    claiming.hasStored = true;
    const { run, position } = claiming;
    if (position >= 0) Atomics.store(this.row.words, this.row.curAt(run.number), position);
  }

  /**
   * The main thread has lowered the limit to `from`, and is about to look at the claims once more: a thread that was
   * about to claim may do that in this very moment. Answers what the main thread sees then.
   */
  claimDuringRevoke(batch: number, from: number): number {
    const { blockedBy } = this;
    if (blockedBy === undefined || !("hasStored" in blockedBy) || blockedBy.hasStored) return from;
    if (blockedBy.run.number !== batch || blockedBy.position < from) return from;
    this.#store(blockedBy);
    return blockedBy.position + 1;
  }

  #claimed(run: BatchInThread): void {
    const limit = Atomics.load(this.row.words, this.row.limitAt(run.number));
    if (run.task.kind === "batch") {
      run.isExhausted = true;
      run.next = Math.max(Math.min(limit, run.count), 0);
      if (run.next > 0) this.#call(run, -1, this.#fateOfAll(run));
    } else if (run.next < limit) {
      const position = run.next++;
      run.positions[position] = Position.BEGUN;
      this.#call(run, position, this.#world.onBegin(this, run, position));
    } else {
      run.isExhausted = true;
    }
  }

  /** A batch handler fares as the worst of its items. */
  #fateOfAll(run: BatchInThread): Fate {
    let worst: Fate = "ok";
    for (let position = 0; position < run.next; position++) {
      run.positions[position] = Position.BEGUN;
      const fate = this.#world.onBegin(this, run, position);
      if (fate === "fail-alone" || fate === "uncloneable") {
        const code = fate === "uncloneable" ? "NOT_CLONEABLE" : "TASK_FAILED";
        this.#noteFault(run, position, code, fate === "uncloneable");
      } else if (gravity(fate) > gravity(worst)) worst = fate;
    }
    return worst;
  }

  #call(run: BatchInThread, position: number, fate: Fate): void {
    const { timeoutMs } = run.sent.batch.job.rules;
    const deadline = timeoutMs > 0 ? this.#world.now + timeoutMs : Infinity;
    const isSync = fate !== "await" && (run.task.isSync === true || fate === "hang" || typeof fate === "object");
    const call: RunningCall = { run, position, fate, isSync, deadline, isOver: false, isAbandoned: false };
    this.calls.push(call);
    if (typeof fate === "object") this.row.enter("native");
    if (isSync) this.blockedBy = call;
    else {
      this.inFlight++;
      run.open++;
      if (timeoutMs > 0) this.#world.planTimer(this, timeoutMs, Kind.EXPIRE, call);
    }
    if (fate === "hang" || fate === "await") return;
    const ms = typeof fate === "object" ? fate.nativeMs : this.#world.callMs(run, position);
    this.#world.plan(this, ms, Kind.CALL_END, call);
  }

  /** The handler has come to its end, whoever may still wait for it. */
  #endCall(call: RunningCall): void {
    if (call.isOver) return;
    call.isOver = true;
    this.calls.splice(this.calls.indexOf(call), 1);
    if (call.fate === "crash") {
      this.#world.die(this);
      return;
    }
    if (typeof call.fate === "object") this.row.leave("native");
    if (call.isAbandoned) {
      this.row.leave(natureOf(call.run.task));
      return;
    }
    if (this.blockedBy === call) this.blockedBy = undefined;
    else this.#freeLane(call);
    if (this.#world.now >= call.deadline) this.#failCall(call, "TASK_TIMEOUT", false);
    else this.#report(call);
    this.#pump();
  }

  #report(call: RunningCall): void {
    const { run, fate } = call;
    if (fate === "fail" || fate === "fail-final" || fate === "fail-alone") {
      this.#failCall(call, "TASK_FAILED", fate === "fail-final");
      return;
    }
    if (fate === "uncloneable") {
      this.#failCall(call, "NOT_CLONEABLE", true);
      return;
    }
    if (fate === "unreadable") run.isUnreadable = true;
    if (fate === "exit-after") run.exitsAfter = true;
    this.#noteEnds(call, Position.DONE);
  }

  #failCall(call: RunningCall, code: ErrorCode, isFinal: boolean): void {
    if (call.position < 0) call.run.spoilt = { code, isFinal };
    else this.#noteFault(call.run, call.position, code, isFinal);
    this.#noteEnds(call, Position.FAILED);
  }

  #noteEnds({ run, position }: RunningCall, how: number): void {
    const first = Math.max(position, 0);
    const end = position < 0 ? run.next : position + 1;
    for (let at = first; at < end; at++) {
      if (run.positions[at] === Position.BEGUN) run.positions[at] = how;
      this.#world.onEnded(run, at);
    }
  }

  #noteFault(run: BatchInThread, position: number, code: ErrorCode, isFinal: boolean): void {
    run.positions[position] = Position.FAILED;
    (run.faults ??= []).push({ position, code, isFinal });
    this.row.noteFault(run.number);
  }

  #freeLane(call: RunningCall): void {
    this.inFlight--;
    call.run.open--;
  }

  /** The time limit of a call that waits: the thread itself tells the time. */
  #expire(call: RunningCall): void {
    if (call.isOver || call.isAbandoned) return;
    this.#failCall(call, "TASK_TIMEOUT", false);
    this.#leaveBehind(call);
    this.#pump();
  }

  #leaveBehind(call: RunningCall): void {
    call.isAbandoned = true;
    this.#freeLane(call);
    // Nobody waits for the handler any more, but it may still be in native code.
    this.row.enter(natureOf(call.run.task));
  }

  // ——— stops

  #onStop(): void {
    this.#stopRaised = false;
    for (const run of [...this.runs]) {
      if (run.stopSeen || !this.row.isStopped(run.number)) continue;
      run.stopSeen = true;
      run.isExhausted = true;
      if (run.isLoading) {
        // A stop lets go of the batch; the setup itself goes on and serves the next job.
        run.isLoading = false;
        run.open--;
      }
      if (run.task.ignoresCancel !== true) {
        for (const call of [...this.calls]) {
          if (call.run === run && !call.isSync && !call.isAbandoned && call.fate !== "crash") this.#reject(call);
        }
      }
      if (run.open === 0) {
        this.runs.splice(this.runs.indexOf(run), 1);
        this.#finish(run);
        if (!this.isAlive) return;
      } else this.#world.planTimer(this, this.#world.graceMs * ABANDON_SHARE, Kind.ABANDON, run);
    }
    this.#pump();
  }

  /** The handler has heard its signal. */
  #reject(call: RunningCall): void {
    call.isOver = true;
    this.calls.splice(this.calls.indexOf(call), 1);
    this.#freeLane(call);
    this.#failCall(call, "TASK_FAILED", false);
  }

  /** The batch was stopped, and handlers that wait have had their time. */
  #abandon(run: BatchInThread): void {
    if (!this.runs.includes(run)) return;
    for (const call of this.calls) {
      if (call.run !== run || call.isSync || call.isAbandoned) continue;
      this.#leaveBehind(call);
      this.#noteEnds(call, Position.FAILED);
      this.#world.onAbandoned();
    }
    this.#pump();
  }

  // ——— answers

  #finish(run: BatchInThread): void {
    if (run.hasBegun) this.row.leave(natureOf(run.task));
    const { now } = this.#world;
    const elapsedMs = Math.max(now - Math.max(run.startedAt, this.#lastEnd), 0);
    this.#lastEnd = now;
    if (this.row.isStopped(run.number)) this.#answerEmpty(run);
    else if (run.isUnreadable) this.#post({ type: "unreadable" });
    else if (run.spoilt !== undefined) this.#post({ type: "spoilt", run, ...run.spoilt, elapsedMs });
    else this.#post({ type: "done", run, claimed: run.next, faults: run.faults, elapsedMs });
    if (run.exitsAfter) this.#world.die(this);
  }

  #answerEmpty(run: BatchInThread): void {
    this.#post({ type: "done", run, claimed: 0, faults: undefined, elapsedMs: 0 });
  }
}
