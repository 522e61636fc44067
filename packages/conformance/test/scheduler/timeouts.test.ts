import { describe, expect, it } from "vitest";
import { type Call, type Fate, Simulation } from "../../src/simulator/index.js";

const hanging =
  (index: number, times = Infinity, fate: Fate = "hang") =>
  (call: Call): Fate =>
    call.index === index && call.runsBefore < times ? fate : "ok";

const rules = { timeoutMs: 50, stopsAtFailure: false };

describe("a handler that computes beyond its time limit", () => {
  it("is set aside when its limit and the grace are over, and its item fails as TASK_TIMEOUT", () => {
    const simulation = new Simulation({ threads: 1, graceMs: 100 });
    const job = simulation.submit({ task: { fate: hanging(3) }, items: 6, rules });
    simulation.run();
    expect([...job.failed]).toEqual([[3, "TASK_TIMEOUT"]]);
    expect(job.delivered).toHaveLength(6);
    expect(simulation.effectsOf("replace")).toHaveLength(1);
    expect(simulation.leftovers()).toEqual([]);
  });

  it("costs its neighbours nothing: they are queued again, and run once", () => {
    const simulation = new Simulation({ threads: 1, graceMs: 100 });
    const job = simulation.submit({ task: { fate: hanging(3) }, items: 20, rules: { ...rules, batchSize: 10 } });
    simulation.run();
    expect(job.retried).toEqual([]);
    // What had been run and not answered is run again.
    for (const index of [4, 5, 10, 19]) expect(job.begun.get(index)).toBe(1);
  });

  it("gives its neighbours to other threads at its limit, without the wait for the grace", () => {
    const simulation = new Simulation({ threads: 2, graceMs: 10_000 });
    const task = { fate: hanging(1) };
    const job = simulation.submit({ task, items: 12, rules: { ...rules, batchSize: 10 } });
    simulation.advance(300);
    expect(job.delivered.toSorted((a, b) => a - b)).toContain(11);
    expect(simulation.effectsOf("replace")).toEqual([]);
  });

  it("is tried again while attempts are left", () => {
    const simulation = new Simulation({ threads: 1, graceMs: 100 });
    const retry = { attempts: 2, backoffMs: 10, maxBackoffMs: 10, jitter: 0 };
    const job = simulation.submit({ task: { fate: hanging(3, 1) }, items: 6, rules: { ...rules, retry } });
    simulation.run();
    expect([...job.failed]).toEqual([]);
    expect(job.retried).toEqual([{ index: 3, attempt: 2, delayMs: 10 }]);
  });

  it("fails its job, where that stops at a failure", () => {
    const simulation = new Simulation({ threads: 1, graceMs: 100 });
    const job = simulation.submit({ task: { fate: hanging(3) }, items: 6, rules: { timeoutMs: 50 } });
    simulation.run();
    expect(job).toMatchObject({ state: "failed", fault: { kind: "item", index: 3 } });
    expect(simulation.leftovers()).toEqual([]);
  });

  it("is forgiven when it comes back within the grace", () => {
    const simulation = new Simulation({ threads: 1, graceMs: 100 });
    const fate = hanging(3, 1, { nativeMs: 120 });
    const job = simulation.submit({ task: { fate }, items: 6, rules });
    simulation.run();
    expect(simulation.effectsOf("replace")).toEqual([]);
    expect(job.state).toBe("completed");
  });

  it("with several items in flight, has each go alone, to show which it was", () => {
    const simulation = new Simulation({ threads: 1, graceMs: 100 });
    const task = { concurrency: 3, ms: 5, fate: hanging(4) };
    const job = simulation.submit({ task, items: 9, rules: { ...rules, batchSize: 9 } });
    simulation.run();
    expect([...job.failed]).toEqual([[4, "TASK_TIMEOUT"]]);
    expect(simulation.assigned.filter(({ isAlone }) => isAlone).flatMap(({ indices }) => indices)).toContain(4);
  });

  it("in a batch handler, has its batch split first, which costs no attempt", () => {
    const simulation = new Simulation({ threads: 1, graceMs: 100 });
    const job = simulation.submit({
      task: { kind: "batch", fate: hanging(5) },
      items: 9,
      rules: { ...rules, batchSize: 8 },
    });
    simulation.run();
    expect([...job.failed]).toEqual([[5, "TASK_TIMEOUT"]]);
    expect(job.retried).toEqual([]);
    expect(simulation.leftovers()).toEqual([]);
  });
});

describe("a long batch of short items", () => {
  it("is not held to be late: the limit is that of one call", () => {
    const simulation = new Simulation({ threads: 1, graceMs: 100 });
    const job = simulation.submit({ task: { ms: 40 }, items: 101, rules: { ...rules, batchSize: 100 } });
    simulation.run();
    expect([...job.failed]).toEqual([]);
    expect(simulation.effectsOf("revoke")).toEqual([]);
  });

  it("does not count the time that its task takes to load", () => {
    const simulation = new Simulation({ threads: 1, graceMs: 100 });
    const job = simulation.submit({ task: { importMs: 1_000 }, items: 3, rules });
    simulation.run();
    expect([...job.failed]).toEqual([]);
    expect(simulation.effectsOf("replace")).toEqual([]);
  });
});
