import { describe, expect, it } from "vitest";
import { PixelBudget } from "../../src/tasks/pixel-budget.js";

/** Work that says when it begins, and ends when it is told to. */
function pieces(budget: PixelBudget, ...sizes: number[]) {
  const running: number[] = [];
  const ends: ((error?: Error) => void)[] = [];
  const all = sizes.map((pixels, i) =>
    budget.spend(pixels, async () => {
      running.push(i);
      await new Promise<void>((resolve, reject) => {
        ends[i] = (error) => (error === undefined ? resolve() : reject(error));
      });
      running.splice(running.indexOf(i), 1);
      return i;
    }),
  );
  const settled = Promise.allSettled(all);
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  return { running, settled, end: async (i: number, error?: Error) => (ends[i]?.(error), await turn()), turn };
}

describe("PixelBudget", () => {
  it("lets small pictures go side by side, and the next one when there is room, in their order", async () => {
    const { running, settled, end, turn } = pieces(new PixelBudget(100), 40, 40, 40, 10);
    await turn();
    expect(running).toEqual([0, 1]);
    await end(1);
    expect(running).toEqual([0, 2, 3]);
    for (const i of [0, 2, 3]) await end(i);
    expect(await settled).toHaveLength(4);
  });

  it("lets a picture that is larger than all go alone", async () => {
    const { running, settled, end, turn } = pieces(new PixelBudget(100), 1, 500, 1);
    await turn();
    expect(running).toEqual([0]);
    await end(0);
    expect(running).toEqual([1]);
    await end(1);
    expect(running).toEqual([2]);
    await end(2);
    await settled;
  });

  it("gets back what a picture had that failed", async () => {
    const { running, settled, end, turn } = pieces(new PixelBudget(100), 100, 100);
    await turn();
    await end(0, new Error("damaged"));
    expect(running).toContain(1);
    await end(1);
    expect((await settled).map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
  });
});
