/** The outcomes of a job that collects: kept for any number of loops, each from the start, and for its result. */
import type { Column, NumberColumn } from "@threadmill/protocol";
import type { IndexRange } from "../scheduler/index.js";
import { NEVER_RUN, type OutcomeRun, valuesOf } from "./outcome.js";
import { type Feed, type FeedEnding, Wakers } from "./readers.js";

/** An array that is made longer than this is no list for V8 but a table, which takes ten times as much. */
const MOST_PLACES = 32 * 1024 * 1024;

export class KeptOutcomes {
  readonly loopRefusal = undefined;
  readonly wakers = new Wakers();
  /** Every run that was committed. */
  #log: OutcomeRun[] = [];
  /** The values by index, where it is known from the start how many there will be. */
  #places: unknown[] | undefined;

  /** `length`: how many there will be in all, where that is known and the values have no place yet. */
  add(run: OutcomeRun, length: number | undefined): void {
    this.#log.push(
      length === undefined || length === run.count || length > MOST_PLACES ? run : this.#place(run, length),
    );
  }

  /** Joining a million values in the end would hold up everybody: they are put in their places as they come. */
  #place({ start, count, values, offset, failures, attempts }: OutcomeRun, length: number): OutcomeRun {
    // oxlint-disable-next-line unicorn/no-new-array -- of this length, whatever comes first
    const places = (this.#places ??= new Array<unknown>(length));
    for (let at = 0; at < count; at++) places[start + at] = values[offset + at];
    return { start, count, values: places, offset: start, failures, attempts };
  }

  /** All outcomes of a job that has completed before. */
  restore(
    values: Column,
    attempts: ReadonlyMap<number, number> | undefined,
    found: readonly IndexRange[] | undefined,
  ): void {
    const count = values.length;
    const whole = { start: 0, count, values, offset: 0, failures: undefined, attempts };
    if (count > 0) this.#log = found === undefined ? [whole] : splitAt(whole, found);
  }

  /** What was found in the cache of single items. */
  found(): IndexRange[] {
    return this.#log.filter(({ attempts }) => attempts === NEVER_RUN).map(({ start, count }) => ({ start, count }));
  }

  /** The values by index; `column`: where they lie already. The answers they came in are not kept beside them. */
  join(column: NumberColumn | undefined): Column | NumberColumn {
    const values = column ?? this.#places ?? valuesOf(this.#log);
    this.#log = this.#log.map((run) => (run.values === values ? run : { ...run, values, offset: run.start }));
    return values;
  }

  openFeed(ending: () => FeedEnding): Feed {
    let next = 0;
    return {
      take: () => this.#log[next++] ?? (next--, undefined),
      onRead: () => undefined,
      ending,
      wait: (wake) => this.wakers.add(wake),
      leave: () => undefined,
    };
  }

  /** Nobody can read them any more. */
  drop(): void {
    this.#log = [];
    this.#places = undefined;
  }
}

/** All items of a job, with those apart that were never run. */
function splitAt(whole: OutcomeRun, found: readonly IndexRange[]): OutcomeRun[] {
  const runs: OutcomeRun[] = [];
  let next = 0;
  const runUntil = (end: number): void => {
    if (end > next) runs.push({ ...whole, start: next, count: end - next, offset: next });
  };
  for (const { start, count } of found.toSorted((a, b) => a.start - b.start)) {
    runUntil(start);
    runs.push({ ...whole, start, count, offset: start, attempts: NEVER_RUN });
    next = start + count;
  }
  runUntil(whole.count);
  return runs;
}
