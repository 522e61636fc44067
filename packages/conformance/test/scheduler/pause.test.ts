import { describe, expect, it } from "vitest";
import { Simulation } from "../../src/simulator/index.js";

describe("a paused job", () => {
  it("gets its items back that no thread has begun, finishes the others and says when that is done", () => {
    const simulation = new Simulation({ threads: 1 });
    const job = simulation.submit({ task: { ms: 10 }, items: 100, rules: { batchSize: 20 } });
    // The first batch tells what the task is, and holds one item.
    simulation.advance(35);
    simulation.pause(job);
    expect(job.pauses).toBe(0);
    simulation.run();
    expect(job.pauses).toBe(1);
    expect(job.delivered).toEqual([0, 1, 2, 3]);
    expect(job.out.size).toBe(0);
  });

  it("says so at once where no thread has anything of it", () => {
    const simulation = new Simulation({ threads: 1 });
    const job = simulation.submit({ task: {}, items: 10, pulledBy: 1, rules: { maxInFlight: 1 } });
    simulation.pause(job);
    expect(job.pauses).toBe(1);
  });

  it("says so again to whom it is told again: a second caller waits for it too", () => {
    const simulation = new Simulation({ threads: 1 });
    const job = simulation.submit({ task: {}, items: 10 });
    simulation.pause(job);
    simulation.run();
    const before = job.pauses;
    simulation.pause(job);
    simulation.run();
    expect(job.pauses).toBe(before + 1);
  });

  it("leaves the threads to others, and goes on where it was", () => {
    const simulation = new Simulation({ threads: 1 });
    const paused = simulation.submit({ task: { ms: 1 }, items: 100 });
    simulation.advance(10);
    simulation.pause(paused);
    const other = simulation.submit({ task: { ms: 1 }, items: 50 });
    simulation.run();
    expect(other.state).toBe("completed");
    expect(paused.state).toBe("running");
    simulation.resume(paused);
    simulation.run();
    expect(paused.state).toBe("completed");
    expect([...paused.begun.values()].every((times) => times === 1)).toBe(true);
    expect(simulation.leftovers()).toEqual([]);
  });

  it("starts no retry, even one that falls due", () => {
    const simulation = new Simulation({ threads: 1 });
    const retry = { attempts: 2, backoffMs: 10, maxBackoffMs: 10, jitter: 0 };
    const task = {
      fate: ({ runsBefore }: { runsBefore: number }) => (runsBefore === 0 ? ("fail" as const) : ("ok" as const)),
    };
    const job = simulation.submit({ task, items: 1, rules: { retry } });
    simulation.runUntil(() => job.retried.length === 1);
    simulation.pause(job);
    simulation.advance(1_000);
    expect(job.begun.get(0)).toBe(1);
    simulation.resume(job);
    simulation.run();
    expect(job).toMatchObject({ state: "completed" });
  });

  it("can be cancelled", () => {
    const simulation = new Simulation();
    const job = simulation.submit({ task: {}, items: 10 });
    simulation.pause(job);
    simulation.cancel(job);
    expect(job.state).toBe("cancelled");
    simulation.run();
    expect(simulation.leftovers()).toEqual([]);
  });

  it("asks its source for nothing", () => {
    const simulation = new Simulation({ threads: 1 });
    const job = simulation.submit({ task: {}, items: 1_000, pulledBy: 1 });
    simulation.advance(3);
    simulation.pause(job);
    simulation.advance(0);
    const { supplied } = job;
    simulation.advance(1_000);
    expect(job.supplied).toBe(supplied);
    simulation.resume(job);
    simulation.run();
    expect(job.state).toBe("completed");
  });
});
