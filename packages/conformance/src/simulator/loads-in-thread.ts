/** What a simulated thread knows of tasks: the recipes it was given, and the batches that wait for them. */
import type { WaitingBatch } from "@threadmill/workers/runner";
import { Kind } from "./agenda.js";
import { type LoadStep, RecipeInThread } from "./recipe-in-thread.js";
import type { SimulatedThread } from "./simulated-thread.js";
import type { SimulatedTask } from "./spec.js";
import type { BatchInThread, ThreadWorld } from "./thread-world.js";

export class LoadsInThread {
  /** By number; one that was forgotten is not among them, though a batch may still use it. */
  readonly #recipes = new Map<number, RecipeInThread>();
  readonly #described = new Set<number>();
  /** What is being imported or set up. */
  readonly #underWay = new Set<RecipeInThread>();
  readonly #thread: SimulatedThread;
  readonly #world: ThreadWorld;

  constructor(thread: SimulatedThread, world: ThreadWorld) {
    this.#thread = thread;
    this.#world = world;
  }

  recipe(id: number): RecipeInThread | undefined {
    return this.#recipes.get(id);
  }

  introduce(id: number, task: SimulatedTask): void {
    this.#recipes.set(id, new RecipeInThread(this.#thread, this.#world, id, task));
  }

  forget(id: number): void {
    this.#recipes.delete(id);
    this.#described.delete(id);
  }

  describe(recipe: RecipeInThread): void {
    const { id, task } = recipe;
    if (this.#described.has(id) || this.#recipes.get(id) !== recipe) return;
    this.#described.add(id);
    this.#thread.post({ type: "described", recipe: id, task });
  }

  /** The batch waits until its task is loaded and set up. */
  prepare(run: BatchInThread): void {
    const thread = this.#thread;
    const { recipe } = run;
    run.startedAt = this.#world.now;
    run.open++;
    thread.row.noteLoading(run.number);
    run.waiting = new WaitingInThread(thread, this.#world, run);
    this.#underWay.add(recipe);
    this.#world.onWaits(recipe);
    recipe.readiness.wait(run.waiting);
  }

  goOn(step: LoadStep): void {
    step.recipe.goOn(step);
    if (step.recipe.step === undefined) this.#underWay.delete(step.recipe);
  }

  /** The batch was stopped, and leaves if it may. */
  leaveIfFree(run: BatchInThread): void {
    if (run.waiting !== undefined && run.recipe.readiness.letsGo) this.leave(run);
  }

  /** The batch waits no more; what has begun goes on without it, and serves the next job. */
  leave(run: BatchInThread): void {
    if (run.waiting === undefined) return;
    run.recipe.readiness.leave(run.waiting);
    settle(run);
  }

  /** The job of an import or a setup that nobody but a caller will end. */
  endlessJob(): number | undefined {
    for (const { recipe, waiting, sent } of this.#thread.runs) {
      if (waiting === undefined || waiting.isStopped()) continue;
      if (recipe.isEndless) return sent.batch.job.key;
    }
    return undefined;
  }

  /** What went on for ever ends all the same. */
  comeBack(): boolean {
    const endless = [...this.#underWay].filter(({ isEndless }) => isEndless);
    for (const { step } of endless) this.#world.planTimer(this.#thread, 0, Kind.LOAD_STEP, step);
    return endless.length > 0;
  }
}

class WaitingInThread implements WaitingBatch {
  readonly #thread: SimulatedThread;
  readonly #world: ThreadWorld;
  readonly #run: BatchInThread;

  constructor(thread: SimulatedThread, world: ThreadWorld, run: BatchInThread) {
    this.#thread = thread;
    this.#world = world;
    this.#run = run;
  }

  isStopped(): boolean {
    return this.#thread.row.isStopped(this.#run.number);
  }

  goOn(): void {
    const thread = this.#thread;
    const run = this.#run;
    settle(run);
    if (run.recipe.isSetUp) {
      thread.lastEndAt = this.#world.now;
      thread.begin(run);
    } else run.isExhausted = true;
    thread.pump();
  }

  fail(): void {
    const run = this.#run;
    settle(run);
    if (this.isStopped()) run.isExhausted = true;
    else this.#thread.answerBroken(run);
    this.#thread.pump();
  }
}

function settle(run: BatchInThread): void {
  run.waiting = undefined;
  run.open--;
}
