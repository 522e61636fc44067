/** How an engine ends: in its own time, or at a deadline that it keeps whatever the tasks do. */
import { InvalidArgumentError } from "@threadmill/protocol";
import type { JobRegistry } from "./jobs/registry.js";
import { MAX_TIMER_MS, object, refuseUnknown, range } from "./option-checks.js";

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

/** After a deadline: all of it within the second that `close` promises, whatever the tasks do. */
const MAX_GRACE_MS = 600;
const LATE_TEARDOWN_MS = 150;
const LATE_END_MS = 900;

export class Closing {
  readonly #registry: JobRegistry;
  readonly #graceMs: number;
  readonly #cancelled = new Set<string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** After a deadline threads have a grace to let go of what was cancelled; nothing waits for them after that. */
  readonly #graceOver = new Gate();
  /** Nor for the teardown after a little more, nor in the end for threads that do not go. */
  readonly #teardownOver = new Gate();
  readonly #endOver = new Gate();
  #isPastDeadline = false;
  #isOver = false;
  #report: Promise<CloseReport> | undefined;

  constructor(registry: JobRegistry, graceMs: number) {
    this.#registry = registry;
    this.#graceMs = graceMs;
  }

  /** @throws {InvalidArgumentError} an option is unknown, the deadline is no time, or there is none and a paused job would never end. */
  check(options: CloseOptions): void {
    object("close: options", options);
    refuseUnknown("close", options, ["deadlineMs"]);
    const { deadlineMs } = options;
    if (deadlineMs !== undefined) range("close: deadlineMs", deadlineMs, 0, Infinity);
    else if (this.#report === undefined) refusePaused(this.#registry, "close");
  }

  /** Begins, or adds a deadline to what has begun. */
  begin({ deadlineMs }: CloseOptions): Promise<CloseReport> {
    if (this.#isOver && this.#report !== undefined) return this.#report;
    // At once means in this tick.
    if (deadlineMs === 0) this.#cancelAll();
    else if (deadlineMs !== undefined) this.#after(Math.min(deadlineMs, MAX_TIMER_MS), () => this.#cancelAll());
    this.#report ??= this.#run();
    return this.#report;
  }

  #after(ms: number, callback: () => void): void {
    this.#timers.add(setTimeout(callback, ms));
  }

  #cancelAll(): void {
    for (const job of this.#registry.live()) {
      this.#cancelled.add(job.id);
      this.#registry.cancel(job, new DOMException("the engine was closed", "AbortError"));
    }
    if (this.#isPastDeadline) return;
    this.#isPastDeadline = true;
    this.#after(LATE_END_MS, () => this.#endOver.open());
    const { isIdle } = this.#registry.dispatcher.state;
    this.#after(isIdle ? 0 : Math.min(this.#graceMs, MAX_GRACE_MS), () => {
      this.#graceOver.open();
      this.#after(LATE_TEARDOWN_MS, () => this.#teardownOver.open());
    });
  }

  async #run(): Promise<CloseReport> {
    await Promise.race([this.#registry.whenIdle(), this.#graceOver.opened]);
    const leftBehind = await this.#registry.dispatcher.end({
      teardownMs: this.#graceMs,
      teardownOver: this.#teardownOver.opened,
      endOver: this.#endOver.opened,
    });
    for (const timer of this.#timers) clearTimeout(timer);
    this.#isOver = true;
    return { leftBehind, cancelledJobs: [...this.#cancelled] };
  }
}

class Gate {
  open: () => void = () => undefined;
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
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
