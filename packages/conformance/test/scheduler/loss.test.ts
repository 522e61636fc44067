import { describe, expect, it } from "vitest";
import { type Call, type Fate, Simulation } from "../../src/simulator/index.js";

/** The item kills its thread so many times. */
const killer =
  (index: number, times = Infinity) =>
  (call: Call): Fate =>
    call.index === index && call.runsBefore < times ? "crash" : "ok";

const aloneOf = (simulation: Simulation): readonly (readonly number[])[] =>
  simulation.assigned.filter(({ isAlone }) => isAlone).map(({ indices }) => indices);

describe("when a thread dies", () => {
  it("the item that its last claim names goes again alone, and the others as before", () => {
    const simulation = new Simulation({ threads: 1 });
    const job = simulation.submit({ task: { fate: killer(7, 1) }, items: 20 });
    simulation.run();
    expect(job.state).toBe("completed");
    expect(aloneOf(simulation)).toEqual([[7]]);
    expect(job.begun.get(7)).toBe(2);
    expect(job.retried).toEqual([]);
    expect(simulation.leftovers()).toEqual([]);
  });

  it("with several items in flight each of them is suspect, and each goes alone", () => {
    const simulation = new Simulation({ threads: 1 });
    const job = simulation.submit({
      task: { concurrency: 3, fate: killer(4, 1), ms: 5 },
      items: 9,
      rules: { batchSize: 9 },
    });
    simulation.run();
    expect(job.state).toBe("completed");
    // Claimed, and so possibly unfinished, were all up to the newest: which of them had ended is not in shared memory.
    for (const indices of aloneOf(simulation)) expect(indices).toHaveLength(1);
    expect(aloneOf(simulation).flat()).toContain(4);
  });

  it("nothing goes behind a suspect, which must have its thread to itself", () => {
    const simulation = new Simulation({ threads: 1 });
    simulation.submit({ task: { fate: killer(0, 1), ms: 5 }, items: 10 });
    const other = simulation.submit({ task: {}, items: 10 });
    simulation.run();
    expect(other.state).toBe("completed");
  });

  it("an item that has killed twice, with nobody else to blame, fails as THREAD_LOST", () => {
    const simulation = new Simulation({ threads: 2 });
    const job = simulation.submit({ task: { fate: killer(3) }, items: 10, rules: { stopsAtFailure: false } });
    simulation.run();
    expect(job.state).toBe("completed");
    expect([...job.failed]).toEqual([[3, "THREAD_LOST"]]);
    expect(job.begun.get(3)).toBe(2);
    expect(job.delivered).toHaveLength(10);
  });

  it("an item that was only suspected is free when another was to blame", () => {
    const simulation = new Simulation({ threads: 1 });
    const job = simulation.submit({
      task: { concurrency: 4, fate: killer(2), ms: 5 },
      items: 8,
      rules: { stopsAtFailure: false },
    });
    simulation.run();
    expect([...job.failed]).toEqual([[2, "THREAD_LOST"]]);
  });

  it("the job ends there, where it stops at a failure", () => {
    const simulation = new Simulation({ threads: 1 });
    const job = simulation.submit({ task: { fate: killer(3) }, items: 10 });
    simulation.run();
    expect(job).toMatchObject({ state: "failed", fault: { kind: "item", index: 3 } });
    expect(simulation.leftovers()).toEqual([]);
  });

  it("a loss costs no attempt", () => {
    const simulation = new Simulation({ threads: 1 });
    const seen: number[] = [];
    const fate = ({ index, attempt, runsBefore }: Call): Fate => {
      if (index === 0) seen.push(attempt);
      return index !== 0 ? "ok" : runsBefore === 0 ? "crash" : runsBefore === 1 ? "fail" : "ok";
    };
    const retry = { attempts: 2, backoffMs: 1, maxBackoffMs: 1, jitter: 0 };
    const job = simulation.submit({ task: { fate }, items: 2, rules: { retry } });
    simulation.run();
    expect(job.state).toBe("completed");
    expect(seen).toEqual([1, 1, 2]);
  });

  it("while it loads a task, the job tries again, and fails at the third death in a row", () => {
    const simulation = new Simulation({ threads: 1 });
    const lucky = simulation.submit({ task: { import: (before) => (before < 2 ? "crash" : "ok") }, items: 3 });
    simulation.run();
    expect(lucky.state).toBe("completed");
    const unlucky = simulation.submit({ task: { import: () => "crash" }, items: 3 });
    simulation.run();
    expect(unlucky).toMatchObject({ state: "failed", fault: { kind: "threads" } });
    expect(simulation.effectsOf("restart")).toHaveLength(5);
    expect(simulation.leftovers()).toEqual([]);
  });

  it("a range of a column goes in halves, and three that die in a row are not held against the job's task", () => {
    const simulation = new Simulation({ threads: 1 });
    const job = simulation.submit({
      task: { kind: "columns", fate: killer(1, 3) },
      items: 33,
      rules: { batchSize: 32 },
    });
    simulation.run();
    expect(job.state).toBe("completed");
    expect(simulation.counters["columns batch split after a loss"]).toBe(3);
    expect(aloneOf(simulation)).toEqual([]);
    expect(simulation.leftovers()).toEqual([]);
  });

  it("while it has nothing to do, a new one takes its place and no job is blamed", () => {
    const simulation = new Simulation({ threads: 1 });
    simulation.crash(0);
    simulation.run();
    const job = simulation.submit({ task: {}, items: 3 });
    simulation.run();
    expect(job.state).toBe("completed");
  });
});

describe("a suspect", () => {
  it("gets a thread though another job always has work and less time behind it", () => {
    const simulation = new Simulation({ threads: 1 });
    const other = simulation.submit({ task: { ms: 20 }, items: 4 });
    const job = simulation.submit({ task: { fate: killer(3, 1) }, items: 4 });
    simulation.run();
    expect([other.state, job.state]).toEqual(["completed", "completed"]);
    expect(simulation.leftovers()).toEqual([]);
  });
});

describe("a thread that cannot be started", () => {
  it("is tried three times, then its slot is given up and the others go on", () => {
    const simulation = new Simulation({ threads: 2, failsToStart: (slot) => slot === 1 });
    const job = simulation.submit({ task: {}, items: 10 });
    simulation.run();
    expect(job.state).toBe("completed");
    expect(simulation.state.slots[1]).toMatchObject({ phase: "broken", failedStarts: 3 });
  });

  it("fails all jobs when no slot is left", () => {
    const simulation = new Simulation({ threads: 2, failsToStart: () => true });
    const jobs = [simulation.submit({ task: {}, items: 10 }), simulation.submit({ task: {}, items: 1 })];
    simulation.run();
    for (const job of jobs) expect(job).toMatchObject({ state: "failed", fault: { kind: "threads" } });
    expect(simulation.leftovers()).toEqual([]);
  });

  it("gets another chance with new work", () => {
    let isFixed = false;
    const simulation = new Simulation({ threads: 1, failsToStart: () => !isFixed });
    simulation.submit({ task: {}, items: 1 });
    simulation.run();
    isFixed = true;
    const job = simulation.submit({ task: {}, items: 1 });
    simulation.run();
    expect(job.state).toBe("completed");
  });
});
