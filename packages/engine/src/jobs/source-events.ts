/** What a job's source tells, as events for the scheduler. */
import type { Dispatcher } from "../dispatcher.js";
import type { JobControl } from "./handle.js";
import { type SortedItems, sortingOf } from "./item-memo.js";
import type { Job } from "./job.js";
import type { SourceListener } from "./source.js";

export class SourceEvents implements SourceListener {
  readonly #dispatcher: Dispatcher;
  readonly #job: Job;
  readonly #control: Pick<JobControl, "cancel">;

  constructor(dispatcher: Dispatcher, job: Job, control: Pick<JobControl, "cancel">) {
    this.#dispatcher = dispatcher;
    this.#job = job;
    this.#control = control;
  }

  onItems(count: number, sorted: SortedItems | undefined): void {
    const { key } = this.#job;
    this.#job.supplied += count;
    if (sorted === undefined) {
      this.#dispatcher.dispatch({ type: "items", job: key, count });
    } else {
      this.#job.noteFound(sorted);
      this.#dispatcher.dispatch({ type: "items", job: key, count, sorting: sortingOf(sorted) });
    }
  }

  onPulled(ended: boolean): void {
    this.#job.sourceEnded = ended;
    this.#dispatcher.dispatch({ type: "pulled", job: this.#job.key, ended });
  }

  onFailed(cause: unknown): void {
    this.#job.sourceError = cause;
    this.#dispatcher.dispatch({ type: "source-failed", job: this.#job.key });
  }

  onCancelled(reason: unknown): void {
    this.#control.cancel(this.#job, reason);
  }

  atRest(callback: () => void): void {
    this.#dispatcher.later(callback);
  }
}
