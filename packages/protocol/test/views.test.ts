import { describe, expect, it } from "vitest";
import { cutView, holdsView } from "../src/views.js";

const large = (): ArrayBuffer => new ArrayBuffer(1_000);

describe("a view that shows little of its buffer", () => {
  it.each([
    ["bytes", new Uint8Array(large(), 16, 8), Uint8Array],
    ["floats", new Float32Array(large(), 16, 8), Float32Array],
    ["big integers", new BigInt64Array(large(), 16, 2), BigInt64Array],
    ["a DataView", new DataView(large(), 16, 8), DataView],
    ["a Buffer from the pool", Buffer.from("abc"), Uint8Array],
  ])("is cut out with its content and kind: %s", (_, view, Kind) => {
    const cut = cutView(view) as ArrayBufferView;
    expect(cut).toBeInstanceOf(Kind);
    expect(cut.byteLength).toBe(view.byteLength);
    expect(cut.buffer.byteLength).toBe(view.byteLength);
    expect(bytesOf(cut)).toEqual(bytesOf(view));
  });

  it("is cut out of the fields of objects and lists, of which there are copies then", () => {
    const small = new Uint8Array(large(), 10, 2);
    const item = { name: "a", pixels: small, rest: [1] };
    const cut = cutView(item) as typeof item;
    expect(cut).not.toBe(item);
    expect(cut.pixels.buffer.byteLength).toBe(2);
    expect(cut.rest).toBe(item.rest);
    expect(item.pixels).toBe(small);
    const list = cutView(["a", small]) as unknown[];
    expect(Array.isArray(list)).toBe(true);
    expect((list[1] as Uint8Array).buffer.byteLength).toBe(2);
  });

  it("is left where it is deeper: looking everywhere costs more than it saves", () => {
    const item = { deep: { pixels: new Uint8Array(large(), 10, 2) } };
    expect(cutView(item)).toBe(item);
  });
});

describe("what travels as it is", () => {
  it.each([
    ["a view of all of its buffer", new Uint8Array(1_000)],
    ["a view of half of it", new Uint8Array(large(), 0, 500)],
    ["a view of shared memory, which is not copied anyway", new Uint8Array(new SharedArrayBuffer(1_000), 0, 2)],
    ["an object without views", { a: 1 }],
    ["a class instance", new Map([["a", new Uint8Array(large(), 0, 2)]])],
    ["null", null],
    ["a number", 7],
  ])("%s", (_, value) => {
    expect(cutView(value)).toBe(value);
  });
});

describe("an object that holds a view", () => {
  it("is known by its fields", () => {
    expect([holdsView({ a: new Uint8Array(1) }), holdsView([new DataView(large())]), holdsView({ a: [] })]).toEqual([
      true,
      true,
      false,
    ]);
  });
});

function bytesOf(view: ArrayBufferView): number[] {
  return [...new Uint8Array(view.buffer, view.byteOffset, view.byteLength)];
}
