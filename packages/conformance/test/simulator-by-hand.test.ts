/** The simulation by hand: nothing moves but clocks, until the test says which thread works and whose word arrives. */
import { describe, expect, it } from "vitest";
import { Simulation, createCounters } from "../src/simulator/index.js";

function ready(threads: number): Simulation {
  const simulation = new Simulation({ threads, isByHand: true, isRecorded: true, graceMs: 100 });
  for (let slot = 0; slot < threads; slot++) simulation.work(slot);
  return simulation;
}

describe("a simulation by hand", () => {
  it("starts no thread, reads no message and ends no item by itself", () => {
    const simulation = new Simulation({ threads: 1, isByHand: true });
    const job = simulation.submit({ task: {}, items: 2 });
    simulation.advance(10_000);
    expect(simulation.state.slots[0]!.phase).toBe("starting");
    simulation.work(0); // starts
    expect(simulation.state.slots[0]!.running?.job.key).toBe(job.key);
    expect(job.begun.size).toBe(0);
    simulation.work(0); // reads the batch, and loads the task
    simulation.work(0); // has loaded it, and begins the item
    expect(job.begun.size).toBe(1);
    simulation.work(0); // ends it, and answers
    expect(job.delivered).toEqual([]);
    expect(simulation.deliver(0)).toBe(true); // the description
    expect(simulation.deliver(0)).toBe(true); // the answer
    expect(job.delivered).toEqual([0]);
    expect(simulation.settle()).toEqual([]);
    expect(job.state).toBe("completed");
  });

  it("keeps the order of a thread's words, and lets those of two threads overtake each other", () => {
    const simulation = ready(2);
    const job = simulation.submit({ task: {}, items: 2, rules: { batchSize: 1 } });
    for (let count = 0; count < 3; count++) simulation.work(0);
    simulation.deliver(0); // the description: now the other thread gets the second item
    for (let count = 0; count < 3; count++) simulation.work(1);
    expect(simulation.pending().map(({ slot }) => slot)).toEqual([0, 1]);
    simulation.deliver(1);
    simulation.deliver(1);
    expect(job.delivered).toEqual([1]);
    simulation.deliver(0);
    expect(job.delivered).toEqual([1, 0]);
    expect(simulation.settle()).toEqual([]);
  });

  it("brings an answer twice, which changes nothing", () => {
    const simulation = ready(1);
    const job = simulation.submit({ task: {}, items: 1 });
    for (let count = 0; count < 3; count++) simulation.work(0);
    while (simulation.deliver(0));
    expect(job.state).toBe("completed");
    expect(simulation.duplicate()).toBe(true);
    expect(simulation.settle()).toEqual([]);
  });

  it("crashes a thread: what it said before arrives, and its items go elsewhere", () => {
    const simulation = ready(1);
    const job = simulation.submit({ task: { ms: 5 }, items: 4, rules: { batchSize: 2, stopsAtFailure: false } });
    for (let count = 0; count < 3; count++) simulation.work(0);
    expect(simulation.crash(0)).toBe(true);
    expect(simulation.settle()).toEqual([]);
    expect(job).toMatchObject({ state: "completed" });
    expect(job.delivered.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
  });

  it("hangs a thread, which is set aside a grace after the cancel", () => {
    const simulation = ready(1);
    const job = simulation.submit({ task: {}, items: 1 });
    for (let count = 0; count < 2; count++) simulation.work(0);
    expect(simulation.hang(0)).toBe(true);
    simulation.cancel(job);
    expect(job.state).toBe("cancelled");
    simulation.advance(99);
    expect(simulation.strays.size).toBe(0);
    simulation.advance(1);
    expect(simulation.strays.size).toBe(1);
    expect(simulation.settle()).toEqual([]);
  });

  it("stalls the main thread: clocks in threads go on, and its own timer rings late", () => {
    const simulation = ready(1);
    const job = simulation.submit({ task: {}, items: 1 });
    for (let count = 0; count < 2; count++) simulation.work(0);
    simulation.hang(0);
    simulation.cancel(job);
    simulation.stall(400);
    simulation.advance(399);
    expect(simulation.strays.size).toBe(0);
    simulation.advance(1);
    expect(simulation.strays.size).toBe(1);
    expect(simulation.settle()).toEqual([]);
  });

  it("closes: at the deadline what is left is cancelled", () => {
    const simulation = ready(1);
    const job = simulation.submit({ task: {}, items: 100 });
    simulation.close(50);
    simulation.advance(49);
    expect(job.state).toBe("running");
    simulation.advance(1);
    expect(job.state).toBe("cancelled");
    expect(() => simulation.submit({ task: {}, items: 1 })).toThrow("closed");
    expect(simulation.settle()).toEqual([]);
  });
});

describe("the judge", () => {
  it("knows what a scheduler must not do: the same answer counted twice", () => {
    const counters = createCounters();
    const simulation = new Simulation({ threads: 1, counters });
    const job = simulation.submit({ task: {}, items: 2 });
    job.delivered.push(7);
    expect(() => simulation.advance(1)).toThrow(/^S5: /);
  });
});
