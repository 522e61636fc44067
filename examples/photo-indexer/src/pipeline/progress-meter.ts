import { RateWindow, type ProgressListener, type RunProgress } from "../progress.js";

/** How often a listener hears of progress. */
const REPORT_EVERY_MS = 100;

/** What a stage says of itself when it is asked. */
export interface StageCount {
  readonly done: number;
  readonly broken: number;
  readonly total: number | undefined;
}

/**
 * Reports progress at a steady pace, also when nothing moves: then the rate falls and the estimate grows, which is what
 * the person in front of it should see.
 */
export class ProgressMeter {
  readonly #listener: ProgressListener;
  #timer: NodeJS.Timeout | undefined;
  #report: (() => void) | undefined;

  constructor(listener: ProgressListener) {
    this.#listener = listener;
  }

  /** Begins a stage, and ends the one before. `count` is called at every report. */
  begin(stage: RunProgress["stage"], count: () => StageCount): void {
    this.end();
    const window = new RateWindow(performance.now(), 0);
    const report = (): void => {
      const { done, broken, total } = count();
      this.#listener({ stage, done, broken, total, ...window.update(performance.now(), done, total) });
    };
    this.#report = report;
    report();
    this.#timer = setInterval(report, REPORT_EVERY_MS);
    this.#timer.unref();
  }

  /** Ends the stage with a last report, so that the end is seen. */
  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#report?.();
    this.#report = undefined;
  }
}
