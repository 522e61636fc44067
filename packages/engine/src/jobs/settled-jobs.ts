/** A short memory of jobs that have ended: how, and at what cost. Their values are not in it. */
import type { SettledState } from "./job.js";
import type { JobStats } from "./outcome.js";

export interface SettledJob {
  readonly id: string;
  readonly state: SettledState;
  /** What `result` rejected with. */
  readonly error: unknown;
  readonly stats: JobStats;
}

const MAX_RECORDS = 256;

export class SettledJobs {
  readonly #records = new Map<string, SettledJob>();

  add(id: string, record: SettledJob): void {
    this.#records.delete(id);
    this.#records.set(id, record);
    if (this.#records.size <= MAX_RECORDS) return;
    const oldest = this.#records.keys().next().value;
    if (oldest !== undefined) this.#records.delete(oldest);
  }

  get(id: string): SettledJob | undefined {
    return this.#records.get(id);
  }
}
