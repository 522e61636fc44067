/** Sources that are pulled, and readers that set the pace: what is before a job and behind it. */
import type { IndexRange, Sorting } from "@threadmill/engine/internal/scheduler";
import { Kind } from "./agenda.js";
import { FOUND, HOME, type JobView } from "./job-view.js";
import type { Shell } from "./shell.js";
import type { SimulatedSource } from "./spec.js";
import { broken } from "./violation.js";

export class Supplies {
  /** Sources that fail and fall silent, readers that take their time. Without them all goes well, and soon. */
  hasFaults = true;
  readonly #shell: Shell;

  constructor(shell: Shell) {
    this.#shell = shell;
  }

  onPull(job: JobView, max: number): void {
    if (job.isPulling) broken("S10", `job ${job.key} pulls while an earlier question is open`);
    if (job.sourceEnded) broken("S10", `job ${job.key} pulls from a source that has ended`);
    if (job.isPaused) broken("S10", `job ${job.key} pulls though it is paused`);
    const most = this.#shell.sizes.mostInFlight(job);
    if (!(max > 0) || job.inFlight + max > most) {
      broken("S10", `job ${job.key} asks for ${max} items with ${job.inFlight} of ${most} in flight`);
    }
    job.isPulling = true;
    job.wanted = max;
    // At rest, as the shell does: the caller's iterator must not run inside a step.
    this.#shell.agenda.plan(this.#shell.now, Kind.SOURCE, job, undefined);
  }

  /** The source gives what it has now. */
  give(job: JobView): void {
    if (job.isSettled || !job.isPulling) return;
    const shell = this.#shell;
    const source = job.source as SimulatedSource;
    if (this.hasFaults && source.silentAt !== undefined && job.supplied >= source.silentAt) {
      shell.counters["source that fell silent"]++;
      return;
    }
    // The pull is not over: a delivery, or a reader, takes it up again.
    if (source.isHeavy === true && job.inFlight > 0) return;
    const isOver = !this.hasFaults && job.total === Infinity;
    if (isOver) shell.counters["source without an end"]++;
    const left = isOver ? 0 : job.total - job.supplied;
    const throwsAt = this.hasFaults ? (source.throwsAt ?? Infinity) : Infinity;
    const count = this.#wantedOf(job, source, Math.max(Math.min(source.chunk, left, throwsAt - job.supplied), 0));
    if (count > 0) {
      job.supply(count);
      job.mostInFlight = Math.max(job.mostInFlight, job.inFlight);
      shell.progress++;
      const hasCache = source.isFound !== undefined || source.keyOf !== undefined;
      const come = Array.from({ length: count }, (_, at) => job.supplied - count + at);
      shell.dispatch({ type: "items", job: job.key, count, ...(hasCache ? { sorting: sortingOf(job, come) } : {}) });
      if (job.isSettled) return;
    }
    if (job.supplied >= throwsAt && job.wanted > 0) {
      if (job.outCount > 0) shell.counters["source that failed with items in flight"]++;
      job.isPulling = false;
      shell.dispatch({ type: "source-failed", job: job.key });
      return;
    }
    if (count === left) {
      job.isPulling = false;
      job.sourceEnded = true;
      if (job.supplied > 0 && job.inFlight - job.unread === 0) {
        shell.counters["source ended after its last item was delivered"]++;
      }
      shell.dispatch({ type: "pulled", job: job.key, ended: true });
    } else if (job.wanted === 0 || source.delayMs === undefined) {
      job.isPulling = false;
      shell.dispatch({ type: "pulled", job: job.key, ended: false });
    } else {
      shell.agenda.plan(shell.now + source.delayMs, Kind.SOURCE, job, undefined);
    }
  }

  /** Takes off what was asked for as many of the next `most` items as that allows. */
  #wantedOf(job: JobView, { isFound }: SimulatedSource, most: number): number {
    let count = 0;
    while (count < most && job.wanted > 0) {
      const isFree = isFound?.(job.supplied + count) === true && job.spec.isThrottled !== true;
      if (!isFree) job.wanted--;
      count++;
    }
    return count;
  }

  /** Silent sources speak again, and endless ones come to their end. */
  wake(job: JobView): void {
    if (job.isPulling) this.#shell.agenda.plan(this.#shell.now, Kind.SOURCE, job, undefined);
  }

  // ——— readers

  onDelivered(job: JobView): void {
    this.#resume(job);
    if (job.spec.isThrottled !== true || job.unread === 0 || job.isReading) return;
    const { reader = "hand" } = job.spec;
    if (reader === "hand" && this.hasFaults) return;
    if (reader === "prompt" || reader === "hand" || !this.hasFaults) {
      // A loop that waits, or none: taken in the step that delivers.
      this.read(job, job.unread);
      return;
    }
    job.isReading = true;
    this.#shell.agenda.plan(this.#shell.now + reader.everyMs, Kind.READ, job, undefined);
  }

  readSome(job: JobView): void {
    job.isReading = false;
    const { reader } = job.spec;
    if (job.unread === 0 || typeof reader !== "object") return;
    if (this.hasFaults && job.unread > reader.most) this.#shell.counters["reader slower than its job"]++;
    this.read(job, this.hasFaults ? Math.min(job.unread, reader.most) : job.unread);
    this.onDelivered(job);
  }

  read(job: JobView, count: number): void {
    if (count > job.unread) throw new RangeError(`job ${job.key} has ${job.unread} outcomes to read, not ${count}`);
    const wasPulling = job.isPulling;
    job.unread -= count;
    this.#resume(job);
    this.#shell.dispatch({ type: "read", job: job.key, count });
    if (!wasPulling && job.isPulling) this.#shell.counters["throttled reader unblocks source"]++;
  }

  /** A heavy chunk that waited may come now. */
  #resume(job: JobView): void {
    if (job.source?.isHeavy === true && job.isPulling && job.inFlight === 0) this.wake(job);
  }

  onSettled(job: JobView): void {
    job.isPulling = false;
    job.wanted = 0;
  }
}

/** What has become of these items: which have to be run, and how many are found. */
export function sortingOf({ places }: JobView, indices: readonly number[]): Sorting {
  const toRun: IndexRange[] = [];
  for (const index of indices) {
    if (places[index] !== HOME) continue;
    const last = toRun.at(-1);
    if (last !== undefined && last.start + last.count === index) last.count++;
    else toRun.push({ start: index, count: 1 });
  }
  return { found: indices.filter((index) => places[index] === FOUND).length, toRun };
}
