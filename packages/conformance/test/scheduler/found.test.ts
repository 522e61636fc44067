import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Simulation } from "../../src/simulator/index.js";

/** All but every tenth. */
const mostOnes = (index: number): boolean => index % 10 !== 3;

describe("items that were found", () => {
  it("are delivered without a batch, and the others run once each", () => {
    const simulation = new Simulation({ threads: 2 });
    const pulledBy = { chunk: 50, isFound: mostOnes };
    const job = simulation.submit({ task: {}, items: 1_000, pulledBy });
    simulation.run();
    expect(job.state).toBe("completed");
    expect(job.delivered).toHaveLength(1_000);
    expect([...job.begun]).toEqual(Array.from({ length: 100 }, (_, at) => [at * 10 + 3, 1]));
  });

  it("alone end their job, and no thread is asked", () => {
    const simulation = new Simulation({ threads: 2 });
    const job = simulation.submit({ task: {}, items: 100, pulledBy: { chunk: 7, isFound: () => true } });
    simulation.run();
    expect([job.state, job.delivered.length, job.begun.size]).toEqual(["completed", 100, 0]);
    expect(simulation.script).toEqual([]);
  });

  it("leave the rest to batches of the usual size", () => {
    const simulation = new Simulation({ threads: 1, batchMs: 10 });
    const first = simulation.submit({ task: { ms: 1 }, recipe: 1, items: 200 });
    simulation.run();
    expect(first.state).toBe("completed");
    let batches = 0;
    simulation.shell.onEffect = (effect) => void (batches += effect.type === "assign" ? 1 : 0);
    const pulledBy = { chunk: 1_000, isFound: mostOnes };
    const job = simulation.submit({ task: { ms: 1 }, recipe: 1, items: 1_000, pulledBy });
    simulation.run();
    expect(job.state).toBe("completed");
    // A hundred to run, ten at a time; the tail is cut finer.
    expect(batches).toBeLessThanOrEqual(20);
  });

  it("wait for the end of a pause, and may be what the job ends with", () => {
    const simulation = new Simulation({ threads: 1 });
    const job = simulation.submit({ task: {}, items: 5, pulledBy: { chunk: 5, isFound: () => true } });
    simulation.pause(job);
    simulation.advance(1_000);
    expect([job.state, job.delivered.length, job.supplied]).toEqual(["waiting", 0, 5]);
    simulation.resume(job);
    expect([job.state, job.delivered.length]).toEqual(["completed", 5]);
  });

  it("are gone with a job that is cancelled in its pause", () => {
    const simulation = new Simulation({ threads: 1 });
    const job = simulation.submit({ task: {}, items: 5, pulledBy: { chunk: 5, isFound: () => true } });
    simulation.pause(job);
    simulation.advance(1_000);
    simulation.cancel(job);
    simulation.resume(job);
    expect([job.state, job.delivered.length]).toEqual(["cancelled", 0]);
  });

  it("are in flight where a reader sets the pace, and take no room where none does", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 9 }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        (maxInFlight, chunk, pattern, isThrottled) => {
          const simulation = new Simulation({ threads: 2 });
          const isFound = (index: number): boolean => pattern[index % pattern.length] as boolean;
          const job = simulation.submit({
            task: {},
            items: 120,
            pulledBy: { chunk, isFound },
            rules: { maxInFlight },
            isThrottled,
            reader: { everyMs: 3, most: 2 },
          });
          simulation.run();
          expect(job.state).toBe("completed");
          expect(job.delivered.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 120 }, (_, index) => index));
          for (const [index, times] of job.begins.entries()) expect(times).toBe(isFound(index) ? 0 : 1);
          expect(isThrottled ? job.mostInFlight : 0).toBeLessThanOrEqual(maxInFlight);
        },
      ),
    );
  });
});

describe("items that wait for another with their key", () => {
  const ten = { keyOf: (index: number): number => index % 10 };

  it("are delivered with its value, and take their room from the source until then", () => {
    const simulation = new Simulation({ threads: 2 });
    const pulledBy = { chunk: 7, ...ten };
    const job = simulation.submit({ task: {}, items: 100, pulledBy, rules: { maxInFlight: 25 } });
    simulation.run();
    expect([job.state, job.delivered.length]).toEqual(["completed", 100]);
    expect(job.mostInFlight).toBe(25);
    expect([...job.begun.values()].every((times) => times === 1)).toBe(true);
    // Each window has ten that are run.
    expect(job.begun.size).toBeLessThanOrEqual(50);
  });

  it("are run when it has failed", () => {
    const simulation = new Simulation({ threads: 2 });
    const fate = ({ index }: { readonly index: number }) => (index < 10 ? ("fail" as const) : ("ok" as const));
    const pulledBy = { chunk: 30, ...ten };
    const rules = { stopsAtFailure: false, maxInFlight: 30 };
    const job = simulation.submit({ task: { fate }, items: 30, pulledBy, rules });
    simulation.run();
    expect([job.state, job.delivered.length, job.failed.size, job.begun.size]).toEqual(["completed", 30, 10, 30]);
  });

  it("wait for the end of a pause too", () => {
    const simulation = new Simulation({ threads: 1 });
    const pulledBy = { chunk: 5, keyOf: () => 0 };
    const job = simulation.submit({ task: { ms: 10 }, items: 5, pulledBy, rules: { maxInFlight: 5 } });
    simulation.advance(5);
    simulation.pause(job);
    simulation.advance(1_000);
    expect([job.state, job.delivered.length]).toEqual(["running", 1]);
    simulation.resume(job);
    simulation.run();
    expect([job.state, job.delivered.length, job.begun.size]).toEqual(["completed", 5, 1]);
  });
});
