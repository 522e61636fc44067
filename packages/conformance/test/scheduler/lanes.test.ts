import { describe, expect, it } from "vitest";
import { type Call, type Fate, type JobView, Simulation } from "../../src/simulator/index.js";

describe("with several items in flight", () => {
  it("a batch that ends before the one ahead of it is followed by one with words of its own", () => {
    const simulation = new Simulation({ threads: 1 });
    // The first item outlives the batches behind it, whose items run in the other lane.
    const task = { concurrency: 2, ms: (index: number) => (index === 1 ? 100 : 1) };
    const job = simulation.submit({ task, items: 20, rules: { batchSize: 2 } });
    simulation.run();
    expect(job.state).toBe("completed");
    expect([...job.begun.values()].every((times) => times === 1)).toBe(true);
  });

  it("lanes do not run empty at the border of two batches", () => {
    const simulation = new Simulation({ threads: 1 });
    const job = simulation.submit({ task: { concurrency: 2, ms: 10 }, items: 21, rules: { batchSize: 5 } });
    simulation.run();
    // One item to learn what the task is, then two at a time.
    expect(job.settledAt).toBe(10 + 20 * 5);
  });
});

/** A thread whose second lane took the first item of the batch behind: that one computes, and the first waits for it. */
function behindTheBorder(
  rules: { first: number; hog: number },
  fate: (call: Call) => Fate,
): { simulation: Simulation; first: JobView; hog: JobView } {
  const simulation = new Simulation({ threads: 1, graceMs: 100 });
  const known = { concurrency: 2, ms: 10 };
  for (const recipe of [1, 2]) simulation.submit({ task: known, recipe, items: 1 });
  simulation.run();
  const first = simulation.submit({ task: known, recipe: 1, items: 1, rules: { timeoutMs: rules.first } });
  const hog = simulation.submit({ task: { ...known, fate }, recipe: 2, items: 1, rules: { timeoutMs: rules.hog } });
  simulation.advance(1);
  expect([first.begun.size, hog.begun.size]).toEqual([1, 1]);
  return { simulation, first, hog };
}

describe("an item that computes for ever in a lane that was free, ahead of its own batch's turn", () => {
  it("is set aside with its thread when it is cancelled, and the batch ahead goes to another", () => {
    const { simulation, first, hog } = behindTheBorder({ first: 0, hog: 0 }, () => "hang");
    simulation.cancel(hog);
    simulation.run();
    expect(simulation.leftovers()).toEqual([]);
    expect(first.state).toBe("completed");
  });

  it("fails at its own time limit, whatever the batch ahead allows itself", () => {
    const { simulation, first, hog } = behindTheBorder({ first: 0, hog: 50 }, () => "hang");
    simulation.run();
    expect([...hog.failed]).toEqual([[0, "TASK_TIMEOUT"]]);
    expect(first.state).toBe("completed");
    expect(simulation.leftovers()).toEqual([]);
  });

  it("brings no time-out upon an item of another job that it has kept from its end", () => {
    const fate = ({ runsBefore }: Call): Fate => (runsBefore === 0 ? { nativeMs: 3_000 } : "ok");
    const { simulation, first, hog } = behindTheBorder({ first: 50, hog: 0 }, fate);
    simulation.run();
    expect([...first.failed]).toEqual([]);
    expect([first.state, hog.state]).toEqual(["completed", "completed"]);
    expect(simulation.leftovers()).toEqual([]);
  });
});
