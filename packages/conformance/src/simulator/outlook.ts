/**
 * What comes next must be right as well: who is first in line, for whom slots are kept, and when the timer rings for
 * work that could move. Read from the scheduler's own state after each turn.
 */
import type { Batch, Job, Slot } from "@threadmill/engine/internal/scheduler";
import type { Shell } from "./shell.js";
import { broken } from "./violation.js";

const EPSILON_MS = 1e-6;
/** How long a thread without work waits before it looks again. */
const LOOK_MS = 1;

export class Outlook {
  readonly #shell: Shell;

  constructor(shell: Shell) {
    this.#shell = shell;
  }

  /** To be called when a turn is over. */
  afterTurn(): void {
    this.#checkOrder();
    this.#checkReserved();
    if (this.#shell.pendingTicks > 0) return;
    this.#checkRest();
    this.#checkLook();
  }

  /** Whoever is next is who has had the least (L5); whoever backs off next is due first. */
  #checkOrder(): void {
    const { runnable, backingOff, jobs } = this.#shell.state;
    const next = runnable.first;
    const nearest = backingOff.first?.retries.first?.dueAt ?? Infinity;
    for (const job of jobs.values()) {
      if (next !== undefined && runnable.has(job) && isBefore(job, next)) {
        broken("L5", `job ${next.key} is next with ${next.share} ms, and job ${job.key} has had ${job.share}`);
      }
      if (backingOff.has(job) && (job.retries.first?.dueAt ?? Infinity) < nearest) {
        broken("L2", `job ${job.key} has a retry that is due before the nearest`);
      }
    }
  }

  /** A job is due one slot at most that gives way to it. */
  #checkReserved(): void {
    const kept = new Set<Job>();
    for (const { reservedFor } of this.#shell.state.slots) {
      if (reservedFor === undefined) continue;
      if (kept.has(reservedFor)) broken("L5", `two slots are kept for job ${reservedFor.key}`);
      kept.add(reservedFor);
    }
  }

  /** An idle engine has its timer off; but a stray that has just ended, or work, may leave one look at nothing. */
  #checkRest(): void {
    const { state, armedAt } = this.#shell;
    const isLastLook = armedAt === state.strayCheckAt || armedAt === state.heedCheckAt;
    if (state.isIdle && armedAt !== undefined && !isLastLook) {
      broken("L2", `nothing is to be done, and the timer is set to ${armedAt}`);
    }
  }

  /** While work could move, a look is planned within a moment. (Each step is one as well.) */
  #checkLook(): void {
    const { now, state, armedAt = Infinity } = this.#shell;
    const { slots, newcomers, runnable } = state;
    const isAnyIdle = slots.some(({ phase, running }) => phase === "ready" && running === undefined);
    const mayTake = isAnyIdle && slots.some(({ running, behind }) => mayRevoke(running) || mayRevoke(behind));
    const mayHasten = slots.some(
      ({ running, behind }) => behind?.isNewcomer === true && running?.job !== behind.job && mayRevoke(running),
    );
    // A slot that was worth it has been asked already, and is kept for one of them.
    const mayWelcome =
      slots.some(canGiveWay) &&
      [...newcomers].some((job) => runnable.has(job) && !slots.some(({ reservedFor }) => reservedFor === job));
    if ((mayTake || mayHasten || mayWelcome) && armedAt > now + LOOK_MS + EPSILON_MS) {
      const whom = mayTake ? "a thread without work" : "a newcomer";
      broken("L5", `the timer is set to ${armedAt}, and a look for ${whom} is due within a moment`);
    }
  }
}

/** The least share; of equals whoever has not started, and then whoever came first. */
function isBefore(a: Job, b: Job): boolean {
  if (a.share !== b.share) return a.share < b.share;
  return a.hasStarted === b.hasStarted ? a.key < b.key : b.hasStarted;
}

/** Whether it could be kept for a newcomer: nothing in it is one's already. */
function canGiveWay({ phase, running, behind, reservedFor }: Slot): boolean {
  if (phase !== "ready" || reservedFor !== undefined) return false;
  if (running === undefined || running.stoppedAt !== undefined) return false;
  return behind === undefined || behind.job.completed + behind.job.failed > 0;
}

/** Whether something could be taken back from it. */
function mayRevoke(batch: Batch | undefined): boolean {
  if (batch === undefined || batch.stoppedAt !== undefined || batch.isClaimed || batch.isAlone || batch.count === 0) {
    return false;
  }
  return batch.runningSince === undefined || (batch.count > 1 && batch.job.recipe.kind !== "batch");
}
