import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JobView, Simulation } from "../../src/simulator/index.js";

const big = (ms: number, weight = 1) => ({ task: { ms }, items: 100_000, rules: { weight } });

/** What each job has got done by now, in slot time. */
const workOf = (job: JobView, ms: number): number => job.delivered.length * ms;

describe("jobs that run side by side", () => {
  it.each([
    [1, 1],
    [1, 2],
    [3, 1],
    [10, 1],
  ])("share a thread as %d to %d, by their weights", (one, other) => {
    const simulation = new Simulation({ threads: 1 });
    const jobs = [simulation.submit(big(1, one)), simulation.submit(big(1, other))];
    simulation.advance(4_000, 20_000);
    const [first, second] = jobs.map((job) => workOf(job, 1) / job.spec.rules!.weight!) as [number, number];
    // A batch of 10 ms is the coin that they pay in, two of which can be in a slot.
    expect(Math.abs(first - second)).toBeLessThanOrEqual(20 / Math.min(one, other) + 20);
  });

  // 0.1 + 0.2 - 0.1 - 0.2 is not 0: time was divided by what remained, and shares became too large to be added to.
  it("share it also after others whose weights are no sum of halves were cancelled", () => {
    const simulation = new Simulation({ threads: 1 });
    const others = [simulation.submit(big(1, 0.1)), simulation.submit(big(1, 0.2))];
    simulation.advance(100, 20_000);
    for (const other of others) simulation.cancel(other);
    simulation.advance(100, 20_000);
    const jobs = [simulation.submit(big(1)), simulation.submit(big(1))];
    simulation.advance(2_000, 20_000);
    const [first, second] = jobs.map((job) => workOf(job, 1)) as [number, number];
    expect(Math.abs(first - second)).toBeLessThanOrEqual(60);
  });

  // One began where the light job stood with two batches paid in advance, the other where it stood when they had been
  // taken back for them: two batches of 10 ms, by a weight of 0.01, are two seconds in which only one of them ran.
  it.each([0.1, 0.01, 1e-6])("share it though they have come beside a job of weight %d", (weight) => {
    const simulation = new Simulation({ threads: 1 });
    simulation.submit(big(1, weight));
    simulation.advance(1_000, 20_000);
    const jobs = [simulation.submit(big(1)), simulation.submit(big(1))];
    simulation.advance(1_000, 20_000);
    const [first, second] = jobs.map((job) => workOf(job, 1)) as [number, number];
    expect(Math.abs(first - second)).toBeLessThanOrEqual(60);
  });

  it("share by time, not by items: slow ones do not get more of it", () => {
    const simulation = new Simulation({ threads: 1 });
    const fast = simulation.submit(big(1));
    const slow = simulation.submit(big(20));
    simulation.advance(4_000, 20_000);
    expect(Math.abs(workOf(fast, 1) - workOf(slow, 20))).toBeLessThanOrEqual(60);
  });

  it("share all threads, and leave none without work", () => {
    const simulation = new Simulation({ threads: 3 });
    const jobs = [1, 2, 3, 4].map(() => simulation.submit(big(1)));
    simulation.advance(2_000, 20_000);
    const work = jobs.map((job) => workOf(job, 1));
    expect(work.reduce((sum, one) => sum + one, 0)).toBeGreaterThan(3 * 2_000 - 3 * 25);
    expect(Math.max(...work) - Math.min(...work)).toBeLessThanOrEqual(60);
  });

  it("do not get the time back that they have not used", () => {
    const simulation = new Simulation({ threads: 1 });
    const idle = simulation.submit({ task: { ms: 1 }, recipe: 3, items: 100_000 });
    simulation.advance(20);
    simulation.pause(idle);
    const busy = simulation.submit(big(1));
    simulation.advance(3_000, 20_000);
    const before = [idle.delivered.length, busy.delivered.length] as const;
    simulation.resume(idle);
    simulation.advance(1_000, 20_000);
    const gains = [idle.delivered.length - before[0], busy.delivered.length - before[1]] as const;
    expect(Math.abs(gains[0] - gains[1])).toBeLessThanOrEqual(60);
  });

  it("all get their turn, whatever their number, weights and times", () => {
    const drawn = fc.array(
      fc.record({ ms: fc.constantFrom(1, 7, 30), weight: fc.constantFrom(0.5, 1, 4), lanes: fc.constantFrom(1, 3) }),
      { minLength: 2, maxLength: 6 },
    );
    fc.assert(
      fc.property(drawn, fc.integer({ min: 1, max: 3 }), (list, threads) => {
        const simulation = new Simulation({ threads });
        const jobs = list.map(({ ms, weight, lanes }) =>
          simulation.submit({ task: { ms, concurrency: lanes }, items: 100_000, rules: { weight } }),
        );
        simulation.advance(3_000, 200_000);
        for (const job of jobs) expect(job.delivered.length).toBeGreaterThan(0);
      }),
      { numRuns: 40 },
    );
  });
});

