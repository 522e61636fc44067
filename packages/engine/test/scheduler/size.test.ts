import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { measure } from "../../src/scheduler/size.js";
import { createRecipe } from "../../src/scheduler/state.js";

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
          measure(recipe, count, elapsedMs);
          expect(recipe.msPerItem!).toBeGreaterThanOrEqual(Math.max(time, Math.min(...times)) - 1e-9);
          expect(recipe.msPerItem!).toBeLessThanOrEqual(Math.max(...times) + 1e-9);
        }
      }),
    );
  });

  it("is not changed by a batch that ran nothing", () => {
    const recipe = createRecipe(1);
    measure(recipe, 0, 50);
    expect(recipe.msPerItem).toBeUndefined();
  });
});
