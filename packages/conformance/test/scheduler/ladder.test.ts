import { describe, expect, it } from "vitest";
import { type Fate, type JobView, Simulation } from "../../src/simulator/index.js";

const hang = { task: { fate: (): Fate => "hang" }, items: 1 };
const native = (nativeMs: number) => ({ task: { fate: (): Fate => ({ nativeMs }) }, items: 1 });

describe("a cancelled job", () => {
  it("settles in the same step, before its threads have let go", () => {
    const simulation = new Simulation({ threads: 1 });
    const job = simulation.submit({ task: { ms: 50, isSync: true }, items: 10 });
    simulation.advance(10);
    simulation.cancel(job);
    expect(job).toMatchObject({ state: "cancelled", settledAt: 10, stoppedAt: undefined });
    simulation.run();
    expect(job.stoppedAt).toBe(50);
    expect(job.delivered).toEqual([]);
    expect(simulation.leftovers()).toEqual([]);
  });

  it("is stopped at once where no thread has anything of it", () => {
    const simulation = new Simulation({ threads: 1 });
    simulation.submit(native(100));
    const job = simulation.submit({ task: {}, items: 10, recipe: 7, pulledBy: 1 });
    simulation.cancel(job);
    expect(job).toMatchObject({ settledAt: 0, stoppedAt: 0 });
  });

  it("costs no thread that comes back within the grace", () => {
    const simulation = new Simulation({ threads: 1, graceMs: 100 });
    const job = simulation.submit(native(99));
    simulation.advance(0);
    simulation.cancel(job);
    simulation.run();
    expect(simulation.effectsOf("replace")).toEqual([]);
    expect(job.stoppedAt).toBe(99);
  });
});

describe("a thread that does not come back", () => {
  it("is set aside after the grace, and another takes its slot", () => {
    const simulation = new Simulation({ threads: 1, graceMs: 100, startMs: 25 });
    const job = simulation.submit(hang);
    simulation.advance(10);
    simulation.cancel(job);
    simulation.advance(99);
    expect(simulation.effectsOf("replace")).toEqual([]);
    simulation.advance(1);
    expect(simulation.effectsOf("replace")).toEqual([{ type: "replace", slot: 0, incarnation: 1 }]);
    expect(job.stoppedAt).toBe(110);
    const next = simulation.submit({ task: {}, items: 1 });
    simulation.run();
    expect(next).toMatchObject({ state: "completed", settledAt: 136 });
    expect(simulation.leftovers()).toEqual([]);
  });

  it("is asked to end when it is set aside, and again after each grace until it has", () => {
    const simulation = new Simulation({ threads: 1, graceMs: 100 });
    const job = simulation.submit(native(450));
    simulation.advance(0);
    simulation.cancel(job);
    simulation.run();
    const times = simulation.effects.filter(({ effect }) => effect.type === "terminate-strays").map(({ at }) => at);
    expect(times).toEqual([100, 200, 300, 400]);
    expect(simulation.strays.size).toBe(0);
    expect(simulation.leftovers()).toEqual([]);
  });

  it("gives the items behind it to others, at no cost", () => {
    const simulation = new Simulation({ threads: 1, graceMs: 100 });
    const stuck = simulation.submit(hang);
    const other = simulation.submit({ task: {}, items: 3 });
    simulation.advance(0);
    simulation.cancel(stuck);
    simulation.run();
    expect(other).toMatchObject({ state: "completed", delivered: [0, 1, 2] });
    expect(other.retried).toEqual([]);
    expect([...other.begun.values()]).toEqual([1, 1, 1]);
  });
});

describe("a thread that is stuck in the load of a batch that waits behind another", () => {
  /** Two lanes: one of them is busy for long, the other takes the batch behind, whose module computes for ever. */
  function stuckBehind(): { simulation: Simulation; first: JobView; hung: JobView } {
    const simulation = new Simulation({ threads: 1, graceMs: 100 });
    const first = simulation.submit({ task: { concurrency: 2, ms: 50 }, items: 1 });
    simulation.advance(1);
    const hung = simulation.submit({ task: { import: (before) => (before === 0 ? "hang" : "ok") }, items: 1 });
    simulation.advance(1);
    expect(simulation.state.slots[0]!.behind?.job.key).toBe(hung.key);
    return { simulation, first, hung };
  }

  // `cur` does not move during a load, so that the scheduler takes the batch for one that has not begun, and waits.
  it("is set aside when that batch was cancelled and its grace is over", () => {
    const { simulation, first, hung } = stuckBehind();
    simulation.cancel(hung);
    simulation.run();
    expect(hung.stoppedAt).toBeDefined();
    expect(first.state).toBe("completed");
    expect(simulation.leftovers()).toEqual([]);
  });

  it("is set aside when the batch ahead was cancelled", () => {
    const { simulation, first, hung } = stuckBehind();
    simulation.cancel(first);
    simulation.run();
    expect(first.stoppedAt).toBeDefined();
    expect(hung.state).toBe("completed");
    expect(simulation.leftovers()).toEqual([]);
  });
});

