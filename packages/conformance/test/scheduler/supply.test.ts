import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Simulation } from "../../src/simulator/index.js";

describe("a source that is pulled", () => {
  it("gives no more than maxInFlight items that have not ended", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 4 }),
        (maxInFlight, pulledBy, threads) => {
          const simulation = new Simulation({ threads });
          const job = simulation.submit({ task: {}, items: 100, pulledBy, rules: { maxInFlight } });
          simulation.run();
          expect(job.state).toBe("completed");
          expect(job.mostInFlight).toBeLessThanOrEqual(maxInFlight);
        },
      ),
    );
  });

  it("is asked for as much as the threads have in hand, twice, where nothing is said", () => {
    const simulation = new Simulation({ threads: 2, batchMs: 10 });
    const job = simulation.submit({ task: { ms: 1 }, items: 10_000, pulledBy: 10_000 });
    simulation.advance(500);
    // Batches of 10 items; two in each slot, and as much again on its way.
    expect(job.mostInFlight).toBe(2 * 2 * 10);
    expect(simulation.state.slots.every(({ running }) => running !== undefined)).toBe(true);
  });

  it("is asked for at most 65,536 items at once", () => {
    const simulation = new Simulation({ threads: 8, maxBatchItems: 1_000_000 });
    const rules = { batchSize: 50_000 };
    const job = simulation.submit({ task: {}, items: 200_000, pulledBy: 200_000, rules });
    simulation.advance(0);
    expect(job.mostInFlight).toBe(65_536);
  });

  it("is asked for one item at a time where no more may be in flight", () => {
    const simulation = new Simulation({ threads: 2 });
    const job = simulation.submit({ task: {}, items: 20, pulledBy: 5, rules: { maxInFlight: 1 } });
    simulation.run();
    expect(job.mostInFlight).toBe(1);
    expect(job.delivered).toEqual(Array.from({ length: 20 }, (_, index) => index));
  });

  it("is not asked while an earlier question is open", () => {
    const simulation = new Simulation({ threads: 1 });
    simulation.submit({ task: {}, items: 50, pulledBy: 1 });
    let open = 0;
    const most: number[] = [];
    for (const { effect, from } of simulation.effects) {
      if (from === "pulled") open--;
      if (effect.type === "pull") most.push(++open);
    }
    simulation.run();
    expect(most.every((count) => count <= 1)).toBe(true);
  });

  it("that ends without an item completes its job", () => {
    const simulation = new Simulation({ threads: 1 });
    const job = simulation.submit({ task: {}, items: 0, pulledBy: 1 });
    simulation.run();
    expect(job).toMatchObject({ state: "completed", delivered: [] });
    expect(simulation.leftovers()).toEqual([]);
  });

  it("that throws fails its job", () => {
    const simulation = new Simulation({ threads: 1 });
    const job = simulation.submit({ task: {}, items: 100, pulledBy: 1 });
    simulation.advance(3);
    simulation.dispatch({ type: "source-failed", job: job.key });
    simulation.run();
    expect(job).toMatchObject({ state: "failed", fault: { kind: "source" } });
    expect(simulation.leftovers()).toEqual([]);
  });

  it("is asked for more only in gulps, while threads have something to do", () => {
    const simulation = new Simulation({ threads: 1 });
    const rules = { maxInFlight: 100, batchSize: 1 };
    const job = simulation.submit({ task: {}, items: 400, pulledBy: 400, rules });
    simulation.run();
    expect(job.state).toBe("completed");
    // A quarter of what may be in flight at a time.
    expect(simulation.effectsOf("pull").length).toBeLessThanOrEqual(400 / 25 + 2);
  });
});

describe("a reader that sets the pace", () => {
  it("stops the source when it does not read, and the threads when nothing is left", () => {
    const simulation = new Simulation({ threads: 2 });
    const rules = { maxInFlight: 6 };
    const job = simulation.submit({ task: {}, items: 100, pulledBy: 100, isThrottled: true, rules });
    simulation.run();
    expect(job.delivered).toHaveLength(6);
    expect(job.state).toBe("running");
    expect(simulation.armedAt).toBeUndefined();
  });

  it("gets everything, though it takes outcomes one by one", () => {
    const simulation = new Simulation({ threads: 2 });
    const rules = { maxInFlight: 3 };
    const job = simulation.submit({ task: {}, items: 30, pulledBy: 100, isThrottled: true, rules });
    simulation.run();
    while (job.settledAt === undefined) {
      expect(job.unread).toBeGreaterThan(0);
      simulation.read(job, 1);
      simulation.run();
    }
    expect(job.delivered).toHaveLength(30);
    expect(job.mostInFlight).toBeLessThanOrEqual(3);
    expect(simulation.leftovers()).toEqual([]);
  });
});

describe("items that back off", () => {
  it("count as in flight: a source of failures does not pile up", () => {
    const simulation = new Simulation({ threads: 1 });
    const retry = { attempts: 2, backoffMs: 1_000, maxBackoffMs: 1_000, jitter: 0 };
    const job = simulation.submit({
      task: { fate: ({ attempt }) => (attempt === 1 ? "fail" : "ok") },
      items: 40,
      pulledBy: 40,
      rules: { retry, maxInFlight: 8 },
    });
    simulation.run();
    expect(job.state).toBe("completed");
    expect(job.mostInFlight).toBe(8);
  });
});
