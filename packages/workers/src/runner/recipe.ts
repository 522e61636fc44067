/**
 * A recipe is a task with the options of its setup, as one thread knows it: the module it has imported, and the
 * resource that it keeps warm.
 */
import { type ControlRow, type HandlerNature, toErrorRecord } from "@threadmill/protocol";
import type { TaskDefinition } from "../define-task.js";
import { RecipeError, loadTask } from "./task-module.js";

/** A recipe that is ready to run. */
export interface ReadyRecipe {
  readonly definition: TaskDefinition;
  readonly resource: unknown;
}

export class Recipe {
  readonly options: unknown;
  /** What the last long answer cost to write. */
  writeMsPerItem = 0;
  readonly #url: string;
  readonly #exportName: string;
  readonly #row: ControlRow;
  #definition: TaskDefinition | undefined;
  #ready: ReadyRecipe | undefined;
  #loading: Promise<TaskDefinition> | undefined;
  #preparing: Promise<ReadyRecipe> | undefined;
  #users = 0;
  #isForgotten = false;

  constructor(url: string, exportName: string, options: unknown, row: ControlRow) {
    this.#url = url;
    this.#exportName = exportName;
    this.#row = row;
    this.options = options;
  }

  /** What is there already, for the path without a promise. */
  get ready(): ReadyRecipe | undefined {
    return this.#ready;
  }

  get definition(): TaskDefinition | undefined {
    return this.#definition;
  }

  /** @throws {RecipeError} `TASK_LOAD_FAILED` or `TASK_NOT_FOUND`. */
  load(): Promise<TaskDefinition> {
    this.#loading ??= loadTask(this.#url, this.#exportName).catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  /** Loads and sets up, once; a failure is not kept, so that the next job may try again. */
  prepare(): Promise<ReadyRecipe> {
    this.#preparing ??= this.#setUp().catch((error: unknown) => {
      this.#preparing = undefined;
      throw error;
    });
    return this.#preparing;
  }

  async #setUp(): Promise<ReadyRecipe> {
    const definition = await this.load();
    this.#definition = definition;
    let resource: unknown;
    // From here on it is known what the task says of itself.
    const nature = natureOf(definition);
    this.#row.enter(nature);
    try {
      resource = await definition.setup?.(this.options);
    } catch (error) {
      const cause = toErrorRecord(error);
      const hint = this.options === undefined ? " (it was given no options)" : "";
      throw new RecipeError("SETUP_FAILED", {
        name: "SetupError",
        message: `the setup of ${JSON.stringify(this.#exportName)} in ${this.#url} failed: ${cause.message}${hint}`,
        cause,
      });
    } finally {
      this.#row.leave(nature);
    }
    this.#ready = { definition, resource };
    return this.#ready;
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
    const ready = await this.#preparing?.catch(() => undefined);
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
