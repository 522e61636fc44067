import { describe, expect, it } from "vitest";
import { Simulation } from "../../src/simulator/index.js";

describe("a thread without work", () => {
  it("takes half of a tail from one that has too much", () => {
    // Fast items first, so that a large batch is dared; then slow ones.
    const simulation = new Simulation({ threads: 2 });
    const job = simulation.submit({ task: { ms: (index) => (index < 1_000 ? 0.01 : 50) }, items: 1_008 });
    simulation.run();
    // 1,000 fast items are 10 ms and the eight slow ones 400; on two threads that is 205.
    expect(job.settledAt! / 205).toBeLessThan(1.3);
    expect([...job.begun.values()].every((times) => times === 1)).toBe(true);
  });

  it("takes over what waits behind another", () => {
    const simulation = new Simulation({ threads: 2 });
    const recipe = 5;
    const task = { ms: 100 };
    simulation.submit({ task, recipe, items: 1 });
    simulation.run();
    const job = simulation.submit({ task, recipe, items: 3, rules: { batchSize: 1 } });
    simulation.run();
    expect(job.settledAt! - job.submittedAt).toBe(200);
  });

  it("leaves a batch handler the items that it has begun", () => {
    const simulation = new Simulation({ threads: 2 });
    const job = simulation.submit({ task: { kind: "batch", ms: 10 }, items: 21, rules: { batchSize: 20 } });
    simulation.run();
    expect(job.state).toBe("completed");
    expect([...job.begun.values()].every((times) => times === 1)).toBe(true);
  });

  it("takes nothing from work that is not worth moving", () => {
    const simulation = new Simulation({ threads: 2 });
    const task = { ms: 0.01 };
    simulation.submit({ task, recipe: 5, items: 100 });
    simulation.run();
    const before = simulation.effectsOf("revoke").length;
    simulation.submit({ task, recipe: 5, items: 20 });
    simulation.run();
    expect(simulation.effectsOf("revoke").length).toBe(before);
  });

  it("stops looking when all threads are busy: the timer does not ring in vain", () => {
    const simulation = new Simulation({ threads: 2 });
    const task = { ms: 0.1 };
    simulation.submit({ task, recipe: 5, items: 10 });
    simulation.run();
    // Too little to be moved now, but it might turn out to be slow: the idle slot looks again in a moment.
    simulation.submit({ task, recipe: 5, items: 3, rules: { batchSize: 3 } });
    expect(simulation.armedAt).toBeDefined();
    const big = simulation.submit({ task, recipe: 5, items: 100, rules: { batchSize: 10 } });
    simulation.run();
    expect(big.state).toBe("completed");
    expect(simulation.leftovers()).toEqual([]);
  });

  it("keeps the timer quiet: what a tick finds not yet due, by a rounding error, is not due at once either", () => {
    const simulation = new Simulation({ threads: 1, graceMs: 100 });
    const task = {
      ms: 0.1,
      fate: ({ index }: { index: number }) => (index === 2 ? ({ nativeMs: 3_000 } as const) : "ok"),
    };
    const job = simulation.submit({ task, items: 3, rules: { timeoutMs: 50, stopsAtFailure: false } });
    simulation.run();
    expect([...job.failed]).toEqual([[2, "TASK_TIMEOUT"]]);
  });
});