describe("a newcomer", () => {
  it("begins after the one item that each thread is at, however large the batches of the others are", () => {
    for (const threads of [1, 2, 4]) {
      const simulation = new Simulation({ threads });
      simulation.submit({ task: { ms: 30 }, items: 10_000, rules: { batchSize: 1_000 } });
      simulation.advance(95);
      const job = simulation.submit({ task: { ms: 1 }, items: 1 });
      simulation.runUntil(() => job.begun.size > 0);
      expect(simulation.now - 95).toBeLessThanOrEqual(30);
      simulation.runUntil(() => job.state === "completed");
    }
  });

  it("begins as soon where there was a place behind a batch that nobody has measured yet", () => {
    const simulation = new Simulation({ threads: 2 });
    // Each thread has one batch, and nothing is left for the places behind them.
    simulation.submit({ task: { ms: 30 }, items: 1_001, rules: { batchSize: 500 } });
    simulation.advance(45);
    const job = simulation.submit({ task: { ms: 1 }, items: 1 });
    simulation.runUntil(() => job.begun.size > 0);
    expect(simulation.now - 45).toBeLessThanOrEqual(31);
  });

  it("begins as soon where its items come only after it", () => {
    const simulation = new Simulation({ threads: 1 });
    simulation.submit({ task: { ms: 30 }, items: 10_000, rules: { batchSize: 1_000 } });
    simulation.advance(95);
    const job = simulation.submit({ task: { ms: 1 }, items: 1, pulledBy: 1 });
    simulation.runUntil(() => job.begun.size > 0);
    expect(simulation.now - 95).toBeLessThanOrEqual(30);
  });

  it("begins after one item when others wait as well", () => {
    const simulation = new Simulation({ threads: 2 });
    for (let count = 0; count < 5; count++) {
      simulation.submit({ task: { ms: 20 }, items: 10_000, rules: { batchSize: 500 } });
    }
    simulation.advance(2_000);
    const job = simulation.submit({ task: { ms: 1 }, items: 1 });
    const at = simulation.now;
    simulation.runUntil(() => job.begun.size > 0);
    expect(simulation.now - at).toBeLessThanOrEqual(20);
  });

  it("waits no longer for each further one that comes with it than one item more a thread", () => {
    const simulation = new Simulation({ threads: 2 });
    simulation.submit({ task: { ms: 20 }, items: 10_000, rules: { batchSize: 1_000 } });
    simulation.advance(110);
    const jobs = Array.from({ length: 6 }, () => simulation.submit({ task: { ms: 5 }, items: 1 }));
    simulation.runUntil(() => jobs.every(({ state }) => state === "completed"));
    expect(simulation.now - 110).toBeLessThanOrEqual(20 + (6 / 2) * 5 + 20);
  });

  it("has no thread of the others interrupted in the middle of an item", () => {
    const simulation = new Simulation({ threads: 1 });
    const old = simulation.submit({ task: { ms: 30 }, items: 50, rules: { batchSize: 50 } });
    simulation.advance(100);
    simulation.submit({ task: { ms: 1 }, items: 1 });
    simulation.run();
    expect([...old.begun.values()].every((times) => times === 1)).toBe(true);
    expect(simulation.leftovers()).toEqual([]);
  });

  it("takes nothing from a job that is nearly done by itself", () => {
    const simulation = new Simulation({ threads: 1 });
    const task = { ms: 0.01 };
    simulation.submit({ task, recipe: 5, items: 100 });
    simulation.run();
    const before = simulation.effectsOf("revoke").length;
    simulation.submit({ task, recipe: 5, items: 20 });
    simulation.submit({ task, recipe: 5, items: 20 });
    simulation.submit({ task, recipe: 5, items: 20 });
    expect(simulation.effectsOf("revoke").length).toBe(before);
    simulation.run();
  });

  // What has not been measured is not charged in advance, so that a job with large batches out seems to have had less
  // than the newcomer, which begins where the others are; and a slot of a job with less does not give way.
  it("begins as soon where the others' large batches are the first that anybody has seen", () => {
    const simulation = new Simulation({ threads: 4 });
    const rules = { batchSize: 400 };
    simulation.submit({ task: { ms: 4, isSync: true }, items: 1_800, rules });
    simulation.submit({ task: { ms: 0.5, isSync: true }, items: 100_000, rules });
    simulation.advance(90);
    const job = simulation.submit({ task: {}, items: 1 });
    simulation.runUntil(() => job.begun.size > 0, 100_000);
    expect(simulation.now - 90).toBeLessThanOrEqual(5);
  });

  // Nothing is taken from a job that is nearly done; but that it is not shows only later, when nothing else happens.
  it("begins as soon where quick items went before the slow ones of the same batch", () => {
    const simulation = new Simulation({ threads: 1 });
    const ms = (index: number): number => (index < 105 ? 0.01 : 30);
    const large = simulation.submit({ task: { ms, isSync: true }, items: 1_000, rules: { batchSize: 20 } });
    simulation.runUntil(() => large.begun.has(105));
    const job = simulation.submit({ task: {}, items: 1 });
    simulation.runUntil(() => job.begun.size > 0);
    expect(job.firstBegunAt! - job.submittedAt).toBeLessThanOrEqual(30);
  });

  // The batch that waits behind the running one is taken back for the next newcomer, though it is a newcomer's too.
  it("is not put back by the newcomers after it", () => {
    const simulation = new Simulation({ threads: 1 });
    for (let count = 0; count < 2; count++) simulation.submit({ task: { ms: 15, isSync: true }, items: 1_000 });
    simulation.advance(100);
    simulation.submit({ task: {}, items: 1 });
    simulation.advance(8);
    const job = simulation.submit({ task: {}, items: 1 });
    for (let count = 0; count < 3; count++) {
      simulation.advance(8);
      simulation.submit({ task: {}, items: 1 });
    }
    simulation.runUntil(() => job.begun.size > 0);
    // One item of the others, and what is left of the one before it.
    expect(job.firstBegunAt! - job.submittedAt).toBeLessThanOrEqual(22);
  });
});
