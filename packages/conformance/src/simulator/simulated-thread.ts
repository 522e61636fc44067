/**
 * A thread as the real runner behaves (`workers/src/runner/thread.ts`), knowing only what that knows: the messages it
 * got, and its row of the real control block. Here: its life, its event loop, and the way of a batch through it; how it
 * loads, claims and calls is beside. What its handlers do is up to the fates that the world draws for them.
 */
import type { Job } from "@threadmill/engine/internal/scheduler";
import { ControlRow } from "@threadmill/protocol";
import { Kind } from "./agenda.js";
import { CallsInThread } from "./calls-in-thread.js";
import { ClaimsInThread } from "./claims-in-thread.js";
import { LoadsInThread } from "./loads-in-thread.js";
import { LinkToThread } from "./link-to-thread.js";
import type { LoadStep } from "./recipe-in-thread.js";
import type { Sent } from "./sent.js";
import {
  type BatchInThread,
  type Claiming,
  type RunningCall,
  type ThreadWorld,
  type ToThread,
  type Word,
  kindOf,
  natureOf,
} from "./thread-world.js";
import { broken } from "./violation.js";

/** A handler that only waits is left behind after this share of the grace. */
const ABANDON_SHARE = 0.6;

export class SimulatedThread {
  readonly slot: number;
  readonly incarnation: number;
  readonly rowNumber: number;
  readonly row: ControlRow;
  /** Batches that were sent and not answered, as the main thread knows it. */
  readonly sent: Sent[] = [];
  /** What else the main thread knows of it. */
  readonly link = new LinkToThread();
  /** Messages on their way to the thread, and how many of them have arrived. */
  readonly inbox: ToThread[] = [];
  arrived = 0;
  /** Messages on their way from the thread. */
  readonly outbox: Word[] = [];
  /** When the last message arrived or will: the ports keep the order. */
  lastArrivalAt = 0;
  lastDeliveryAt = 0;
  readonly runs: BatchInThread[] = [];
  readonly loads: LoadsInThread;
  readonly claims: ClaimsInThread;
  readonly calls: CallsInThread;
  /** Steps that wait for a hand. */
  readonly waiting: { readonly kind: Kind; readonly detail: unknown; readonly ms: number }[] = [];
  state: "starting" | "alive" | "dead" | "gone" = "starting";
  isTerminating = false;
  /** The job that its slot was kept for when the last step was over. */
  keptFor: Job | undefined;
  /** The main thread knows that it is gone, and reads what it said last. */
  isEnding = false;
  isStray = false;
  /** What its JavaScript cannot do anything else for. */
  blockedBy: RunningCall | LoadStep | Claiming | undefined;
  isPumping = false;
  /** When the last batch or load has ended: the time of the next one counts from there. */
  lastEndAt = 0;
  /** Steps that fell due while it was blocked. */
  readonly #due: { readonly kind: Kind; readonly detail: unknown }[] = [];
  #stopRaised = false;
  readonly #world: ThreadWorld;

  constructor(world: ThreadWorld, slot: number, incarnation: number, rowNumber: number) {
    this.#world = world;
    this.slot = slot;
    this.incarnation = incarnation;
    this.rowNumber = rowNumber;
    this.row = new ControlRow(world.buffer, rowNumber, false);
    this.loads = new LoadsInThread(this, world);
    this.claims = new ClaimsInThread(this, world);
    this.calls = new CallsInThread(this, world);
  }

  get isAlive(): boolean {
    return this.state === "alive";
  }

  /** The job of something in it that nobody but a caller will end. A time limit does not hold for load and setup. */
  endlessJob(): number | undefined {
    return this.calls.endlessJob() ?? this.loads.endlessJob();
  }

  /** What it is in for ever ends all the same, as native code does that was only slow. False: there is no such thing. */
  comeBack(): boolean {
    const hasCalls = this.calls.comeBack();
    return this.loads.comeBack() || hasCalls;
  }

