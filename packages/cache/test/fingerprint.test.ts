import { createSecretKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import { fingerprint } from "../src/fingerprint.js";

/** A value that holds itself after so many steps. */
function ring(steps: number): object {
  const first: Record<string, unknown> = {};
  let last = first;
  for (let step = 1; step < steps; step++) {
    const next: Record<string, unknown> = {};
    last["next"] = next;
    last = next;
  }
  last["next"] = first;
  return first;
}

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
    ["-0 and 0", 0, -0],
    ["a list and the set of it", [1], new Set([1])],
    ["null and undefined", null, undefined],
    ["the message of an error", new Error("a"), new Error("b")],
    ["the cause of an error", new Error("a", { cause: 1 }), new Error("a", { cause: 2 })],
    ["what an error is made of", new AggregateError([1], "a"), new AggregateError([2], "a")],
    ["the kind of view", new Uint8Array(4), new Int8Array(4)],
    ["a text that is spelt like the encoding", ["a", "string 1 b"], ["a", "b"]],
    ["a value that holds itself and one that holds its like", ring(1), ring(2)],
    ["the bytes behind one half of a surrogate pair", "\ud800", "\ud801"],
    ["what a boxed number holds", Object(1), Object(2)],
    ["a boxed number and the number", Object(1), 1],
    ["an mtime by a nanosecond", { mtimeNs: 1_700_000_000_000_000_001n }, { mtimeNs: 1_700_000_000_000_000_002n }],
    ["the version of a model", { photo: "a", model: "clip@1" }, { photo: "a", model: "clip@2" }],
  ])("differs with %s", (_, one, other) => {
    expect(fingerprint(other)).not.toBe(fingerprint(one));
  });

  it.each([
    ["a function", { parse: () => undefined }, "the value.parse is a function"],
    ["a symbol", [1, Symbol("odd")], "the value[1] is a symbol"],
    ["a signal", { a: { signal: new AbortController().signal } }, "the value.a.signal is an AbortSignal"],
    ["a URL", new Map([["a", new URL("file:///x")]]), "an entry of the value is a URL"],
    ["a function that is a key", new Map([[() => undefined, 1]]), "a key of the value is a function"],
    ["a Blob", [new Blob(["a"])], "the value[0] is a Blob, whose content cannot be seen"],
    ["a key", { key: createSecretKey(Buffer.from("a")) }, "the value.key is a SecretKeyObject, whose content"],
    ["a promise", { answer: Promise.resolve(1) }, "the value.answer is a Promise, whose content cannot be seen"],
    [
      "what has no class",
      Object.create(null, { [Symbol.toStringTag]: { value: "Odd" } }),
      "the value is a special object",
    ],
    ["search parameters", new URLSearchParams("a=1"), "the value is a URLSearchParams, whose content cannot be seen"],
    ["shared memory without a name", { pool: new Uint8Array(new SharedArrayBuffer(1)) }, "the value.pool is shared"],
  ])("is refused for %s, with the path to it", (_, parts, message) => {
    expect(() => fingerprint(parts)).toThrow(TypeError);
    expect(() => fingerprint(parts)).toThrow(message);
  });

  it("knows shared memory by the name that it is given", () => {
    const memory = new SharedArrayBuffer(4);
    const named = (name: string): string => fingerprint({ memory }, { nameShared: () => name });
    const before = named("a");
    new Uint8Array(memory)[0] = 1;
    expect(named("a")).toBe(before);
    expect(named("b")).not.toBe(before);
  });

  it("can be had of a value that holds itself", () => {
    expect(fingerprint(ring(3))).toBe(fingerprint(ring(3)));
    expect(fingerprint(ring(3))).not.toBe(fingerprint(ring(4)));
  });

  it("does not care whether equal parts are one object or two", () => {
    const part = { a: 1 };
    expect(fingerprint([part, part])).toBe(fingerprint([part, { a: 1 }]));
  });

  it("takes an instance without fields for an empty object, as a clone does", () => {
    class Marker {
      describe(): string {
        return "nothing to see";
      }
    }
    expect(fingerprint(new Marker())).toBe(fingerprint({}));
  });
});
