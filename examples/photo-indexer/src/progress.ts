/** Where a run is, as a bar or a page would show it. */
export interface RunProgress {
  readonly stage: "drawing" | "reading" | "comparing" | "labelling" | "publishing";
  /** Photos, pictures or blocks that are done, the broken ones included. */
  readonly done: number;
  readonly broken: number;
  /** Not known while the folder is still being counted. */
  readonly total: number | undefined;
  /** Over the last seconds, not over the whole run: after a quick part a mean would promise too much. */
  readonly perSecond: number;
  /** Undefined while it would be a guess. */
  readonly etaMs: number | undefined;
  readonly elapsedMs: number;
}

export type ProgressListener = (progress: RunProgress) => void;

/** Length of the window that a rate is taken over. */
const WINDOW_MS = 5000;
/** Before that much of it has passed, a rate says more about chance than about the work. */
const SETTLED_MS = 1500;

/** Turns "so many are done by now" into a rate over the last seconds and a time that is left. Time comes in as a value. */
export class RateWindow {
  readonly #startedAt: number;
  #marks: { readonly at: number; readonly done: number }[];

  constructor(now: number, done = 0) {
    this.#startedAt = now;
    this.#marks = [{ at: now, done }];
  }

  /** Notes that `done` are done at `now`, and answers what that means. */
  update(now: number, done: number, total: number | undefined): Pick<RunProgress, "perSecond" | "etaMs" | "elapsedMs"> {
    const latest = this.#marks.at(-1);
    // Ten marks a second are plenty, however often it is asked.
    if (latest === undefined || now - latest.at >= 100) this.#marks.push({ at: now, done });
    // The newest mark that is older than the window stays: it is the window's beginning.
    const begin = this.#marks.findLastIndex(({ at }) => at <= now - WINDOW_MS);
    if (begin > 0) this.#marks = this.#marks.slice(begin);
    const first = this.#marks[0] ?? { at: now, done };
    const span = now - first.at;
    const perSecond = span > 0 ? ((done - first.done) / span) * 1000 : 0;
    const elapsedMs = now - this.#startedAt;
    const settled = elapsedMs >= SETTLED_MS && perSecond > 0;
    const etaMs = total === undefined || !settled ? undefined : (Math.max(0, total - done) / perSecond) * 1000;
    return { perSecond, etaMs, elapsedMs };
  }
}
