import { describe, expect, it } from "vitest";
import { type Call, type Fate, Simulation } from "../../src/simulator/index.js";

const rules = (changes: object) => ({ attempts: 3, backoffMs: 100, maxBackoffMs: 1_000, jitter: 0, ...changes });

const failing =
  (index: number, times: number, fate: Fate = "fail") =>
  (call: Call): Fate =>
    call.index === index && call.runsBefore < times ? fate : "ok";

describe("an item that fails", () => {
  it("goes again after its wait, and costs the others none", () => {
    const simulation = new Simulation({ threads: 1 });
    const job = simulation.submit({ task: { fate: failing(2, 2) }, items: 10, rules: { retry: rules({}) } });
    simulation.run();
    expect(job.state).toBe("completed");
    expect(job.retried).toEqual([
      { index: 2, attempt: 2, delayMs: 100 },
      { index: 2, attempt: 3, delayMs: 200 },
    ]);
    expect(job.delivered.at(-1)).toBe(2);
    expect(job.settledAt).toBeGreaterThanOrEqual(300);
    expect([...job.begun].filter(([index]) => index !== 2).every(([, times]) => times === 1)).toBe(true);
    expect(simulation.leftovers()).toEqual([]);
  });

  it("tells its handler which attempt it is", () => {
    const simulation = new Simulation({ threads: 1 });
    const seen: number[] = [];
    const fate = ({ index, attempt, runsBefore }: Call): Fate => {
      if (index === 1) seen.push(attempt);
      return index === 1 && runsBefore < 2 ? "fail" : "ok";
    };
    simulation.submit({ task: { fate }, items: 3, rules: { retry: rules({}) } });
    simulation.run();
    expect(seen).toEqual([1, 2, 3]);
  });

  it("fails for good when its attempts are used up", () => {
    const simulation = new Simulation({ threads: 1 });
    const job = simulation.submit({
      task: { fate: failing(2, 3) },
      items: 5,
      rules: { retry: rules({}), stopsAtFailure: false },
    });
    simulation.run();
    expect([...job.failed]).toEqual([[2, "TASK_FAILED"]]);
    expect(job.begun.get(2)).toBe(3);
    expect(job.state).toBe("completed");
  });

  it("fails at once when its failure is final, whatever attempts are left", () => {
    const simulation = new Simulation({ threads: 1 });
    const job = simulation.submit({
      task: { fate: failing(2, 9, "fail-final") },
      items: 5,
      rules: { retry: rules({}) },
    });
    simulation.run();
    expect(job).toMatchObject({ state: "failed", fault: { kind: "item", index: 2 }, retried: [] });
  });

  it("is told of as the first failure of its job by its place in the batch, not by luck", () => {
    const simulation = new Simulation({ threads: 1 });
    const fate = ({ index }: Call): Fate => (index >= 3 ? "fail" : "ok");
    const job = simulation.submit({ task: { fate }, items: 20, rules: { batchSize: 10 } });
    simulation.run();
    expect(job.fault).toEqual({ kind: "item", index: 3 });
  });

  it("ends its job while others back off, and nothing rings afterwards", () => {
    const simulation = new Simulation({ threads: 1 });
    const fate = ({ index }: Call): Fate => (index === 0 ? "fail" : index === 5 ? "fail-final" : "ok");
    const job = simulation.submit({ task: { fate }, items: 10, rules: { retry: rules({ backoffMs: 1_000 }) } });
    simulation.run();
    expect(job).toMatchObject({ state: "failed", fault: { kind: "item", index: 5 } });
    expect(simulation.leftovers()).toEqual([]);
  });

  it("lets others use the thread while it waits", () => {
    const simulation = new Simulation({ threads: 1 });
    const retry = rules({ backoffMs: 1_000 });
    simulation.submit({ task: { fate: failing(0, 1) }, items: 1, rules: { retry } });
    simulation.advance(10);
    const other = simulation.submit({ task: {}, items: 10 });
    simulation.advance(100);
    expect(other.state).toBe("completed");
  });
});

describe("a batch handler that fails as a whole", () => {
  it("has its batch split until the bad item stands alone, which costs no attempt", () => {
    const simulation = new Simulation({ threads: 1 });
    const fate = ({ index }: Call): Fate => (index === 11 ? "fail" : "ok");
    const job = simulation.submit({
      task: { kind: "batch", fate },
      items: 17,
      rules: { batchSize: 16, stopsAtFailure: false },
    });
    simulation.run();
    expect([...job.failed]).toEqual([[11, "TASK_FAILED"]]);
    expect(job.delivered).toHaveLength(17);
    expect(job.retried).toEqual([]);
    // The batch of 16, then a half of it each time.
    expect(job.begun.get(11)).toBe(5);
  });

  it("retries the item that stands alone", () => {
    const simulation = new Simulation({ threads: 1 });
    const fate = ({ index, attempt }: Call): Fate => (index === 3 && attempt === 1 ? "fail" : "ok");
    const job = simulation.submit({
      task: { kind: "batch", fate },
      items: 9,
      rules: { batchSize: 8, retry: rules({ attempts: 2 }) },
    });
    simulation.run();
    expect(job.state).toBe("completed");
    expect(job.retried).toEqual([{ index: 3, attempt: 2, delayMs: 100 }]);
  });
});
