import { describe, expect, it } from "vitest";
import { packColumn } from "../src/column.js";

const many = 32;

describe("a column of numbers", () => {
  it("travels as one block from 32 numbers on", () => {
    const numbers = Array.from({ length: many }, (_, index) => index / 3);
    expect(packColumn(numbers)).toEqual(Float64Array.from(numbers));
    expect(packColumn(numbers.slice(1))).toBeInstanceOf(Array);
  });

  it.each([-0, NaN, Infinity, -Infinity, Number.MAX_SAFE_INTEGER, 5e-324])("keeps %d as it is", (value) => {
    const packed = packColumn(Array.from({ length: many }, () => value));
    expect(packed).toBeInstanceOf(Float64Array);
    expect(Object.is(packed[many - 1], value)).toBe(true);
  });

  it.each([
    ["undefined", undefined],
    ["null", null],
    ["a bigint", 1n],
    ["a string", "1"],
    ["a Number object", Object(1) as unknown],
  ])("stays an array with %s among them", (_, stranger) => {
    const column = [...Array.from({ length: many }, () => 1), stranger];
    expect(packColumn(column)).toBe(column);
  });

  it("with a hole in it is no column of numbers: a hole is undefined, not NaN", () => {
    const holey = Array.from<number>({ length: many }).fill(1);
    holey.length = many + 1;
    expect(packColumn(holey)[many]).toBeUndefined();
  });

  it("may be empty", () => {
    expect(packColumn([])).toEqual([]);
  });
});

describe("a column of views", () => {
  const small = (): Uint8Array => new Uint8Array(new ArrayBuffer(1_000), 10, 2);

  it("has each cut out of the large buffer behind it", () => {
    const packed = packColumn([small(), small()]) as Uint8Array[];
    expect(packed.map((view) => view.buffer.byteLength)).toEqual([2, 2]);
  });

  it("is recognised by views inside plain objects too", () => {
    const packed = packColumn([{ pixels: small() }]) as { pixels: Uint8Array }[];
    expect(packed[0]!.pixels.buffer.byteLength).toBe(2);
  });

  it("is recognised though its first value has none, as when the first item has failed", () => {
    const packed = packColumn([undefined, small()]) as Uint8Array[];
    expect(packed[1]!.buffer.byteLength).toBe(2);
  });
});
