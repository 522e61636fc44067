/** Load and setup in a simulated thread: once per recipe, for all batches that wait for it. */
import { Kind } from "./agenda.js";
import type { SimulatedThread } from "./simulated-thread.js";
import type { SimulatedTask } from "./spec.js";
import type { BatchInThread, Load, ThreadWorld } from "./thread-world.js";

export class LoadsInThread {
  readonly underWay: Load[] = [];
  readonly #loaded = new Set<number>();
  readonly #described = new Set<number>();
  readonly #thread: SimulatedThread;
  readonly #world: ThreadWorld;

  constructor(thread: SimulatedThread, world: ThreadWorld) {
    this.#thread = thread;
    this.#world = world;
  }

  has(recipe: number): boolean {
    return this.#loaded.has(recipe);
  }

  forget(recipe: number): void {
    this.#loaded.delete(recipe);
    this.#described.delete(recipe);
  }

  describe(recipe: number, task: SimulatedTask): void {
    if (this.#described.has(recipe)) return;
    this.#described.add(recipe);
    this.#thread.post({ type: "described", recipe, task });
  }

  /** The first batch of a recipe begins its load; the others wait for the same one. */
  prepare(run: BatchInThread): void {
    const { row } = this.#thread;
    run.startedAt = this.#world.now;
    run.open++;
    run.isLoading = true;
    row.noteLoading(run.number);
    row.enter("unknown");
    let load = this.underWay.find(({ recipe }) => recipe === run.recipe);
    if (load !== undefined) {
      load.waiters.push(run);
      return;
    }
    load = { recipe: run.recipe, task: run.task, fate: this.#world.loadFate(run), waiters: [run] };
    this.underWay.push(load);
    if (load.fate === "hang") this.#thread.blockedBy = load;
    else if (load.fate !== "await") this.#world.plan(this.#thread, run.task.loadMs ?? 0, Kind.LOAD_END, load);
  }

  end(load: Load): void {
    const thread = this.#thread;
    const at = this.underWay.indexOf(load);
    if (at === -1) return;
    this.underWay.splice(at, 1);
    if (thread.blockedBy === load) thread.blockedBy = undefined;
    if (load.fate === "crash") {
      this.#world.die(thread);
      return;
    }
    const isBroken = load.fate === "broken";
    if (!isBroken) {
      this.#loaded.add(load.recipe);
      if (load.task.hasAddon === true) thread.row.noteAddon();
      this.describe(load.recipe, load.task);
      thread.lastEndAt = this.#world.now;
    }
    for (const run of load.waiters) {
      thread.row.leave("unknown");
      if (!run.isLoading) continue;
      this.letGo(run);
      if (isBroken) thread.answerBroken(run);
    }
    thread.pump();
  }

  /** The batch waits no more; the load itself goes on, and serves the next job. */
  letGo(run: BatchInThread): void {
    run.isLoading = false;
    run.open--;
  }

  /** The job of a load that nobody but a caller will end. */
  endlessJob(): number | undefined {
    for (const { fate, waiters } of this.underWay) {
      const waiter = waiters.find(({ isLoading }) => isLoading);
      if ((fate === "hang" || fate === "await") && waiter !== undefined) return waiter.sent.batch.job.key;
    }
    return undefined;
  }

  /** What went on for ever ends all the same. */
  comeBack(): void {
    for (const load of this.underWay) {
      if (load.fate === "hang" || load.fate === "await") this.#world.planTimer(this.#thread, 0, Kind.LOAD_END, load);
    }
  }
}
