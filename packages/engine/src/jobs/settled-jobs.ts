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
    forgetFrames(record.error);
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

/** Until its stack is asked for, an error holds what its frames held: a handle, and with it a job and all its values. */
function forgetFrames(error: unknown): void {
  try {
    if (error instanceof Error) void error.stack;
  } catch {
    // A getter of the caller's own.
  }
}
