/**
 * Random histories in simulated time: faults on and every step judged, then faults off, and nothing may be left over.
 * The seeds are always the same, so that a change that breaks something breaks it here too. `THREADMILL_SEED` runs
 * from another one, `THREADMILL_RUNS` sets how many there are.
 */
import { describe, expect, it } from "vitest";
import {
  REAL_SCHEDULER,
  type SchedulerUnderTest,
  neverHappened,
  simulate,
  soakSimulator,
} from "../src/simulator/index.js";

const given = process.env["THREADMILL_SEED"];
const first = given === undefined ? 1 : Number(given);
const runs = Number(process.env["THREADMILL_RUNS"] ?? (given === undefined ? 40_000 : 1));
/** Only a hang takes so long. */
const PATIENCE_MS = 600_000;

describe("the scheduler, whatever happens", () => {
  it(`keeps every promise (${runs} seeds from THREADMILL_SEED=${first})`, { timeout: PATIENCE_MS }, () => {
    const report = soakSimulator({ seeds: runs, seed: first, mostViolations: 1 });
    expect(report.violations.map(({ violation, script }) => `${violation}\n${script.join("\n")}`)).toEqual([]);
    expect(report.seeds).toBe(runs);
    // The smaller the run, the less can be asked of it.
    expect(runs < 10_000 ? [] : neverHappened(report.counters, report.faults)).toEqual([]);
  });
});

describe("the simulator", () => {
  it("plays each seed the same way twice", { timeout: PATIENCE_MS }, () => {
    const hashes = new Set<number>();
    for (let seed = first; seed < first + Math.min(runs, 1_500); seed++) {
      const [once, again] = [simulate(seed), simulate(seed)];
      expect([again.traceHash, again.steps], `seed ${seed}`).toEqual([once.traceHash, once.steps]);
      hashes.add(once.traceHash);
    }
    // And not all seeds the same way: few are so short that they are alike.
    expect(hashes.size).toBeGreaterThan(Math.min(runs, 1_500) * 0.9);
  });
});

describe("a seed that breaks a promise", () => {
  /** Stops are not passed on: threads go on with what nobody wants. */
  const deaf: SchedulerUnderTest = {
    ...REAL_SCHEDULER,
    step: (state, event, now, out) => {
      const heard = [...out];
      REAL_SCHEDULER.step(state, event, now, heard);
      out.push(...heard.filter(({ type }) => type !== "stop"));
    },
  };

  it("is said with its number, is made smaller, and ends in what went wrong", { timeout: PATIENCE_MS }, () => {
    const { violations } = soakSimulator({ seeds: 500, seed: 1, scheduler: deaf, mostViolations: 1 });
    const [found] = violations;
    expect(found?.script[0]).toContain(`THREADMILL_SEED=${found?.seed}`);
    expect(found?.script.at(-1)).toMatch(/^[SL]\d+: /);
    const whole = simulate(found?.seed ?? 0, { scheduler: deaf });
    expect(whole.violations).toEqual([found?.violation]);
    expect(whole.script.at(-1)).toBe(found?.violation);
    expect(found?.script.length).toBeLessThanOrEqual(whole.script.length);
  });
});
