/** `ctx.detail`: at most one message in a while, and the newest value is never the one that is left out. */
import type { BatchRun } from "./batch-run.js";

const COALESCE_MS = 50;

export class Details {
  readonly #now: () => number;
  readonly #post: (run: BatchRun, value: unknown) => void;
  /** Batches whose newest detail was not sent, because another had been sent just before. */
  readonly #pending = new Map<BatchRun, unknown>();
  #lastSent = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  /** `post` may throw what a clone throws; the handler that gave the value gets it, if it was sent at once. */
  constructor(now: () => number, post: (run: BatchRun, value: unknown) => void) {
    this.#now = now;
    this.#post = post;
  }

  give(run: BatchRun, value: unknown): void {
    const now = this.#now();
    if (now - this.#lastSent >= COALESCE_MS) {
      this.#lastSent = now;
      this.#pending.delete(run);
      this.#post(run, value);
      return;
    }
    this.#pending.set(run, value);
    // For a handler that says something and then waits: its word must not wait with it.
    if (this.#timer === undefined) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        for (const one of this.#pending.keys()) this.flush(one);
      }, COALESCE_MS);
    }
  }

  /** To be called at the end of a batch, before its answer. */
  flush(run: BatchRun): void {
    if (!this.#pending.has(run)) return;
    const value = this.#pending.get(run);
    this.#pending.delete(run);
    try {
      this.#post(run, value);
    } catch {
      // It cannot be cloned, and there is no handler any more that could be told.
    }
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
