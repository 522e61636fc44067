/**
 * Long work on the main thread, cut into slices: after each the event loop gets its turn, so that whoever else lives
 * there waits for one slice and never for the whole.
 */
import { setImmediate as nextTurn } from "node:timers/promises";

/** The clock is read once for so many steps: reading it costs about as much as a small step. */
const STEPS_PER_LOOK = 16;

export interface SliceBounds {
  readonly maxMs: number;
  /** Also when the steps are quick, and on a machine whose clock stands still. */
  readonly maxSteps: number;
}

export class Slices {
  readonly #bounds: SliceBounds;
  #startedMs = performance.now();
  #steps = 0;

  constructor(bounds: SliceBounds) {
    this.#bounds = bounds;
  }

  /** Counts a step; true when it was the last of its slice, and `rest` is due. */
  step(): boolean {
    this.#steps++;
    const { maxMs, maxSteps } = this.#bounds;
    if (this.#steps >= maxSteps) return true;
    return this.#steps % STEPS_PER_LOOK === 0 && performance.now() - this.#startedMs >= maxMs;
  }

  /** The same for a step that may be long by itself: looks at the clock each time. */
  longStep(): boolean {
    this.#steps++;
    return this.#steps >= this.#bounds.maxSteps || performance.now() - this.#startedMs >= this.#bounds.maxMs;
  }

  /** Lets the event loop go round, then begins a new slice. */
  async rest(): Promise<void> {
    await nextTurn();
    this.#startedMs = performance.now();
    this.#steps = 0;
  }
}
