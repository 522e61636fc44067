/**
 * A recipe is a task with the options of its setup, as one thread knows it: the module it has imported, and the
 * resource that it keeps warm.
 */
import { type ControlRow, type HandlerNature, toErrorRecord } from "@threadmill/protocol";
import type { TaskDefinition } from "../define-task.js";
import { Readiness, type ReadinessSteps } from "./readiness.js";
import { RecipeError, loadTask } from "./task-module.js";

/** A recipe that is ready to run. */
export interface ReadyRecipe {
  readonly definition: TaskDefinition;
  readonly resource: unknown;
}

export class Recipe implements ReadinessSteps {
  readonly readiness = new Readiness(this);
  readonly options: unknown;
  /** What the last long answer cost to write. */
  writeMsPerItem = 0;
  readonly #url: string;
  readonly #exportName: string;
  readonly #row: ControlRow;
  readonly #onImported: (definition: TaskDefinition) => void;
  #definition: TaskDefinition | undefined;
  #ready: ReadyRecipe | undefined;
  #settingUp: Promise<ReadyRecipe | undefined> | undefined;
  #users = 0;
  #isForgotten = false;

  constructor(init: {
    readonly url: string;
    readonly exportName: string;
    readonly options: unknown;
    readonly row: ControlRow;
    readonly onImported: (definition: TaskDefinition) => void;
  }) {
    this.options = init.options;
    this.#url = init.url;
    this.#exportName = init.exportName;
    this.#row = init.row;
    this.#onImported = init.onImported;
  }

  /** What is there already, for the path without a promise. */
  get ready(): ReadyRecipe | undefined {
    return this.#ready;
  }

  get definition(): TaskDefinition | undefined {
    return this.#definition;
  }

  importModule(): void {
    // A module loads its addons at any moment from here.
    this.#row.enter("unknown");
    void loadTask(this.#url, this.#exportName)
      .then(
        (definition) => {
          this.#definition = definition;
          this.#onImported(definition);
          this.readiness.imported();
        },
        (error: unknown) => this.readiness.failed(error),
      )
      .finally(() => this.#row.leave("unknown"));
  }

  setUp(): void {
    const definition = this.#definition as TaskDefinition;
    const nature = natureOf(definition);
    // Whatever it says of itself: a setup may load an addon.
    this.#row.enter("unknown");
    this.#row.enter(nature);
    // At rest: who waits is told when nothing else is under way, also of a setup that throws at once.
    this.#settingUp = Promise.resolve(definition)
      .then((imported) => this.#makeReady(imported))
      .finally(() => {
        this.#row.leave(nature);
        this.#row.leave("unknown");
      });
  }

  /** Undefined if the setup has failed. */
  async #makeReady(definition: TaskDefinition): Promise<ReadyRecipe | undefined> {
    let resource: unknown;
    try {
      resource = await definition.setup?.(this.options);
    } catch (error) {
      this.readiness.failed(this.#setupError(error));
      return undefined;
    }
    this.#ready = { definition, resource };
    this.readiness.isSetUp();
    return this.#ready;
  }

  #setupError(error: unknown): RecipeError {
    const cause = toErrorRecord(error);
    const hint = this.options === undefined ? " (it was given no options)" : "";
    return new RecipeError("SETUP_FAILED", {
      name: "SetupError",
      message: `the setup of ${JSON.stringify(this.#exportName)} in ${this.#url} failed: ${cause.message}${hint}`,
      cause,
    });
  }

  /** A batch uses the resource from here… */
  acquire(): void {
    this.#users++;
  }

  /** …to here; a recipe that was forgotten in between is torn down by the last one out. */
  release(): void {
    this.#users--;
    if (this.#isForgotten && this.#users === 0) void this.#tearDown();
  }

  /** Gives the resource up as soon as no batch uses it. Never rejects: there is nobody left to tell. */
  async forget(): Promise<void> {
    this.#isForgotten = true;
    if (this.#users === 0) await this.#tearDown();
  }

  async #tearDown(): Promise<void> {
    const ready = await this.#settingUp;
    // A setup that failed has nothing to tear down.
    if (ready === undefined) return;
    const nature = natureOf(ready.definition);
    this.#row.enter(nature);
    try {
      await ready.definition.teardown?.(ready.resource);
    } catch {
      // Nobody is left to tell.
    } finally {
      this.#row.leave(nature);
    }
  }
}

/** What a task says of its handlers; for one that is not loaded nobody can say. */
export function natureOf(definition: TaskDefinition | undefined): HandlerNature {
  return definition?.native === undefined ? "unknown" : definition.native ? "native" : "script";
}
