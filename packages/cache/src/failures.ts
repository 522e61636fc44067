/** Failed loads that are remembered for a short time, so that what is broken is not asked for at every turn. */
import { isInTime } from "./stored-entry.js";

interface Failure {
  readonly error: unknown;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly tags: ReadonlySet<string>;
}

/** An error holds its stack, some kilobytes: more than these are not worth their memory. */
const MAX_FAILURES = 1_000;

export class Failures {
  /** The oldest first. */
  readonly #byKey = new Map<string, Failure>();

  get size(): number {
    return this.#byKey.size;
  }

  find(key: string, nowMs: number): Failure | undefined {
    const failure = this.#byKey.get(key);
    if (failure === undefined || isInTime(failure.sinceMs, failure.untilMs, nowMs)) return failure;
    this.#byKey.delete(key);
    return undefined;
  }

  add(key: string, failure: Failure): void {
    this.#byKey.delete(key);
    this.#byKey.set(key, failure);
    if (this.#byKey.size <= MAX_FAILURES) return;
    for (const oldest of this.#byKey.keys()) {
      this.#byKey.delete(oldest);
      return;
    }
  }

  delete(key: string): void {
    this.#byKey.delete(key);
  }

  deleteTagged(tag: string): void {
    for (const [key, { tags }] of this.#byKey) if (tags.has(tag)) this.#byKey.delete(key);
  }

  clear(): void {
    this.#byKey.clear();
  }
}
