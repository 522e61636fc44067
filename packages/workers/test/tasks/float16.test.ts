import { describe, expect, it } from "vitest";
import { fromFloat16, toFloat16 } from "../../src/tasks/embed/float16.js";

describe("half-precision floats", () => {
  it("come back from every bit pattern unchanged", () => {
    for (const sign of [0, 0x8000]) {
      for (let half = sign; half <= (sign | 0x7c00); half++) expect(toFloat16(fromFloat16(half))).toBe(half);
    }
    expect(fromFloat16(toFloat16(NaN))).toBeNaN();
  });

  it("have the values of the standard", () => {
    const values: readonly (readonly [bits: number, value: number])[] = [
      [0x0000, 0],
      [0x0001, 2 ** -24],
      [0x03ff, 1023 * 2 ** -24],
      [0x0400, 2 ** -14],
      [0x3c00, 1],
      [0x3555, 0.333251953125],
      [0x7bff, 65504],
      [0x7c00, Infinity],
      [0xc000, -2],
    ];
    for (const [bits, value] of values) expect(fromFloat16(bits)).toBe(value);
    expect(Object.is(fromFloat16(0x8000), -0)).toBe(true);
  });

  it("are the nearest ones, ties to even", () => {
    for (let half = 0; half < 0x7bff; half++) {
      const [low, high] = [fromFloat16(half), fromFloat16(half + 1)];
      const middle = (low + high) / 2;
      expect(toFloat16(middle)).toBe(half % 2 === 0 ? half : half + 1);
      expect(toFloat16(-middle)).toBe(0x8000 | (half % 2 === 0 ? half : half + 1));
      expect(toFloat16(low + (high - low) * 0.49)).toBe(half);
      expect(toFloat16(low + (high - low) * 0.51)).toBe(half + 1);
    }
    expect(toFloat16(65519)).toBe(0x7bff);
    expect(toFloat16(65520)).toBe(0x7c00);
    expect(toFloat16(1e30)).toBe(0x7c00);
  });
});
