/** Numbers for tasks with their options: equal ones share warm threads and what is known of their speed. */
import { fingerprint } from "@threadmill/cache";
import { InvalidArgumentError, type NumberColumnName, toErrorRecord } from "@threadmill/protocol";
import { nameShared } from "./shared-names.js";
import type { AnyTaskReference } from "./task.js";

export interface Recipe {
  readonly id: number;
  readonly url: string;
  readonly exportName: string;
  readonly options: unknown;
  /** Jobs that use it. */
  users: number;
  /** The class of its output, once a thread has said that it is a columns task. */
  output?: NumberColumnName;
}

/** Recipes without a job that are remembered, with their speed. */
const MAX_IDLE = 256;

export class Recipes {
  readonly #byKey = new Map<string, Recipe>();
  readonly #onForgotten: (recipe: Recipe) => void;
  #nextId = 1;

  constructor(onForgotten: (recipe: Recipe) => void) {
    this.#onForgotten = onForgotten;
  }

  /**
   * The recipe for this task and options; to be released when its job is over.
   *
   * @throws {InvalidArgumentError} options that cannot travel to a thread.
   */
  acquire(reference: AnyTaskReference<unknown>, options: unknown): Recipe {
    const key = `${reference.url}\n${reference.exportName}\n${contentKey(options)}`;
    let recipe = this.#byKey.get(key);
    if (recipe === undefined) {
      const { url, exportName } = reference;
      recipe = { id: this.#nextId++, url, exportName, options: copyOf(options), users: 0 };
    } else {
      this.#byKey.delete(key);
    }
    this.#byKey.set(key, recipe);
    recipe.users++;
    return recipe;
  }

  release(recipe: Recipe): void {
    recipe.users--;
    this.#trim();
  }

  #trim(): void {
    if (this.#byKey.size <= MAX_IDLE) return;
    for (const [key, recipe] of this.#byKey) {
      if (recipe.users > 0) continue;
      this.#byKey.delete(key);
      this.#onForgotten(recipe);
      return;
    }
  }
}

function contentKey(options: unknown): string {
  if (options === undefined) return "";
  try {
    return fingerprint(options, { nameShared });
  } catch (error) {
    throw optionsRefusal(error);
  }
}

/** Made at once: what the caller changes later must not reach threads that start later. */
function copyOf(options: unknown): unknown {
  try {
    return structuredClone(options);
  } catch (error) {
    throw optionsRefusal(error);
  }
}

/** Of what was thrown while options were read or cloned: that may be anything. */
export function optionsRefusal(error: unknown): InvalidArgumentError {
  const reason = toErrorRecord(error).message.replace("the value", "options");
  return new InvalidArgumentError(`run: options cannot travel to a thread: ${reason}`, { cause: error });
}
