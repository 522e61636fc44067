import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeValue, encodeValue } from "../../src/persistence/value-codec.js";

function again(value: unknown): unknown {
  return decodeValue(encodeValue(value));
}

describe("a value in a file", () => {
  it("comes back as it was", () => {
    const value = {
      date: new Date(86_400_000),
      map: new Map<unknown, unknown>([
        ["a", new Set([1, "1"])],
        [{ deep: true }, [undefined, null]],
      ]),
      big: 12_345_678_901_234_567_890n,
      numbers: [-0, NaN, Infinity, 0.1],
      pattern: /x+/gi,
      buffer: new Uint8Array([1, 2, 3]).buffer,
      nested: { a: [{ b: [{ c: "ü€😀" }] }] },
    };
    expect(again(value)).toStrictEqual(value);
    expect(again(undefined)).toBeUndefined();
  });

  it("comes back as a view of its own kind", () => {
    const values: ArrayBufferView[] = [
      new Int8Array([-1]),
      new Uint8Array([255]),
      new Uint8ClampedArray([300]),
      new Int16Array([-300]),
      new Uint16Array([65_535]),
      new Int32Array([-70_000]),
      new Uint32Array([4_000_000_000]),
      new Float32Array([1.5]),
      new Float64Array([Math.PI]),
      new BigInt64Array([-5n]),
      new BigUint64Array([5n]),
      new DataView(new Uint8Array([7, 8]).buffer),
      Buffer.from("a buffer"),
      new Float64Array(0),
    ];
    for (const value of values) expect(again(value)).toStrictEqual(value);
    expect(again(values)).toStrictEqual(values);
    expect(Buffer.isBuffer(again(Buffer.from("x")))).toBe(true);
  });

  it("takes and gets no more memory than it shows", () => {
    const large = new Uint8Array(1_000_000);
    const slice = large.subarray(10, 20);
    expect(encodeValue(slice).length).toBeLessThan(100);
    const [a, b] = again([slice, Buffer.from("pooled")]) as [Uint8Array, Buffer];
    expect([a.buffer.byteLength, b.buffer.byteLength]).toEqual([10, 6]);
  });

  it("may lie in shared memory, of which the bytes are saved", () => {
    const value = new Float32Array(new SharedArrayBuffer(8));
    value.set([1, 2]);
    expect(again(value)).toStrictEqual(new Float32Array([1, 2]));
  });

  it("is refused if it has no content to save", () => {
    for (const value of [
      () => 1,
      { deep: [Symbol("s")] },
      Promise.resolve(),
      new WeakMap(),
      new SharedArrayBuffer(1),
    ]) {
      expect(() => encodeValue(value)).toThrow(Error);
    }
  });

  it("survives whatever it is", () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: true,
    });
    fc.assert(
      fc.property(anything, (value) => {
        expect(again(value)).toStrictEqual(structuredClone(value));
      }),
    );
  });
});
