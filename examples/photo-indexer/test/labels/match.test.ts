import { describe, expect, it } from "vitest";
import { matchLabels } from "../../src/labels/match.js";
import { VOCABULARY } from "../../src/labels/vocabulary.js";

type Rgb = readonly [number, number, number];

/** So many pixels of each colour. */
function picture(...parts: readonly (readonly [number, Rgb])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap(([count, rgb]) => Array.from({ length: count }, () => rgb).flat()));
}
const labels = (...parts: readonly (readonly [number, Rgb])[]): string[] => matchLabels(picture(...parts), VOCABULARY);

const RED: Rgb = [200, 30, 30];
const GREEN: Rgb = [40, 160, 50];
const GREY: Rgb = [120, 120, 120];

describe("labels", () => {
  it("name the colours, red on both sides of where the wheel begins", () => {
    expect(labels([10, RED])).toEqual(["red"]);
    expect(labels([10, [200, 30, 55]])).toEqual(["red"]);
    expect(labels([10, [230, 120, 20]])).toEqual(["orange"]);
    expect(labels([10, [220, 200, 30]])).toEqual(["yellow"]);
    expect(labels([10, GREEN])).toEqual(["green"]);
    expect(labels([10, [40, 60, 200]])).toEqual(["blue"]);
    expect(labels([10, [130, 40, 200]])).toEqual(["violet"]);
    expect(labels([10, [220, 60, 170]])).toEqual(["pink"]);
  });

  it("name a colour from its share of the pixels on", () => {
    expect(labels([2, RED], [8, GREY])).toEqual(["red"]);
    expect(labels([19, RED], [81, GREY])).toEqual([]);
    expect(labels([5, RED], [5, GREEN])).toEqual(["red", "green"]);
  });

  it("name pictures without colour, and those that are dark or bright", () => {
    expect(labels([10, GREY])).toEqual(["monochrome"]);
    expect(labels([10, [5, 5, 5]])).toEqual(["monochrome", "dark"]);
    expect(labels([10, [250, 250, 250]])).toEqual(["monochrome", "bright"]);
  });

  it("are none for a picture without pixels", () => {
    expect(matchLabels(new Uint8Array(0), VOCABULARY)).toEqual([]);
  });
});
