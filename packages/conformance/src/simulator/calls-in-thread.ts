/** The handler calls of a simulated thread: begun, ended as their fate has it, timed out, or left behind. */
import type { ErrorCode } from "@threadmill/protocol";
import { Kind } from "./agenda.js";
import type { SimulatedThread } from "./simulated-thread.js";
import type { Fate } from "./spec.js";
import { type BatchInThread, Position, type RunningCall, type ThreadWorld, kindOf, natureOf } from "./thread-world.js";

export class CallsInThread {
  /** Those that have not ended, abandoned ones too. */
  readonly running: RunningCall[] = [];
  /** Lanes that are taken. */
  inFlight = 0;
  readonly #thread: SimulatedThread;
  readonly #world: ThreadWorld;

  constructor(thread: SimulatedThread, world: ThreadWorld) {
    this.#thread = thread;
    this.#world = world;
  }

  start(run: BatchInThread, first: number, end: number, fate: Fate): void {
    const thread = this.#thread;
    const { timeoutMs } = run.sent.batch.job.rules;
    const deadline = timeoutMs > 0 ? this.#world.now + timeoutMs : Infinity;
    const holdsThread = run.task.isSync === true || run.task.kind === "columns";
    const isSync = fate !== "await" && (holdsThread || fate === "hang" || typeof fate === "object");
    const call: RunningCall = { run, first, end, fate, isSync, deadline, isOver: false, isAbandoned: false };
    this.running.push(call);
    if (typeof fate === "object") thread.row.enter("native");
    if (isSync) thread.blockedBy = call;
    else {
      this.inFlight++;
      run.open++;
      if (timeoutMs > 0) this.#world.planTimer(thread, timeoutMs, Kind.EXPIRE, call);
    }
    if (fate === "hang" || fate === "await") return;
    const ms = typeof fate === "object" ? fate.nativeMs : this.#world.callMs(run, first, end);
    this.#world.plan(thread, ms, Kind.CALL_END, call);
  }

  /** The handler has come to its end, whoever may still wait for it. */
  end(call: RunningCall): void {
    const thread = this.#thread;
    if (call.isOver) return;
    this.#remove(call);
    if (call.fate === "crash") {
      this.#world.die(thread);
      return;
    }
    if (typeof call.fate === "object") thread.row.leave("native");
    if (call.isAbandoned) {
      if (thread.blockedBy === call) thread.blockedBy = undefined;
      thread.row.leave(natureOf(call.run.task));
      return;
    }
    if (thread.blockedBy === call) thread.blockedBy = undefined;
    else this.#freeLane(call);
    if (this.#world.now >= call.deadline) this.#fail(call, "TASK_TIMEOUT", false);
    else this.#report(call);
    thread.pump();
  }

  /** The time limit of a call that waits: the thread itself tells the time. */
  expire(call: RunningCall): void {
    if (call.isOver || call.isAbandoned) return;
    this.#fail(call, "TASK_TIMEOUT", false);
    this.#leaveBehind(call);
    this.#thread.pump();
  }

  /** Handlers of a batch that was stopped hear their signal, if they wait. */
  rejectAll(run: BatchInThread): void {
    for (const call of [...this.running]) {
      if (call.run !== run || call.isSync || call.isAbandoned || call.fate === "crash") continue;
      this.#remove(call);
      this.#freeLane(call);
      this.#fail(call, "TASK_FAILED", false);
    }
  }

  /** The batch was stopped, and handlers that wait have had their time. */
  abandonAll(run: BatchInThread): void {
    for (const call of this.running) {
      if (call.run !== run || call.isSync || call.isAbandoned) continue;
      this.#leaveBehind(call);
      this.#noteEnds(call, Position.FAILED);
      this.#world.onAbandoned();
    }
  }

  noteFault(run: BatchInThread, position: number, code: ErrorCode, isFinal: boolean): void {
    run.positions[position] = Position.FAILED;
    (run.faults ??= []).push({ position, code, isFinal });
    this.#thread.row.noteFault(run.number);
  }

  // ——— what goes on for ever

  /** One of them does from now on; false if there is none that could. */
  hang(): boolean {
    const thread = this.#thread;
    const at = this.running.findIndex((call) => !call.isAbandoned && call.fate !== "await");
    const call = this.running[at];
    const isElsewhere = thread.blockedBy !== undefined && thread.blockedBy !== call;
    if (!thread.isAlive || call === undefined || isElsewhere) return false;
    // A handler that computes holds its thread, also one that was to wait.
    const hung: RunningCall = { ...call, fate: "hang", isSync: true };
    call.isOver = true;
    this.running[at] = hung;
    if (!call.isSync) this.#freeLane(call);
    thread.blockedBy = hung;
    return true;
  }

  /** The job of a call that nobody but a caller will end. */
  endlessJob(): number | undefined {
    for (const { run, fate, deadline, isAbandoned } of this.running) {
      const isEndless = deadline === Infinity && (fate === "hang" || fate === "await");
      if (isEndless && !isAbandoned) return run.sent.batch.job.key;
    }
    return undefined;
  }

  /** They end all the same. */
  comeBack(): boolean {
    const endless = this.running.filter(({ fate }) => fate === "hang" || fate === "await");
    for (const call of endless) this.#world.planTimer(this.#thread, 0, Kind.CALL_END, call);
    return endless.length > 0;
  }

  // ——— how a call ends

  #report(call: RunningCall): void {
    const { run, fate } = call;
    if (fate === "fail" || fate === "fail-final" || fate === "fail-alone") {
      this.#fail(call, "TASK_FAILED", fate === "fail-final");
      return;
    }
    if (fate === "uncloneable") {
      this.#fail(call, "NOT_CLONEABLE", true);
      return;
    }
    if (fate === "unreadable") run.isUnreadable = true;
    if (fate === "exit-after") run.exitsAfter = true;
    this.#noteEnds(call, Position.DONE);
  }

  #fail(call: RunningCall, code: ErrorCode, isFinal: boolean): void {
    if (kindOf(call.run.task) === "item") this.noteFault(call.run, call.first, code, isFinal);
    else call.run.spoilt = { code, isFinal };
    this.#noteEnds(call, Position.FAILED);
  }

  #noteEnds({ run, first, end }: RunningCall, how: number): void {
    for (let at = first; at < end; at++) {
      if (run.positions[at] === Position.BEGUN) run.positions[at] = how;
      this.#world.onEnded(run, at);
    }
  }

  #remove(call: RunningCall): void {
    call.isOver = true;
    this.running.splice(this.running.indexOf(call), 1);
  }

  #freeLane(call: RunningCall): void {
    this.inFlight--;
    call.run.open--;
  }

  #leaveBehind(call: RunningCall): void {
    call.isAbandoned = true;
    this.#freeLane(call);
    // Nobody waits for the handler any more, but it may still be in native code.
    this.#thread.row.enter(natureOf(call.run.task));
    const relapseMs = call.fate === "await" ? this.#world.relapseMs() : undefined;
    if (relapseMs !== undefined) this.#world.plan(this.#thread, relapseMs, Kind.RELAPSE, call);
  }

  /**
   * What it has waited for has come, and it computes for ever. Not while the thread is at work, or has answers on their
   * way: from outside it would look as if those batches computed.
   */
  relapse(call: RunningCall): void {
    const { runs, sent } = this.#thread;
    if (call.isOver || runs.length > 0 || sent.some(({ begunAt }) => begunAt < Infinity)) return;
    this.#thread.blockedBy = call;
  }
}
