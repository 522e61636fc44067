import { describe, expect, it } from "vitest";
import { progressLine, progressLogLine } from "../src/cli/progress-text.js";
import { createProgressView } from "../src/cli/progress-view.js";
import { RateWindow, type RunProgress } from "../src/progress.js";

const progress = (changes: Partial<RunProgress> = {}): RunProgress => ({
  stage: "reading",
  done: 50,
  broken: 0,
  total: 200,
  perSecond: 25,
  etaMs: 6000,
  elapsedMs: 2000,
  ...changes,
});

describe("RateWindow", () => {
  it("gives no estimate before the rate has settled, and none without a total", () => {
    const window = new RateWindow(0);
    expect(window.update(500, 50, 1000).etaMs).toBeUndefined();
    expect(window.update(2000, 200, undefined).etaMs).toBeUndefined();
    expect(window.update(2000, 200, 1000).etaMs).toBe(8000);
  });

  it("forgets a quick start: the estimate is of the last seconds, not of the mean", () => {
    const window = new RateWindow(0);
    // 10,000 unchanged files in the first second, then ten a second.
    for (let second = 1; second <= 20; second++) window.update(second * 1000, 10_000 + (second - 1) * 10, 20_000);
    expect(window.update(21_000, 10_200, 20_000).perSecond).toBeCloseTo(10, 5);
  });

  it("falls to zero when nothing moves, and then has no estimate", () => {
    const window = new RateWindow(0);
    window.update(1000, 100, 200);
    window.update(7000, 100, 200);
    expect(window.update(14_000, 100, 200)).toEqual({ perSecond: 0, etaMs: undefined, elapsedMs: 14_000 });
  });

  it("keeps few marks, however often it is asked", () => {
    const window = new RateWindow(0);
    for (let ms = 1; ms <= 100_000; ms++) window.update(ms, ms, undefined);
    expect(window.update(100_001, 100_001, undefined).perSecond).toBeCloseTo(1000, 0);
  });
});

describe("the progress line", () => {
  it("shows the share, the count, the speed and the time left", () => {
    expect(progressLine(progress(), 120)).toBe("Indexing   ██████░░░░░░░░░░░░░░░░░░ 50/200  25 photos/s  6.0 s left");
  });

  it("says that it counts, or estimates, rather than guess", () => {
    const line = progressLine(progress({ total: undefined, etaMs: undefined, broken: 3, perSecond: 2.5 }), 120);
    expect(line).toContain("counting…");
    expect(line).toContain("3 broken");
    expect(line).toContain("2.5 photos/s");
    expect(line).toContain("estimating…");
  });

  it("never fills the terminal's last column, where it would wrap", () => {
    for (const columns of [1, 10, 40, 80])
      expect(progressLine(progress({ broken: 10 }), columns).length).toBeLessThan(Math.max(columns, 2));
  });
});

describe("the progress view", () => {
  function written(isTTY: boolean, quiet = false) {
    const lines: string[] = [];
    const view = createProgressView({ isTTY, columns: 80, write: (text) => lines.push(text) }, quiet);
    return { lines, view };
  }

  it("overwrites one line on a terminal, and takes it away at the end", () => {
    const { lines, view } = written(true);
    view.show(progress());
    view.show(progress({ done: 51 }));
    view.clear();
    view.clear();
    expect(lines.every((line) => line.startsWith("\r\u001b[K") && !line.includes("\n"))).toBe(true);
    expect(lines).toHaveLength(3);
  });

  it("takes a terminal that does not know its width for one of 80 columns", () => {
    const lines: string[] = [];
    createProgressView({ isTTY: true, columns: 0, write: (text) => lines.push(text) }, false).show(progress());
    expect(lines[0]).toContain(progressLine(progress(), 80));
  });

  it("writes plain lines elsewhere: one at once, then now and then, and none for a stage that is over in a moment", () => {
    const { lines, view } = written(false);
    for (let ms = 0; ms <= 11_000; ms += 100) view.show(progress({ elapsedMs: ms }));
    expect(lines).toHaveLength(3);
    view.show(progress({ stage: "comparing", elapsedMs: 0 }));
    expect(lines).toHaveLength(3);
    view.show(progress({ stage: "comparing", elapsedMs: 1000 }));
    expect(lines).toHaveLength(4);
    expect(lines[0]).toBe(`${progressLogLine(progress())}\n`);
    expect(lines.join("")).not.toContain("\u001b");
  });

  it("is silent when asked to be", () => {
    const { lines, view } = written(true, true);
    view.show(progress());
    view.clear();
    expect(lines).toEqual([]);
  });
});
