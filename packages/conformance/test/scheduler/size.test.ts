import { describe, expect, it } from "vitest";
import { Simulation, type SimulatedTask, type SimulationOptions } from "../../src/simulator/index.js";

/** The sizes of the job's batches, in the order in which they were sent. */
function sizes(task: SimulatedTask, items: number, options: SimulationOptions = {}, rules: object = {}): number[] {
  const simulation = new Simulation({ threads: 1, ...options });
  const job = simulation.submit({ task, items, rules });
  simulation.run(20_000);
  expect(job.state).toBe("completed");
  return simulation.assigned.map(({ indices }) => indices.length);
}

describe("the size of a batch", () => {
  it("is one item until a thread has said what the task is", () => {
    expect(sizes({}, 100)[0]).toBe(1);
    expect(sizes({}, 100, {}, { batchSize: 50 })[0]).toBe(1);
  });

  it("grows at most twofold over what was measured", () => {
    const list = sizes({ ms: 0.001 }, 10_000);
    let largest = 1;
    for (const size of list) {
      expect(size).toBeLessThanOrEqual(2 * largest);
      largest = Math.max(largest, size);
    }
    expect(largest).toBeGreaterThan(500);
  });

  it.each([
    [1, 10],
    [0.1, 100],
    [2.5, 4],
    [50, 1],
  ])("of items of %d ms comes to %d, for batches of 10 ms", (ms, size) => {
    const list = sizes({ ms }, 30 * size);
    expect(Math.max(...list)).toBe(size);
  });

  it("aims at the time that the engine asks for", () => {
    expect(Math.max(...sizes({ ms: 1 }, 2_000, { batchMs: 100 }))).toBe(100);
  });

  it("shrinks at once when items turn out to be slow", () => {
    const simulation = new Simulation({ threads: 1 });
    simulation.submit({ task: { ms: (index) => (index < 2_000 ? 0.01 : 5) }, items: 4_000 });
    simulation.run(20_000);
    const slow = simulation.effects.find(
      ({ effect }) => effect.type === "commit" && (effect.batch.indices as number) >= 2_000,
    );
    const later = simulation.assigned.filter(({ at }) => at >= slow!.at);
    expect(later.length).toBeGreaterThan(100);
    expect(Math.max(...later.map(({ indices }) => indices.length))).toBe(2);
  });

  it.each([
    ["the engine", { maxBatchItems: 7 }, {}, {}, 7],
    ["the task", {}, { maxBatchItems: 5 }, {}, 5],
    ["both, the lower one,", { maxBatchItems: 7 }, { maxBatchItems: 9 }, {}, 7],
    ["the engine, against what the caller asks,", { maxBatchItems: 7 }, {}, { batchSize: 50 }, 7],
    ["the task, against what the caller asks,", {}, { maxBatchItems: 5 }, { batchSize: 50 }, 5],
    ["the task, against its own concurrency,", {}, { maxBatchItems: 2, concurrency: 4 }, {}, 2],
  ])("is bounded by %s", (_, options, task, rules, most) => {
    expect(Math.max(...sizes({ ms: 0.01, ...task }, 1_000, options, rules))).toBe(most);
  });

  it("is what the caller asks for, however slow the items are", () => {
    const list = sizes({ ms: 20 }, 31, {}, { batchSize: 10 });
    expect(list).toEqual([1, 10, 10, 10]);
  });

  it("fills at least the lanes, else slow items travel alone and nothing overlaps", () => {
    const list = sizes({ ms: 50, concurrency: 4 }, 41);
    expect(list.slice(1).every((size) => size === 4)).toBe(true);
  });

  it("gets smaller towards the end of a job, so that threads finish together", () => {
    const simulation = new Simulation({ threads: 4 });
    const task = { ms: 1 };
    simulation.submit({ task, recipe: 5, items: 100 });
    simulation.run();
    const before = simulation.assigned.length;
    const job = simulation.submit({ task, recipe: 5, items: 64 });
    const first = simulation.assigned.slice(before).map(({ indices }) => indices.length);
    simulation.run();
    // An eighth of what is left each time: two batches for each of four threads.
    expect(first[0]).toBe(8);
    expect(first).toEqual(first.toSorted((a, b) => b - a));
    expect(job.settledAt! - simulation.assigned[before]!.at).toBeLessThan(64 / 4 + 8);
  });

  it("does not learn from failures, which can be quick or slow for reasons of their own", () => {
    const simulation = new Simulation({ threads: 1 });
    const task = { ms: 1 };
    simulation.submit({ task, recipe: 5, items: 20 });
    simulation.run();
    const known = simulation.state.recipes.get(5)!.msPerItem;
    const slow = { ms: 500, fate: () => "fail" as const };
    simulation.submit({ task: slow, recipe: 5, items: 3, rules: { stopsAtFailure: false } });
    simulation.run();
    expect(simulation.state.recipes.get(5)!.msPerItem).toBe(known);
  });
});
