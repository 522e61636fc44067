import { describe, expect, it } from "vitest";
import type { Benchmark, Part } from "../harness/benchmark.js";
import type { Run } from "../harness/quantities.js";
import { resultsPage, type BenchmarkResult } from "../harness/results-page.js";

const program = new URL("file:///nowhere.js");
const part: Part = {
  name: "numbers",
  title: "Numbers",
  about: "A million of them.",
  figures: [{ name: "ns", title: "ns an item", better: "lower" }],
  contestants: [
    { name: "ours", title: "Ours, as it comes", program },
    { name: "a", title: "A, by hand", program },
    { name: "b", title: "B, by hand", program },
  ],
  settings: {},
  bars: [
    { text: "times as fast", quantity: { kind: "speed", figure: "ns", of: "ours", against: ["a", "b"] }, atLeast: 1.4 },
    { text: "ns", quantity: { kind: "figure", figure: "ns", of: "ours" }, atMost: 20 },
  ],
};
const benchmark: Benchmark = { name: "tiny", title: "Tiny", parts: [part] };
const machine = { processor: "Some CPU", cores: 2, memoryGiB: 8, system: "Linux 6.1", node: "v20.20.2", load: 0.1 };
const ran = (ns: number): Run => ({ status: "ran", figures: { ns } });

function pageOf(runs: BenchmarkResult["parts"][number]["runs"], skipped?: string): string {
  const result = { part: "numbers", rounds: 2, runs, ...(skipped === undefined ? {} : { skipped }) };
  return resultsPage([benchmark], [{ benchmark: "tiny", date: "2026-01-02", machine, parts: [result] }]);
}

describe("the results page", () => {
  it("shows medians with their spread, how many times as good ours is, and whether the bars were reached", () => {
    const page = pageOf({ ours: [ran(10), ran(14)], a: [ran(20), ran(21)], b: [ran(30), ran(30)] });
    expect(page).toContain("Some CPU, 2 cores, 8 GiB, Linux 6.1, Node v20.20.2, load before 0.1, 2026-01-02.");
    expect(page).toContain("![Numbers](plots/tiny-numbers.svg)");
    expect(page).toMatch(/\| \*\*Ours, as it comes\*\* +\| +12 \(10–14\) \| +\|/);
    expect(page).toMatch(/\| A, by hand +\| +20.5 \(20–21\) \| +1.75 \(1.5–2\) × \|/);
    expect(page).toMatch(/\| times as fast \(A, by hand\) +\| ≥ 1.4 \| 1.75 \(1.5–2\) \| reached +\|/);
    expect(page).toMatch(/\| ns +\| +≤ 20 \| +12 \(10–14\) \| reached +\|/);
  });

  it("says what failed and what was skipped, and that a bar was not measured", () => {
    const page = pageOf({
      ours: [{ status: "failed", why: "Error: no" }],
      a: [{ status: "skipped", why: "not here" }],
    });
    expect(page).toContain("**Ours, as it comes** (failed: Error: no)");
    expect(page).toContain("A, by hand (skipped: not here)");
    expect(page).toContain("not measured");
  });

  it("says why a part was not run", () => {
    expect(pageOf({}, "there are no photos")).toContain("Not run: there are no photos.");
  });

  it("leaves out benchmarks that have no result", () => {
    expect(resultsPage([benchmark], [])).not.toContain("Tiny");
  });
});
