import { describe, expect, it } from "vitest";
import { fingerprint } from "../src/fingerprint.js";

describe("a fingerprint", () => {
  it("is 32 hexadecimal digits, the same in every process", () => {
    expect(fingerprint({ photo: "a.jpg", size: 256 })).toMatch(/^[0-9a-f]{32}$/);
  });

  it.each([
    ["the order of keys", { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }],
    [
      "the order of keys without a prototype",
      Object.assign(Object.create(null) as object, { a: 1, b: 2 }),
      Object.assign(Object.create(null) as object, { b: 2, a: 1 }),
    ],
    ["the buffer behind a view", new Uint8Array([9, 1, 2]).subarray(1), new Uint8Array([1, 2])],
    ["the pool behind a Buffer", { hash: Buffer.from("abc") }, { hash: Buffer.from("abc") }],
  ])("does not depend on %s", (_, one, other) => {
    expect(fingerprint(other)).toBe(fingerprint(one));
  });

  it("does not depend on how V8 happens to keep a number", () => {
    const make = (size: number): object => ({ size });
    const before = fingerprint(make(1));
    // From the first fraction on, V8 keeps this field as a double.
    fingerprint(make(0.5));
    expect(fingerprint(make(1))).toBe(before);
  });

  it.each([
    ["a value", { a: 1 }, { a: 2 }],
    ["a type", { a: 1 }, { a: "1" }],
    ["the order of a list", [1, 2], [2, 1]],
    ["an absent and an undefined field", {}, { a: undefined }],
    ["one bit of a buffer", Buffer.from([1]), Buffer.from([3])],
    ["where a boundary is", ["ab", "c"], ["a", "bc"]],
    ["a date", new Date(1), new Date(2)],
    ["an object and the list that spells it", { a: 1 }, ["object", ["a", 1]]],
  ])("differs with %s", (_, one, other) => {
    expect(fingerprint(other)).not.toBe(fingerprint(one));
  });

  it("is refused for what has no content, such as a function", () => {
    expect(() => fingerprint({ parse: () => undefined })).toThrow(/could not be cloned/);
  });
});
