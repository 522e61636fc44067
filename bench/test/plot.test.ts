import { describe, expect, it } from "vitest";
import { COLOURS, drawPlot } from "../harness/plot.js";

const bar = (label: string, value: number) => ({ label, value, least: value, greatest: value, accented: false });
const widths = (svg: string): number[] =>
  [...svg.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map((match) => Number(match[1]));

describe("plots", () => {
  it("draws bars in proportion to their values", () => {
    const svg = drawPlot({ title: "t", subtitle: "s", logarithmic: false, bars: [bar("a", 10), bar("b", 40)] });
    const [a = NaN, b = NaN] = widths(svg);
    expect(b / a).toBeCloseTo(4, 1);
  });

  it("draws logarithms of values that are orders of magnitude apart", () => {
    const bars = [bar("a", 1), bar("b", 10), bar("c", 100)];
    const [a = NaN, b = NaN, c = NaN] = widths(drawPlot({ title: "t", subtitle: "s", logarithmic: true, bars }));
    expect(a).toBeGreaterThan(0);
    expect(c - b).toBeCloseTo(b - a, 0);
  });

  it("stays inside its box, also with a value of 0 and a wide spread", () => {
    const bars = [{ ...bar("a", 0), greatest: 100 }, bar("b", 5)];
    for (const logarithmic of [false, true]) {
      const svg = drawPlot({ title: "t", subtitle: "s", logarithmic, bars });
      expect(svg).not.toContain("NaN");
      for (const width of widths(svg)) expect(width).toBeLessThan(860);
    }
  });

  it("keeps text from becoming markup", () => {
    const svg = drawPlot({ title: 'a < b & "c"', subtitle: "s", logarithmic: false, bars: [bar("<x>", 1)] });
    expect(svg).toContain("a &lt; b &amp; &quot;c&quot;");
    expect(svg).not.toContain("<x>");
  });

  it("can be read on GitHub's light page and on its dark one", () => {
    for (const page of ["#ffffff", "#0d1117"]) {
      expect(contrast(COLOURS.text, page)).toBeGreaterThan(4);
      expect(contrast(COLOURS.bar, page)).toBeGreaterThan(3);
      expect(contrast(COLOURS.accent, page)).toBeGreaterThan(3);
    }
  });
});

/** As WCAG 2 defines it. */
function contrast(one: string, other: string): number {
  const [dark = NaN, light = NaN] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const [red = NaN, green = NaN, blue = NaN] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.040_45 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
