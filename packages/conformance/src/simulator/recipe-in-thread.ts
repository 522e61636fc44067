/**
 * A recipe in a simulated thread: its module is imported, then its setup runs. When each of them begins, and for whom, is
 * up to the real runner's `Readiness`; how long it takes and how it ends, to the world.
 */
import type { Readiness, ReadinessSteps } from "@threadmill/workers/runner";
import { Kind } from "./agenda.js";
import type { SimulatedThread } from "./simulated-thread.js";
import type { LoadFate, SimulatedTask } from "./spec.js";
import { type ThreadWorld, natureOf } from "./thread-world.js";
import { broken } from "./violation.js";

/** What a thread does for a recipe at the moment. Reading does not hold it, evaluating does, and a setup may. */
export interface LoadStep {
  readonly recipe: RecipeInThread;
  readonly does: "reads" | "evaluates" | "sets up";
  readonly fate: LoadFate;
}

export class RecipeInThread implements ReadinessSteps {
  readonly id: number;
  readonly task: SimulatedTask;
  readonly readiness: Readiness;
  hasModule = false;
  isSetUp = false;
  step: LoadStep | undefined;
  readonly #thread: SimulatedThread;
  readonly #world: ThreadWorld;

  constructor(thread: SimulatedThread, world: ThreadWorld, id: number, task: SimulatedTask) {
    this.#thread = thread;
    this.#world = world;
    this.id = id;
    this.task = task;
    this.readiness = world.createReadiness(this);
  }

  // ——— begun by `readiness`

  importModule(): void {
    if (this.hasModule || this.step !== undefined) broken("S8", `recipe ${this.id} is imported twice in a thread`);
    this.#thread.row.enter("unknown");
    this.step = { recipe: this, does: "reads", fate: this.#world.importFate(this) };
    this.#world.plan(this.#thread, this.task.importMs ?? 0, Kind.LOAD_STEP, this.step);
  }

  setUp(): void {
    if (!this.hasModule) broken("S8", `recipe ${this.id} is set up, and its module is not there`);
    if (this.isSetUp || this.step !== undefined) broken("S8", `recipe ${this.id} is set up twice in a thread`);
    const { setup } = this.task;
    const { row } = this.#thread;
    row.enter("unknown");
    row.enter(natureOf(this.task));
    this.step = { recipe: this, does: "sets up", fate: setup === undefined ? "ok" : this.#world.setupFate(this) };
    // Who waits is told at rest.
    if (setup === undefined && !this.#thread.isPumping) this.#afterSetup(this.step);
    else this.#take(this.step, setup?.ms ?? 0, setup?.isSync === true);
  }

  // ——— how it goes on

  /** The step has come to its end. */
  goOn(step: LoadStep): void {
    if (this.step !== step) return;
    if (this.#thread.blockedBy === step) this.#thread.blockedBy = undefined;
    if (step.does === "reads") this.#evaluate(step.fate);
    else if (step.does === "evaluates") this.#afterImport(step);
    else this.#afterSetup(step);
  }

  /** It is in something that has no end. */
  get isEndless(): boolean {
    const { step } = this;
    return step !== undefined && step.does !== "reads" && (step.fate === "hang" || step.fate === "await");
  }

  #evaluate(fate: LoadFate): void {
    const { evaluateMs = 0, hasAddon } = this.task;
    if (hasAddon === true) this.#thread.row.noteAddon();
    this.step = { recipe: this, does: "evaluates", fate };
    if (evaluateMs === 0 && !this.isEndless) this.#afterImport(this.step);
    else this.#take(this.step, evaluateMs, true);
  }

  /** Begins what takes its time, or has no end. */
  #take(step: LoadStep, ms: number, isSync: boolean): void {
    if (step.fate === "hang" || (isSync && step.fate !== "await")) this.#thread.blockedBy = step;
    if (!this.isEndless) this.#world.plan(this.#thread, ms, Kind.LOAD_STEP, step);
  }

  #afterImport({ fate }: LoadStep): void {
    const thread = this.#thread;
    this.step = undefined;
    if (fate === "crash") {
      this.#world.die(thread);
      return;
    }
    if (fate === "broken") this.readiness.failed(undefined);
    else {
      this.hasModule = true;
      thread.loads.describe(this);
      this.readiness.imported();
    }
    thread.row.leave("unknown");
  }

  #afterSetup({ fate }: LoadStep): void {
    const thread = this.#thread;
    this.step = undefined;
    if (fate === "crash") {
      this.#world.die(thread);
      return;
    }
    this.isSetUp = fate !== "broken";
    if (this.isSetUp) this.readiness.isSetUp();
    else this.readiness.failed(undefined);
    thread.row.leave(natureOf(this.task));
    thread.row.leave("unknown");
  }
}
