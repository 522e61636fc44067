import { describe, expect, it } from "vitest";
import { median, quantile, slope, summarise } from "../harness/statistics.js";

describe("statistics", () => {
  it("takes the middle of an odd series, and the mean of the two in the middle of an even one", () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([10, 2, 9, 1])).toBe(5.5);
    expect(median([])).toBeNaN();
  });

  it("takes the nearest rank as a quantile", () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect(quantile(values, 0.5)).toBe(50);
    expect(quantile(values, 0.99)).toBe(99);
    expect(quantile(values, 1)).toBe(100);
    expect(quantile([7], 0.99)).toBe(7);
    expect(quantile([], 0.5)).toBeNaN();
  });

  it("sums up a series by its median and its ends", () => {
    expect(summarise([3, 1, 2])).toEqual({ median: 2, least: 1, greatest: 3, count: 3 });
  });

  it("finds the slope of the line through points, and none where they stand above each other", () => {
    expect(
      slope([
        [0, 5],
        [1, 7],
        [2, 9],
      ]),
    ).toBeCloseTo(2);
    expect(
      slope([
        [1, 5],
        [1, 7],
      ]),
    ).toBeNaN();
  });
});
