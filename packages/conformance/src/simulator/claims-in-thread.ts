/**
 * How a simulated thread claims items in shared memory, as the runner's inner loop spells it out: the store first, then
 * the look at the limit. Where the world says so, time passes between the two, or before them.
 */
import { Kind } from "./agenda.js";
import type { SimulatedThread } from "./simulated-thread.js";
import type { Fate } from "./spec.js";
import {
  type BatchInThread,
  type Claiming,
  Position,
  type ThreadWorld,
  fateOfColumns,
  gravity,
  kindOf,
} from "./thread-world.js";

/** A columns batch is cut into at least so many pieces, each of them one claim and one call. */
const MIN_PIECES = 8;

export class ClaimsInThread {
  readonly #thread: SimulatedThread;
  readonly #world: ThreadWorld;

  constructor(thread: SimulatedThread, world: ThreadWorld) {
    this.#thread = thread;
    this.#world = world;
  }

  /** Whether the thread is in the middle of one. */
  get isUnderWay(): boolean {
    return this.#underWay !== undefined;
  }

  get #underWay(): Claiming | undefined {
    const { blockedBy } = this.#thread;
    return blockedBy !== undefined && "hasStored" in blockedBy ? blockedBy : undefined;
  }

  /** As many items as there are lanes. */
  fillLanes(run: BatchInThread): void {
    const thread = this.#thread;
    const lanes = run.sent.batch.job.rules.concurrency || (run.task.concurrency ?? 1);
    while (thread.calls.inFlight < lanes && thread.isAlive && thread.blockedBy === undefined && !run.isExhausted) {
      if (run.next >= run.count) run.isExhausted = true;
      else this.#claim(run, run.next);
    }
  }

  /** All items at once, for a batch handler. */
  claimAll(run: BatchInThread): void {
    this.#claim(run, run.count - 1);
  }

  /** The next piece of a columns batch: as many items as follow one another, up to an eighth of the batch. */
  claimPiece(run: BatchInThread): void {
    const { sent, count, next } = run;
    // Sent before the main thread knew what kind of task this is: it will come again.
    if (!sent.hasColumns || next >= count || run.spoilt !== undefined) {
      run.isExhausted = true;
      return;
    }
    const most = Math.min(next + Math.ceil(count / MIN_PIECES), count);
    const { indices } = sent.batch;
    let end = typeof indices === "number" ? most : next + 1;
    while (typeof indices !== "number" && end < most && indices[end] === (indices[end - 1] as number) + 1) end++;
    this.#claim(run, end - 1);
  }

  /** The time between two parts of a claim is over. */
  goOn(claiming: Claiming): void {
    this.#thread.blockedBy = undefined;
    this.#store(claiming);
    this.#look(claiming);
    this.#thread.pump();
  }

  /**
   * The main thread has lowered the limit to `from`, and is about to look at the claims once more: a thread that was
   * about to claim may do that in this very moment. Answers what the main thread sees then.
   */
  duringRevoke(batch: number, from: number): number {
    const claiming = this.#underWay;
    if (claiming === undefined || claiming.hasStored) return from;
    if (claiming.run.number !== batch || claiming.position < from) return from;
    this.#store(claiming);
    return claiming.position + 1;
  }

  #claim(run: BatchInThread, position: number): void {
    const gapMs = this.#world.claimGapMs();
    if (gapMs > 0) {
      const claiming: Claiming = { run, position, hasStored: false };
      if (!this.#world.isGapFirst()) this.#store(claiming);
      this.#thread.blockedBy = claiming;
      this.#world.plan(this.#thread, gapMs, Kind.CLAIM, claiming);
      return;
    }
    this.#storeCur(run, position);
    this.#look({ run, position });
  }

  #store(claiming: Claiming): void {
    if (claiming.hasStored) return;
    claiming.hasStored = true;
    this.#storeCur(claiming.run, claiming.position);
  }

  #storeCur({ number }: BatchInThread, position: number): void {
    const { row } = this.#thread;
    if (position >= 0) Atomics.store(row.words, row.curAt(number), position);
  }

  /** What lies below the limit is the thread's, and is begun. */
  #look({ run, position }: Pick<Claiming, "run" | "position">): void {
    const { row, calls } = this.#thread;
    const first = run.next;
    const limit = Atomics.load(row.words, row.limitAt(run.number));
    const end = Math.min(limit, position + 1);
    const isAllClaimed = kindOf(run.task) === "batch";
    if (end <= first || isAllClaimed) run.isExhausted = true;
    if (end <= first) return;
    run.next = end;
    calls.start(run, first, end, this.#fateOf(run, first, end));
  }

  #begin(run: BatchInThread, position: number): Fate {
    run.positions[position] = Position.BEGUN;
    return this.#world.onBegin(this.#thread, run, position);
  }

  /** A handler that has many items at once fares as the worst of them. */
  #fateOf(run: BatchInThread, first: number, end: number): Fate {
    const kind = kindOf(run.task);
    if (kind === "item") return this.#begin(run, first);
    let worst: Fate = "ok";
    for (let position = first; position < end; position++) {
      const drawn = this.#begin(run, position);
      const fate = kind === "columns" ? fateOfColumns(drawn) : drawn;
      if (fate === "fail-alone") this.#thread.calls.noteFault(run, position, "TASK_FAILED", false);
      else if (fate === "uncloneable") this.#thread.calls.noteFault(run, position, "NOT_CLONEABLE", true);
      else if (gravity(fate) > gravity(worst)) worst = fate;
    }
    return worst;
  }
}
