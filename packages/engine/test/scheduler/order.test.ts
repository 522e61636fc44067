/** Who is next, where many stand equally: jobs whose tasks are being probed leave the line, and come back to it. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { type Job, type SchedulerEvent, createState, step } from "../../src/scheduler/index.js";

const RULES = {
  weight: 1,
  stopsAtFailure: false,
  retry: { attempts: 1, backoffMs: 0, maxBackoffMs: 0, jitter: 0 },
  timeoutMs: 0,
  concurrency: 0,
  batchSize: 1,
  maxInFlight: 0,
};

type Move = "thread" | "description" | { readonly submit: number } | { readonly cancel: number };

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("thread" as const, "description" as const) },
  { weight: 3, arbitrary: fc.record({ submit: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ cancel: fc.nat(60) }) },
);

/** By the least share; of equals whoever has not started, then whoever came first. */
function isBefore(a: Job, b: Job): boolean {
  if (a.share !== b.share) return a.share < b.share;
  return a.hasStarted === b.hasStarted ? a.order < b.order : b.hasStarted;
}

/** Jobs that were not next though they should have been, while one thread comes and goes. */
function passedOver(moves: readonly Move[]): string[] {
  const state = createState({ threads: 1, batchMs: 10, maxBatchItems: 100, graceMs: 100 });
  const complaints: string[] = [];
  let jobs = 0;
  const happens = (event: SchedulerEvent): void => {
    // Time stands still, so that nobody has had any.
    step(state, event, 0, []);
    const next = state.runnable.first;
    if (next === undefined) return;
    for (const job of state.jobs.values()) {
      if (state.runnable.has(job) && isBefore(job, next)) complaints.push(`job ${job.key} before job ${next.key}`);
    }
  };
  for (const made of moves) {
    const [slot] = state.slots as [(typeof state.slots)[number]];
    const { index, incarnation, running, phase } = slot;
    if (made === "thread") {
      if (phase === "ready") happens({ type: "thread-lost", slot: index, incarnation, cur: [-1, -1] });
      else happens({ type: "thread-ready", slot: index, incarnation });
    } else if (made === "description") {
      const recipe = running?.job.recipe.id;
      if (recipe !== undefined) happens({ type: "described", recipe, kind: "item", concurrency: 1, maxBatchItems: 0 });
    } else if ("submit" in made) {
      const job = { job: ++jobs, recipe: made.submit, rules: RULES, supplied: 10, sourceEnded: true };
      happens({ type: "submit", ...job, isThrottled: false, isWarmUp: false });
    } else {
      happens({ type: "stop-asked", job: made.cancel });
    }
  }
  return complaints;
}

it("is who has had the least, then who has not started, then who came first", () => {
  const moves = fc.array(move, { minLength: 40, maxLength: 200, size: "max" });
  fc.assert(
    fc.property(moves, (drawn) => {
      expect(passedOver(drawn)).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
});
