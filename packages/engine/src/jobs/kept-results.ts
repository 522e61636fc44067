/** The results of completed jobs by id, bounded: what `run` answers a known id from, and `engine.results` shows. */
import { ResultCache, type ResultCacheOptions, type ResultCacheStats } from "@threadmill/cache";
import type { KeptRun } from "./job.js";
import type { JobResult } from "./outcome.js";

/** Where a task comes from. */
interface TaskSource {
  readonly url: string;
  readonly exportName: string;
}

/** A kept run with the task that made it: the same id for another task is no hit. */
interface KeptResult extends KeptRun {
  readonly task: string;
}

export class KeptResults {
  readonly #cache: ResultCache<KeptResult>;

  constructor(bounds: Pick<ResultCacheOptions, "maxEntries" | "maxBytes">) {
    this.#cache = new ResultCache<KeptResult>(bounds);
  }

  /**
   * The result of the completed job with this id, as its handles gave it: its values are shared, not copied. `undefined`
   * if there is none: it was given no id, has failed, was cancelled, or made room for others. A hit, which keeps it longer.
   */
  get(id: string): JobResult<unknown> | undefined {
    return this.#cache.get(id)?.result;
  }

  /** Whether there is one. Counts as nothing, and keeps nothing longer. */
  has(id: string): boolean {
    return this.#cache.has(id);
  }

  /** Forgets one; false if there was none. A job that is live keeps its result when it completes. */
  delete(id: string): boolean {
    return this.#cache.delete(id);
  }

  /** Forgets all. */
  clear(): void {
    this.#cache.clear();
  }

  get stats(): ResultCacheStats {
    return this.#cache.stats;
  }

  /** @internal What this task has made under this id. Looking is a hit; that there is nothing counts with `noteMiss`. */
  find(id: string, task: TaskSource): KeptRun | undefined {
    if (this.#cache.peek(id)?.task !== nameOf(task)) return undefined;
    return this.#cache.get(id);
  }

  /** @internal A job begins whose result may be kept: it is a miss if nothing is there, and only now, since it was not refused. */
  noteMiss(id: string): void {
    if (!this.#cache.has(id)) this.#cache.get(id);
  }

  /** @internal */
  keep(id: string, task: TaskSource, run: KeptRun): void {
    this.#cache.set(id, { ...run, task: nameOf(task) });
  }
}

function nameOf({ url, exportName }: TaskSource): string {
  return `${url}#${exportName}`;
}
