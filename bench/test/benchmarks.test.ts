import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { benchmarks } from "../dist/benchmarks.js";

const parts = benchmarks.flatMap((benchmark) =>
  benchmark.parts.map((part) => ({ ...part, benchmark: benchmark.name })),
);

describe.each(parts)("$benchmark, $name", ({ contestants, figures, bars }) => {
  it("has programs that exist, under names of their own", () => {
    expect(contestants.map(({ program }) => program.href).filter((href) => !existsSync(new URL(href)))).toEqual([]);
    expect(new Set(contestants.map(({ name }) => name)).size).toBe(contestants.length);
  });

  it("has bars that speak of its own contestants and figures", () => {
    const names = contestants.map(({ name }) => name);
    for (const { quantity, atLeast, atMost } of bars) {
      expect(names).toContain(quantity.of);
      expect(figures.map(({ name }) => name)).toContain(quantity.figure);
      expect(atLeast ?? atMost).toBeDefined();
      const against = quantity.kind === "figure" ? [] : [quantity.against].flat();
      expect(names).toEqual(expect.arrayContaining(against));
    }
  });
});
