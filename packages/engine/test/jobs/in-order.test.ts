import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InOrder } from "../../src/jobs/in-order.js";
import type { OutcomeRun } from "../../src/jobs/outcome.js";

const runOf = (start: number, count: number): OutcomeRun => ({
  start,
  count,
  values: [],
  offset: 0,
  failures: undefined,
  attempts: undefined,
});

/** Runs that cover the input from 0 without a gap, in any order. */
const shuffled = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }).chain((counts) => {
  let start = 0;
  const runs = counts.map((count) => {
    const run = runOf(start, count);
    start += count;
    return run;
  });
  return fc.shuffledSubarray(runs, { minLength: runs.length });
});

describe("runs put in order", () => {
  it("come out by index, all of them, and none before those ahead of it are there", () => {
    fc.assert(
      fc.property(shuffled, (runs) => {
        const inOrder = new InOrder();
        const seen = new Set<number>();
        const out: OutcomeRun[] = [];
        let next = 0;
        for (const run of runs) {
          seen.add(run.start);
          for (const ready of inOrder.add(run)) {
            expect(ready.start).toBe(next);
            next += ready.count;
            out.push(ready);
          }
          // Nothing that could be read is kept back.
          expect(seen.has(next)).toBe(false);
        }
        expect(out).toHaveLength(runs.length);
      }),
    );
  });
});
