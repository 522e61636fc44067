import { describe, expect, it } from "vitest";
import { Simulation } from "./simulated-threads.js";

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
