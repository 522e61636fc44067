/** How far a job is, how fast it goes, and when it will be done. */

export interface Progress {
  /**
   * With what threads have finished and not yet answered for. Should one of those turn out to have failed, because its
   * result cannot be cloned or its thread was lost, it goes over to `failed`: the sum of the two never falls.
   */
  readonly completed: number;
  readonly failed: number;
  /** Undefined while the source has not said. */
  readonly total: number | undefined;
  /** Over the last seconds; 0 before the first items. */
  readonly itemsPerSecond: number;
  /** Undefined while it cannot be told. */
  readonly etaMs: number | undefined;
  readonly elapsedMs: number;
  /** The newest value that a handler gave to `ctx.detail`. */
  readonly detail?: unknown;
}

/** The window that the rate is taken over: an average since the start would be wrong after a pause. */
const WINDOW_MS = 5_000;
const SAMPLE_MS = 250;

/** Keeps what is shown from ever going back. */
export class ProgressMeter {
  readonly #startedAt: number;
  #completed = 0;
  #endedAt: number | undefined;
  readonly #samples: { at: number; ended: number }[] = [];

  constructor(now: number) {
    this.#startedAt = now;
    this.#samples.push({ at: now, ended: 0 });
  }

  end(now: number): void {
    this.#endedAt ??= now;
  }

  /** `seen`: items that threads have finished and not yet answered for. */
  snapshot(
    counts: { completed: number; failed: number; seen: number; total: number | undefined },
    now: number,
    detail: unknown,
  ): Progress {
    const { failed, total } = counts;
    const most = total === undefined ? Infinity : total - failed;
    this.#completed = Math.min(Math.max(this.#completed, counts.completed + counts.seen), most);
    const ended = this.#completed + failed;
    const at = this.#endedAt ?? now;
    const itemsPerSecond = this.#rate(at, ended);
    return {
      completed: this.#completed,
      failed,
      total,
      itemsPerSecond,
      etaMs: total === undefined ? undefined : ended >= total ? 0 : eta(total - ended, itemsPerSecond),
      elapsedMs: at - this.#startedAt,
      ...(detail === undefined ? {} : { detail }),
    };
  }

  #rate(now: number, ended: number): number {
    const samples = this.#samples;
    const last = samples[samples.length - 1];
    if (last !== undefined && now - last.at >= SAMPLE_MS) samples.push({ at: now, ended });
    while (samples.length > 2 && now - (samples[1]?.at ?? now) > WINDOW_MS) samples.shift();
    const first = samples[0] as { at: number; ended: number };
    const ms = now - first.at;
    return ms <= 0 ? 0 : ((ended - first.ended) * 1_000) / ms;
  }
}

function eta(items: number, itemsPerSecond: number): number | undefined {
  return itemsPerSecond <= 0 ? undefined : (items * 1_000) / itemsPerSecond;
}
