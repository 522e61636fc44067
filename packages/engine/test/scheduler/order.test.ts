/** Who is next, where many stand equally: jobs whose tasks are still being probed leave the line and come back. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { type Effect, type Job, type SchedulerEvent, createState, step } from "../../src/scheduler/index.js";

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

it("is who has had the least, then who has not started, then who came first", () => {
  fc.assert(
    fc.property(fc.array(move, { minLength: 40, maxLength: 200, size: "max" }), (moves) => {
      const state = createState({ threads: 1, batchMs: 10, maxBatchItems: 100, graceMs: 100 });
      const effects: Effect[] = [];
      let jobs = 0;
      const happens = (event: SchedulerEvent): void => {
        // Time stands still, so that nobody has had any.
        step(state, event, 0, effects);
        const next = state.runnable.first;
        if (next === undefined) return;
        const [passed] = [...state.jobs.values()].filter((job) => state.runnable.has(job) && isBefore(job, next));
        // One `expect` a step would be most of the time.
        if (passed !== undefined) expect.fail(`job ${next.key} is next, and job ${passed.key} should be`);
      };
      for (const made of moves) {
        const [slot] = state.slots as [(typeof state.slots)[number]];
        const { index, incarnation, running, phase } = slot;
        if (made === "thread") {
          if (phase === "ready") happens({ type: "thread-lost", slot: index, incarnation, cur: [-1, -1] });
          else happens({ type: "thread-ready", slot: index, incarnation });
        } else if (made === "description") {
          const recipe = running?.job.recipe.id;
          if (recipe === undefined) continue;
          happens({ type: "described", recipe, kind: "item", concurrency: 1, maxBatchItems: 0 });
        } else if ("submit" in made) {
          const job = { job: ++jobs, recipe: made.submit, rules: RULES, supplied: 10, sourceEnded: true };
          happens({ type: "submit", ...job, isThrottled: false, isWarmUp: false });
        } else {
          happens({ type: "stop-asked", job: made.cancel });
        }
      }
    }),
    { numRuns: 2_000 },
  );
});
