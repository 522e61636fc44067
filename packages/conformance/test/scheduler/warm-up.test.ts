import { describe, expect, it } from "vitest";
import { Simulation } from "../../src/simulator/index.js";

const warmUp = (importMs = 5) => ({ task: { importMs }, isWarmUp: true });

describe("a warm-up", () => {
  it("reaches every slot with a batch that holds nothing, then completes", () => {
    const simulation = new Simulation({ threads: 3 });
    const job = simulation.submit(warmUp());
    simulation.run();
    expect(simulation.assigned.map(({ slot, indices }) => ({ slot, indices }))).toEqual([
      { slot: 0, indices: [] },
      { slot: 1, indices: [] },
      { slot: 2, indices: [] },
    ]);
    expect(job).toMatchObject({ state: "completed", settledAt: 5 });
    expect(simulation.leftovers()).toEqual([]);
  });

  it("goes behind what runs", () => {
    const simulation = new Simulation({ threads: 1 });
    simulation.submit({ task: { ms: 50 }, items: 1 });
    const job = simulation.submit(warmUp());
    simulation.run();
    expect(job).toMatchObject({ state: "completed", settledAt: 55 });
  });

  it("fails with the task that cannot be loaded", () => {
    const simulation = new Simulation();
    const job = simulation.submit({ task: { import: () => "broken" }, isWarmUp: true });
    simulation.run();
    expect(job).toMatchObject({ state: "failed", fault: { kind: "broken" } });
    expect(simulation.leftovers()).toEqual([]);
  });

  it("tries again where a thread died under it", () => {
    const simulation = new Simulation({ threads: 1 });
    const job = simulation.submit({ task: { import: (before) => (before === 0 ? "crash" : "ok") }, isWarmUp: true });
    simulation.run();
    expect(job.state).toBe("completed");
  });

  it("does not wait for a slot that was given up", () => {
    const simulation = new Simulation({ threads: 2, failsToStart: (slot) => slot === 1 });
    const job = simulation.submit(warmUp());
    simulation.run();
    expect(job.state).toBe("completed");
    expect(simulation.leftovers()).toEqual([]);
  });

  it("tries again where it waited behind a thread that was set aside", () => {
    const simulation = new Simulation({ threads: 1, graceMs: 100 });
    const hung = simulation.submit({ task: { fate: () => "hang" }, items: 1 });
    const job = simulation.submit(warmUp());
    simulation.advance(0);
    simulation.cancel(hung);
    simulation.run();
    expect(job.state).toBe("completed");
    expect(simulation.leftovers()).toEqual([]);
  });
});
