import { describe, expect, it } from "vitest";
import { Simulation } from "../../src/simulator/index.js";

describe("a task that no thread has described", () => {
  it("goes out in one batch of one item, and the rest waits for what comes back", () => {
    const simulation = new Simulation({ threads: 4 });
    simulation.submit({ task: { importMs: 30 }, items: 100 });
    simulation.advance(29);
    expect(simulation.assigned.map(({ indices }) => indices)).toEqual([[0]]);
    simulation.advance(1);
    expect(simulation.assigned.length).toBeGreaterThan(4);
  });

  it("holds back all jobs that use it, and no other", () => {
    const simulation = new Simulation({ threads: 4 });
    simulation.submit({ task: { importMs: 30 }, recipe: 1, items: 100 });
    const same = simulation.submit({ task: {}, recipe: 1, items: 1 });
    const other = simulation.submit({ task: {}, recipe: 2, items: 1 });
    simulation.advance(29);
    expect(same.begun.size).toBe(0);
    expect(other.state).toBe("completed");
  });

  it("is tried by another job when the one that tried it is cancelled", () => {
    const simulation = new Simulation({ threads: 2 });
    const first = simulation.submit({ task: { importMs: 30 }, recipe: 1, items: 10 });
    const second = simulation.submit({ task: { importMs: 30 }, recipe: 1, items: 10 });
    simulation.advance(10);
    simulation.cancel(first);
    simulation.run();
    expect(second.state).toBe("completed");
    expect(simulation.leftovers()).toEqual([]);
  });

  it("is tried again when the thread that tried it dies", () => {
    const simulation = new Simulation({ threads: 2 });
    const job = simulation.submit({ task: { import: (before) => (before === 0 ? "crash" : "ok") }, items: 10 });
    simulation.run();
    expect(job.state).toBe("completed");
  });

  it("fails the job that cannot load it; the next job tries anew", () => {
    const simulation = new Simulation({ threads: 2 });
    const task = { import: (before: number) => (before === 0 ? ("broken" as const) : ("ok" as const)) };
    const first = simulation.submit({ task, recipe: 1, items: 10, rules: { stopsAtFailure: false } });
    simulation.run();
    expect(first).toMatchObject({ state: "failed", fault: { kind: "broken" } });
    const second = simulation.submit({ task, recipe: 1, items: 10 });
    simulation.run();
    expect(second.state).toBe("completed");
    expect(simulation.leftovers()).toEqual([]);
  });

  it("does not wait behind a long item while another thread has nothing to do", () => {
    const simulation = new Simulation({ threads: 2 });
    const task = { ms: (index: number) => (index === 1 ? 10_000 : 5) };
    simulation.submit({ task, recipe: 1, items: 3, rules: { batchSize: 1 } });
    simulation.advance(6);
    // One slot is in the long item, the other in a short one; the new task goes behind one of them.
    const job = simulation.submit({ task: {}, recipe: 2, items: 1 });
    simulation.advance(100);
    expect(job.state).toBe("completed");
  });
});
