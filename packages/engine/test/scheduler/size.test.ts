import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchSize, measure } from "../../src/scheduler/size.js";
import { type Job, createRecipe, createState } from "../../src/scheduler/state.js";

describe("the average time of an item", () => {
  it("stays between the least and the most that was measured, and rises at once", () => {
    const samples = fc.array(fc.tuple(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 0, max: 1_000 })), {
      minLength: 1,
    });
    fc.assert(
      fc.property(samples, (list) => {
        const recipe = createRecipe(1);
        const times: number[] = [];
        for (const [count, elapsedMs] of list) {
          const time = elapsedMs / count;
          times.push(time);
          measure(recipe, count, { elapsedMs, mainMs: 0 });
          expect(recipe.msPerItem!).toBeGreaterThanOrEqual(Math.max(time, Math.min(...times)) - 1e-9);
          expect(recipe.msPerItem!).toBeLessThanOrEqual(Math.max(...times) + 1e-9);
        }
      }),
    );
  });

  it("makes a batch small whose items cost the main thread much", () => {
    const state = createState({ threads: 2, batchMs: 10, maxBatchItems: 4_096, graceMs: 1_000 });
    const recipe = createRecipe(1);
    recipe.phase = "known";
    const job = { recipe, rules: { batchSize: 0, concurrency: 0 }, sourceEnded: false } as Job;
    measure(recipe, 4_096, { elapsedMs: 1, mainMs: 0.1 });
    expect(batchSize(state, job)).toBe(4_096);
    measure(recipe, 4_096, { elapsedMs: 1, mainMs: 40 });
    expect(batchSize(state, job)).toBeLessThan(500);
    expect(batchSize(state, job)).toBeGreaterThanOrEqual(1);
  });

  it("is not changed by a batch that ran nothing", () => {
    const recipe = createRecipe(1);
    measure(recipe, 0, { elapsedMs: 50, mainMs: 0 });
    expect(recipe.msPerItem).toBeUndefined();
  });
});
