import { describe, expect, it } from "vitest";
import type { Figure } from "../harness/benchmark.js";
import { bestOf, figureOver, judge, quantityOver, type Run, type Runs } from "../harness/quantities.js";

const lower: readonly [Figure] = [{ name: "ms", title: "ms", better: "lower" }];
const higher: readonly [Figure] = [{ name: "ms", title: "photos a second", better: "higher" }];
const ran = (ms: number): Run => ({ status: "ran", figures: { ms } });
const failed: Run = { status: "failed", why: "it was ill" };

describe("quantities", () => {
  it("compares runs of the same round, then takes the median: a slow round is slow for all", () => {
    const runs: Runs = { ours: [ran(10), ran(100), ran(10)], theirs: [ran(20), ran(200), ran(30)] };
    const speed = { kind: "speed", figure: "ms", of: "ours", against: ["theirs"] } as const;
    expect(quantityOver({ figures: lower }, runs, speed)).toEqual({ median: 2, least: 2, greatest: 3, count: 3 });
  });

  it("turns the ratio where more is better", () => {
    const runs: Runs = { ours: [ran(30)], theirs: [ran(20)] };
    const speed = { kind: "speed", figure: "ms", of: "ours", against: ["theirs"] } as const;
    expect(quantityOver({ figures: higher }, runs, speed).median).toBe(1.5);
  });

  it("takes the best opponent of each round", () => {
    const runs: Runs = { ours: [ran(10), ran(10)], a: [ran(20), ran(40)], b: [ran(30), ran(30)] };
    const speed = { kind: "speed", figure: "ms", of: "ours", against: ["a", "b"] } as const;
    expect(quantityOver({ figures: lower }, runs, speed)).toMatchObject({ least: 2, greatest: 3 });
    expect(bestOf({ figures: lower }, runs, "ms", ["a", "b"])).toBe("a");
  });

  it("divides by the number of threads where one thread is the measure", () => {
    const runs: Runs = { ours: [ran(50)], oneThread: [ran(100)] };
    const speed = { kind: "speed", figure: "ms", of: "ours", against: ["oneThread"], divisor: 2 } as const;
    expect(quantityOver({ figures: lower }, runs, speed).median).toBe(1);
  });

  it("gives a share plainly divided", () => {
    const runs: Runs = { with: [ran(102)], without: [ran(100)] };
    const share = { kind: "share", figure: "ms", of: "with", against: "without" } as const;
    expect(quantityOver({ figures: lower }, runs, share).median).toBe(1.02);
  });

  it("leaves rounds out in which one of both failed", () => {
    const runs: Runs = { ours: [ran(10), failed, ran(10)], theirs: [ran(20), ran(20), failed] };
    const speed = { kind: "speed", figure: "ms", of: "ours", against: ["theirs"] } as const;
    expect(quantityOver({ figures: lower }, runs, speed).count).toBe(1);
    expect(figureOver(runs, "ours", "ms").count).toBe(2);
  });

  it("judges by the median, with the bound itself reached", () => {
    const at = (value: number) => ({ median: value, least: value, greatest: value, count: 1 });
    expect(judge({ atLeast: 1.4 }, at(1.4))).toBe("reached");
    expect(judge({ atLeast: 1.4 }, at(1.39))).toBe("missed");
    expect(judge({ atMost: 10 }, at(10.1))).toBe("missed");
    expect(judge({ atMost: 10 }, { median: NaN, least: NaN, greatest: NaN, count: 0 })).toBe("not measured");
  });

  it("refuses a figure that the part does not have", () => {
    const speed = { kind: "speed", figure: "miles", of: "ours", against: ["theirs"] } as const;
    expect(() => quantityOver({ figures: lower }, {}, speed)).toThrow("no figure miles");
  });
});
