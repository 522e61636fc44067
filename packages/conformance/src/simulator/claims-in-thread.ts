/**
 * How a simulated thread claims items in shared memory, as the runner's inner loop spells it out: the store first, then
 * the look at the limit. Where the world says so, time passes between the two, or before them.
 */
import { Kind } from "./agenda.js";
import type { SimulatedThread } from "./simulated-thread.js";
import type { Fate } from "./spec.js";
import { type BatchInThread, type Claiming, Position, type ThreadWorld, gravity } from "./thread-world.js";

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

  /** The time between two parts of a claim is over. */
  goOn(claiming: Claiming): void {
    this.#thread.blockedBy = undefined;
    this.#store(claiming);
    this.#look(claiming.run);
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
    this.#look(run);
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
  #look(run: BatchInThread): void {
    const { row, calls } = this.#thread;
    const limit = Atomics.load(row.words, row.limitAt(run.number));
    if (run.task.kind === "batch") {
      run.isExhausted = true;
      run.next = Math.max(Math.min(limit, run.count), 0);
      if (run.next > 0) calls.start(run, -1, this.#fateOfAll(run));
    } else if (run.next < limit) {
      const position = run.next++;
      calls.start(run, position, this.#begin(run, position));
    } else {
      run.isExhausted = true;
    }
  }

  #begin(run: BatchInThread, position: number): Fate {
    run.positions[position] = Position.BEGUN;
    return this.#world.onBegin(this.#thread, run, position);
  }

  /** A batch handler fares as the worst of its items. */
  #fateOfAll(run: BatchInThread): Fate {
    let worst: Fate = "ok";
    for (let position = 0; position < run.next; position++) {
      const fate = this.#begin(run, position);
      if (fate === "fail-alone") this.#thread.calls.noteFault(run, position, "TASK_FAILED", false);
      else if (fate === "uncloneable") this.#thread.calls.noteFault(run, position, "NOT_CLONEABLE", true);
      else if (gravity(fate) > gravity(worst)) worst = fate;
    }
    return worst;
  }
}
