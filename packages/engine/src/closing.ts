/** How an engine ends: in its own time, or at a deadline that it keeps whatever the tasks do. */
import { InvalidArgumentError } from "@threadmill/protocol";
import type { JobRegistry } from "./jobs/registry.js";

export interface CloseOptions {
  /** How long live jobs may go on; then they are cancelled. Default: as long as they take. 0: not at all. */
  readonly deadlineMs?: number;
}

export interface CloseReport {
  /** Slots whose thread was in native code and had to be left: it ends with the process. */
  readonly leftBehind: readonly number[];
  /** Jobs that the close cancelled. */
  readonly cancelledJobs: readonly string[];
}

const MAX_TIMER_MS = 2_147_483_647;
/** With the teardown after it, within the second that `close` promises after its deadline. */
const MAX_GRACE_MS = 700;
const LATE_TEARDOWN_MS = 150;

export class Closing {
  readonly #registry: JobRegistry;
  readonly #graceMs: number;
  readonly #cancelled = new Set<string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #isPastDeadline = false;
  #isOver = false;
  #onDeadline: () => void = () => undefined;
  #report: Promise<CloseReport> | undefined;

  constructor(registry: JobRegistry, graceMs: number) {
    this.#registry = registry;
    this.#graceMs = graceMs;
  }

  /** @throws {InvalidArgumentError} the deadline is no time, or there is none and a paused job would never end. */
  check({ deadlineMs }: CloseOptions): void {
    if (deadlineMs === undefined) {
      if (this.#report === undefined) refusePaused(this.#registry, "close");
    } else if (typeof deadlineMs !== "number" || !(deadlineMs >= 0)) {
      throw new InvalidArgumentError(`close: deadlineMs must be a number from 0, not ${String(deadlineMs)}`);
    }
  }

  /** Begins, or adds a deadline to what has begun. */
  begin({ deadlineMs }: CloseOptions): Promise<CloseReport> {
    if (this.#isOver && this.#report !== undefined) return this.#report;
    // At once means in this tick.
    if (deadlineMs === 0) this.#cancelAll();
    else if (deadlineMs !== undefined) {
      this.#timers.add(setTimeout(() => this.#cancelAll(), Math.min(deadlineMs, MAX_TIMER_MS)));
    }
    this.#report ??= this.#run();
    return this.#report;
  }

  #cancelAll(): void {
    this.#isPastDeadline = true;
    for (const job of this.#registry.live()) {
      this.#cancelled.add(job.id);
      this.#registry.cancel(job, new DOMException("the engine was closed", "AbortError"));
    }
    this.#onDeadline();
  }

  async #run(): Promise<CloseReport> {
    // After a deadline threads have a grace to let go of what was cancelled; nothing waits for them after that.
    let grace: NodeJS.Timeout | undefined;
    const graceOver = new Promise<void>((resolve) => {
      this.#onDeadline = () => {
        grace ??= setTimeout(resolve, Math.min(this.#graceMs, MAX_GRACE_MS));
      };
      if (this.#isPastDeadline) this.#onDeadline();
    });
    await Promise.race([this.#registry.whenIdle(), graceOver]);
    clearTimeout(grace);
    for (const timer of this.#timers) clearTimeout(timer);
    const leftBehind = await this.#registry.dispatcher.end(this.#isPastDeadline ? LATE_TEARDOWN_MS : this.#graceMs);
    this.#isOver = true;
    return { leftBehind, cancelledJobs: [...this.#cancelled] };
  }
}

/** @throws {InvalidArgumentError} a job is paused: whoever waits for it would wait for ever. */
export function refusePaused(registry: JobRegistry, what: string): void {
  const paused = registry.live().filter((job) => job.state === "paused");
  if (paused.length === 0) return;
  const names = paused.slice(0, 3).map((job) => JSON.stringify(job.id));
  throw new InvalidArgumentError(
    `${what}: ${paused.length} paused job(s) would never end (${names.join(", ")}); resume or cancel them first`,
  );
}
