/** Puts runs of outcomes, which come as threads finish them, into the order of the input. */
import type { OutcomeRun } from "./outcome.js";

export class InOrder {
  readonly #early = new Map<number, OutcomeRun>();
  #next = 0;

  /** Takes a run in; answers the runs that can now be read, which may be none. */
  *add(run: OutcomeRun): Iterable<OutcomeRun> {
    this.#early.set(run.start, run);
    let ready: OutcomeRun | undefined;
    while ((ready = this.#early.get(this.#next)) !== undefined) {
      this.#early.delete(this.#next);
      this.#next += ready.count;
      yield ready;
    }
  }
}
