import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProgressMeter } from "../../src/jobs/progress.js";

const counts = (completed: number, total = 100, failed = 0, seen = 0) => ({
  completed,
  failed,
  seen,
  total,
});

describe("progress", () => {
  it("shows what is certain and what threads have finished meanwhile", () => {
    const meter = new ProgressMeter(1_000);
    expect(meter.snapshot(counts(10, 100, 2, 5), 2_000, undefined)).toEqual({
      completed: 15,
      failed: 2,
      total: 100,
      itemsPerSecond: 17,
      etaMs: expect.closeTo((83 / 17) * 1_000) as number,
      elapsedMs: 1_000,
    });
  });

  it("never falls and never passes the total, whatever threads seem to have done", () => {
    const steps = fc.array(
      fc.record({ done: fc.nat({ max: 5 }), failed: fc.nat({ max: 2 }), seen: fc.nat({ max: 40 }) }),
    );
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 60 }), (list, total) => {
        const meter = new ProgressMeter(0);
        let [completed, failed, shown, now] = [0, 0, 0, 0];
        for (const step of list) {
          failed = Math.min(failed + step.failed, total - completed);
          completed = Math.min(completed + step.done, total - failed);
          const progress = meter.snapshot(counts(completed, total, failed, step.seen), (now += 100), undefined);
          const ended = progress.completed + progress.failed;
          expect(ended).toBeGreaterThanOrEqual(shown);
          expect(ended).toBeLessThanOrEqual(total);
          expect(progress.completed).toBeGreaterThanOrEqual(completed);
          shown = ended;
        }
      }),
    );
  });

  it("takes the rate over the last seconds, so that a pause does not spoil it for good", () => {
    const meter = new ProgressMeter(0);
    for (let second = 1; second <= 10; second++)
      meter.snapshot(counts(second * 100, 10_000), second * 1_000, undefined);
    // Nothing for a minute, looked at all the time; then as before.
    for (let second = 11; second <= 70; second++) meter.snapshot(counts(1_000, 10_000), second * 1_000, undefined);
    expect(meter.snapshot(counts(1_000, 10_000), 70_500, undefined)).toMatchObject({
      itemsPerSecond: 0,
      etaMs: undefined,
    });
    let last = 0;
    for (let second = 71; second <= 80; second++) {
      const done = 1_000 + (second - 70) * 100;
      last = meter.snapshot(counts(done, 10_000), second * 1_000, undefined).itemsPerSecond;
    }
    expect(last).toBeCloseTo(100);
  });

  it("knows no rest of the time without a total or a rate, and none is left at the end", () => {
    const meter = new ProgressMeter(0);
    expect(meter.snapshot(counts(0), 0, undefined)).toMatchObject({ itemsPerSecond: 0, etaMs: undefined });
    expect(meter.snapshot({ ...counts(10), total: undefined }, 100, undefined).etaMs).toBeUndefined();
    expect(meter.snapshot(counts(100), 200, undefined).etaMs).toBe(0);
  });

  it("of a job without items is complete from the start", () => {
    const meter = new ProgressMeter(0);
    expect(meter.snapshot(counts(0, 0), 0, undefined)).toMatchObject({ completed: 0, total: 0, etaMs: 0 });
  });

  it("stands still when the job has ended", () => {
    const meter = new ProgressMeter(0);
    meter.end(500);
    meter.end(900);
    expect(meter.snapshot(counts(100), 60_000, undefined).elapsedMs).toBe(500);
  });

  it("carries the newest detail, if there is one", () => {
    const meter = new ProgressMeter(0);
    expect(meter.snapshot(counts(0), 0, { step: 3 }).detail).toEqual({ step: 3 });
    expect("detail" in meter.snapshot(counts(0), 0, undefined)).toBe(false);
  });
});