describe("when as many threads are aside as there are slots", () => {
  /** Two slots, two threads aside that sit in native code for long. */
  function full(): Simulation {
    const simulation = new Simulation({ threads: 2, graceMs: 100 });
    for (let round = 0; round < 2; round++) {
      const job = simulation.submit(native(10_000));
      simulation.advance(0);
      simulation.cancel(job);
      simulation.advance(200);
    }
    expect(simulation.strays.size).toBe(2);
    return simulation;
  }

  it("a further one keeps its slot, which is said once", () => {
    const simulation = full();
    const job = simulation.submit(native(2_000));
    simulation.advance(0);
    simulation.cancel(job);
    simulation.advance(1_000);
    expect(simulation.strays.size).toBe(2);
    expect(simulation.effectsOf("capacity-lost")).toHaveLength(1);
    expect(job.stoppedAt).toBeUndefined();
  });

  it("the other slots go on", () => {
    const simulation = full();
    const job = simulation.submit(native(5_000));
    simulation.advance(0);
    simulation.cancel(job);
    const other = simulation.submit({ task: {}, items: 20 });
    simulation.advance(1_000);
    expect(other.state).toBe("completed");
  });

  it("the slot is used again when its thread comes back", () => {
    const simulation = full();
    const job = simulation.submit(native(2_000));
    simulation.advance(0);
    simulation.cancel(job);
    simulation.advance(3_000);
    expect(job.stoppedAt).toBeDefined();
    const other = simulation.submit({ task: { ms: 100 }, items: 2 });
    simulation.advance(0);
    simulation.runUntil(() => other.state === "completed");
    expect(new Set(simulation.assigned.filter((one) => one.job === other.key).map(({ slot }) => slot)).size).toBe(2);
  });

  it("what waits behind the stuck thread goes to the other slots", () => {
    const simulation = full();
    const stuck = simulation.submit(native(5_000));
    const busy = simulation.submit({ task: { ms: 100 }, items: 1 });
    const waiting = simulation.submit({ task: { ms: 1 }, items: 1 });
    simulation.advance(0);
    expect(simulation.state.slots[0]!.behind?.job.key).toBe(waiting.key);
    simulation.cancel(stuck);
    simulation.advance(1_000);
    expect(busy.state).toBe("completed");
    expect(waiting.state).toBe("completed");
  });

  it("so does what has not begun of the batch ahead, whose answer is only on its way", () => {
    const simulation = new Simulation({ threads: 1, graceMs: 100, isByHand: true });
    simulation.work(0);
    const stuck = simulation.submit(native(5_000));
    for (let count = 0; count < 2; count++) simulation.work(0);
    simulation.cancel(stuck);
    simulation.advance(100);
    expect(simulation.effectsOf("replace")).toHaveLength(1);
    simulation.work(0);
    // Its first batch comes back untouched: nobody knew yet that it takes columns.
    const job = simulation.submit({ task: { kind: "columns" }, items: 1 });
    const hung = simulation.submit({ task: { import: () => "hang" }, items: 1 });
    for (let count = 0; count < 3; count++) simulation.work(0);
    simulation.cancel(hung);
    simulation.advance(100);
    expect(simulation.effectsOf("capacity-lost")).toHaveLength(1);
    expect(simulation.effectsOf("revoke").map(({ batch }) => batch.job.key)).toEqual([job.key]);
  });

  it("room is used as soon as there is some: a stuck thread is set aside when another has ended", () => {
    const simulation = new Simulation({ threads: 1, graceMs: 100 });
    for (const nativeMs of [1_000, 60_000]) {
      const job = simulation.submit(native(nativeMs));
      simulation.advance(50);
      simulation.cancel(job);
      simulation.advance(200);
    }
    expect(simulation.effectsOf("capacity-lost")).toHaveLength(1);
    const job = simulation.submit({ task: {}, items: 1 });
    simulation.advance(5_000);
    expect(job.state).toBe("completed");
  });
});