  // ——— its event loop

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
        this.calls.end(detail as RunningCall);
        break;
      case Kind.CLAIM:
        this.claims.goOn(detail as Claiming);
        break;
      case Kind.EXPIRE:
        this.calls.expire(detail as RunningCall);
        break;
      case Kind.ABANDON:
        this.#abandon(detail as BatchInThread);
        break;
      case Kind.RELAPSE:
        this.calls.relapse(detail as RunningCall);
        break;
      case Kind.LOAD_STEP:
        this.loads.goOn(detail as LoadStep);
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
        if (message.introduces) this.loads.introduce(message.sent.job.recipe, message.sent.job.task);
        this.#receiveBatch(message.sent);
        break;
      case "which":
        this.post({ type: "held", batches: this.runs.map(({ number }) => number) });
        break;
      case "forget":
        this.loads.forget(message.recipe);
        break;
    }
  }

  post(word: Word): void {
    this.#world.say(this, word);
  }

  // ——— the way of a batch

  #receiveBatch(sent: Sent): void {
    if (sent.isUnreadable) {
      this.post({ type: "unreadable" });
      return;
    }
    const { task } = sent.job;
    const recipe = this.loads.recipe(sent.job.recipe);
    if (recipe === undefined)
      return broken("S8", `a batch names recipe ${sent.job.recipe}, which its thread was not given`);
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
      waiting: undefined,
      stopSeen: false,
      faults: undefined,
      spoilt: undefined,
      isUnreadable: false,
      exitsAfter: false,
    });
    if (recipe.hasModule) this.loads.describe(recipe);
    this.pump();
  }

  /** Starts whatever can be started: after every message and every end of a call. */
  pump(): void {
    if (this.isPumping) return;
    this.isPumping = true;
    this.#startAll();
    this.isPumping = false;
  }

  #startAll(): void {
    const { runs } = this;
    for (let at = 0; at < runs.length && this.blockedBy === undefined && this.isAlive;) {
      const run = runs[at] as BatchInThread;
      if (!run.isExhausted) this.#advance(run);
      if (this.blockedBy !== undefined || !this.isAlive) return;
      if (run.isExhausted && run.open === 0) {
        runs.splice(at, 1);
        this.#finish(run);
      } else if (run.isExhausted && run.recipe.hasModule && kindOf(run.task) === "item") {
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
    if (run.waiting !== undefined) return;
    if (!run.recipe.isSetUp) {
      this.loads.prepare(run);
      return;
    }
    if (!run.hasBegun) this.begin(run);
    const kind = kindOf(run.task);
    if (kind === "item") this.claims.fillLanes(run);
    else if (this.calls.inFlight > 0) return;
    else if (kind === "batch") this.claims.claimAll(run);
    else this.claims.claimPiece(run);
  }

  begin(run: BatchInThread): void {
    run.startedAt = this.#world.now;
    run.hasBegun = true;
    this.row.enter(natureOf(run.task));
  }

  #remove(run: BatchInThread): void {
    this.runs.splice(this.runs.indexOf(run), 1);
  }

  // ——— stops

  #onStop(): void {
    this.#stopRaised = false;
    for (const run of [...this.runs]) {
      if (run.stopSeen || !this.row.isStopped(run.number)) continue;
      run.stopSeen = true;
      run.isExhausted = true;
      this.loads.leaveIfFree(run);
      if (run.task.ignoresCancel !== true) this.calls.rejectAll(run);
      if (run.open === 0) {
        this.#remove(run);
        this.#finish(run);
        if (!this.isAlive) return;
      } else this.#world.planTimer(this, this.#world.graceMs * ABANDON_SHARE, Kind.ABANDON, run);
    }
    this.pump();
  }

  #abandon(run: BatchInThread): void {
    if (!this.runs.includes(run)) return;
    if (run.waiting !== undefined) this.#world.onLeftByImport();
    this.loads.leave(run);
    this.calls.abandonAll(run);
    this.pump();
  }

  // ——— answers

  #finish(run: BatchInThread): void {
    if (run.hasBegun) this.row.leave(natureOf(run.task));
    const { now } = this.#world;
    const elapsedMs = Math.max(now - Math.max(run.startedAt, this.lastEndAt), 0);
    this.lastEndAt = now;
    if (this.row.isStopped(run.number)) this.post({ type: "done", run, claimed: 0, faults: undefined, elapsedMs: 0 });
    else if (run.isUnreadable) this.post({ type: "unreadable" });
    else if (run.spoilt !== undefined) this.post({ type: "spoilt", run, ...run.spoilt, elapsedMs });
    else this.post({ type: "done", run, claimed: run.next, faults: run.faults, elapsedMs });
    if (run.exitsAfter) this.#world.die(this);
  }

  /** Its task could not be loaded or set up. */
  answerBroken(run: BatchInThread): void {
    this.#remove(run);
    this.post({ type: "broken", run });
  }
}
