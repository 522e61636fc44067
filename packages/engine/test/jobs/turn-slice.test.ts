import { describe, expect, it } from "vitest";
import { TurnSlice } from "../../src/jobs/turn-slice.js";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a slice of a turn", () => {
  it("is over when its time is, however often the work begins anew, and begins again with the next turn", async () => {
    const slice = new TurnSlice(0.5);
    for (let round = 0; round < 3; round++) {
      expect(slice.isOver).toBe(false);
      const end = performance.now() + 1;
      while (performance.now() < end) await Promise.resolve();
      // Still the same turn: microtasks are no way out of it.
      expect(slice.isOver).toBe(true);
      await turn();
    }
  });

  it("is not over before its time", () => {
    const slice = new TurnSlice(Infinity);
    expect([slice.isOver, slice.isOver]).toEqual([false, false]);
  });
});
