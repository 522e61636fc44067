import { describe, expect, it } from "vitest";
import { cell, formatNumber, table } from "../harness/markdown.js";

describe("markdown", () => {
  it("aligns a table as Prettier does", () => {
    const text = table(
      ["", "ns"],
      ["left", "right"],
      [
        ["**Ours**", "45.1"],
        ["µs ≥ 1", "1,234"],
      ],
    );
    expect(text.split("\n")).toEqual([
      "|          |    ns |",
      "| -------- | ----: |",
      "| **Ours** |  45.1 |",
      "| µs ≥ 1   | 1,234 |",
    ]);
  });

  it("keeps what would end a cell inside it", () => {
    expect(cell("a | b\nc")).toBe("a \\| b c");
  });

  it.each([
    [0, "0"],
    [0.012_345, "0.0123"],
    [1.234_5, "1.23"],
    [45.67, "45.7"],
    [123.4, "123"],
    [12_345.6, "12,346"],
    [NaN, "–"],
    [Infinity, "–"],
  ])("writes %d as %s", (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });
});
