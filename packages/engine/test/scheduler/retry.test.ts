import { describe, expect, it } from "vitest";
import { backoffMs } from "../../src/scheduler/retry.js";

const rules = (changes: object) => ({ attempts: 3, backoffMs: 100, maxBackoffMs: 1_000, jitter: 0, ...changes });

describe("the wait before a retry", () => {
  it("doubles with each attempt up to its bound", () => {
    const waits = [1, 2, 3, 4, 5, 6, 60, 5_000].map((attempt) => backoffMs(rules({}), attempt, 0));
    expect(waits).toEqual([100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000]);
  });

  it("is shortened by chance, and by no more than jitter says", () => {
    expect([0, 0.5, 1].map((luck) => backoffMs(rules({ jitter: 0.2 }), 1, luck))).toEqual([100, 90, 80]);
    expect(backoffMs(rules({ jitter: 1 }), 3, 1)).toBe(0);
  });

  // 0 × 2 ** 1,024 is no number: such a retry was never due, and its job never ended.
  it("may be nothing at all, however many there were", () => {
    expect(backoffMs(rules({ backoffMs: 0 }), 5_000, 0.5)).toBe(0);
    expect(backoffMs(rules({ backoffMs: 0 }), 7, 0.5)).toBe(0);
    expect(backoffMs(rules({ maxBackoffMs: 0 }), 1, 0)).toBe(0);
  });
});
