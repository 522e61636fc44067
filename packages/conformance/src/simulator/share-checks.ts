/**
 * Who has had how much: a second set of books, kept from what really happened. A job has had the time for which its
 * batches were the first in their slots, by its weight; the fair share grows with all of that time; and only who had
 * nothing to do is brought up to it, when there is something to do again (L5).
 */
import type { Job, SchedulerEvent, State } from "@threadmill/engine/internal/scheduler";
import type { JobView } from "./job-view.js";
import type { Sent } from "./sent.js";
import type { Shell } from "./shell.js";
import { broken } from "./violation.js";

/** Rounding errors of long sums. */
const EPSILON = 1e-6;

export class ShareChecks {
  readonly #shell: Shell;
  readonly #state: State;
  /** Jobs that are neither paused nor settled, and the sum of their weights. */
  readonly #sharers = new Set<JobView>();
  #weights = 0;
  #fairShare = 0;
  /** Jobs of which a batch has left its thread in this step. */
  readonly #left = new Set<JobView>();
  /** The job that comes with this event, and what it is to begin with. */
  #entrant: { readonly key: number; readonly had: number } | undefined;

  constructor(shell: Shell) {
    this.#shell = shell;
    this.#state = shell.state;
  }

  beforeStep(event: SchedulerEvent): void {
    this.#entrant = undefined;
    if (event.type !== "submit" && event.type !== "pause-asked" && event.type !== "resume-asked") return;
    const view = this.#shell.jobs.get(event.job) as JobView;
    if (event.type === "pause-asked") {
      this.#leave(view);
      return;
    }
    if (this.#sharers.has(view) || view.isSettled) return;
    this.#sharers.add(view);
    this.#weights += view.rules.weight;
    // Warm-ups stand in no line.
    if (view.batchCount === 0 && view.spec.isWarmUp !== true)
      this.#entrant = { key: view.key, had: this.#beginningOf(view) };
  }

  /** A batch has left its thread, and will be paid for. */
  onLeft({ job, runningSince }: Sent): void {
    this.#left.add(job);
    const occupiedMs = runningSince === undefined ? 0 : this.#shell.now - runningSince;
    job.hadMs += occupiedMs / job.rules.weight;
    if (this.#sharers.size > 0) this.#fairShare += occupiedMs / this.#weights;
  }

  onSettled(job: JobView): void {
    this.#leave(job);
  }

  /** To be called for each live job after each step. */
  checkJob(job: Job, view: JobView, isRunnable: boolean): void {
    const { weight } = job.rules;
    const had = job.share - job.advanceMs / weight;
    const slack = EPSILON * (1 + had);
    let chargedMs = 0;
    for (const batch of job.batches) {
      chargedMs += batch.chargedMs;
      if (batch.chargedMs < -EPSILON) broken("L5", `job ${job.key} is owed ${-batch.chargedMs} ms for a batch`);
    }
    if (Math.abs(chargedMs - job.advanceMs) > EPSILON * (1 + chargedMs)) {
      broken("L5", `job ${job.key} has paid ${job.advanceMs} ms in advance, for batches of ${chargedMs} ms`);
    }
    if (had < view.hadMs - slack)
      broken("L5", `job ${job.key} has had ${view.hadMs} ms by its weight, and ${had} count`);
    if (had > view.hadMs + slack) {
      // It was in line, or in a thread: nothing is to be made up for.
      if (view.wasRunnable)
        broken("L5", `job ${job.key} stands in line and loses its place: ${had} for ${view.hadMs} ms`);
      if (view.batchesBefore > 0 && !this.#left.has(view)) {
        broken("L5", `job ${job.key} is in a thread and is charged ${had} for ${view.hadMs} ms`);
      }
      view.hadMs = had;
    }
    const entrant = this.#entrant;
    const hadWork = isRunnable || job.batches.size > 0;
    if (entrant?.key === job.key && hadWork && Math.abs(entrant.had - had) > slack) {
      broken("L5", `job ${job.key} begins with ${had} ms, and should with ${entrant.had}`);
    }
    view.wasRunnable = isRunnable;
    view.batchesBefore = job.batches.size;
  }

  /** To be called at the end of each step. */
  checkWhole(): void {
    if (this.#left.size > 0) this.#left.clear();
    const { weights, sharers, fairShare } = this.#state;
    if (sharers !== this.#sharers.size || Math.abs(weights - this.#weights) > EPSILON * (1 + this.#weights)) {
      broken("L5", `${sharers} jobs share by ${weights}, instead of ${this.#sharers.size} by ${this.#weights}`);
    }
    if (Math.abs(fairShare - this.#fairShare) > EPSILON * (1 + fairShare)) {
      broken("L5", `the fair share is ${fairShare} ms, instead of ${this.#fairShare}`);
    }
  }

  #leave(view: JobView): void {
    if (!this.#sharers.delete(view)) return;
    this.#weights = this.#sharers.size === 0 ? 0 : this.#weights - view.rules.weight;
  }

  /** Where a job begins that had nothing to do: at the fair share by now, or at the least of those it has to do with. */
  #beginningOf(view: JobView): number {
    const { now, threads } = this.#shell;
    const { runnable, slots, jobs } = this.#state;
    const first = runnable.first;
    let least = first === undefined ? Infinity : hadOf(first);
    let underwayMs = 0;
    for (const { index } of slots) {
      for (const { job, runningSince } of threads.at(index)?.sent ?? []) {
        if (runningSince !== undefined) underwayMs += now - runningSince;
        const other = jobs.get(job.key);
        if (other?.phase === "live") least = Math.min(least, hadOf(other));
      }
    }
    return Math.max(view.hadMs, this.#fairShare + underwayMs / this.#weights, least === Infinity ? 0 : least);
  }
}

function hadOf({ share, advanceMs, rules }: Job): number {
  return share - advanceMs / rules.weight;
}
