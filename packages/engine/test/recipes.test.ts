import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { Recipes } from "../src/recipes.js";

const reference = { url: "file:///task.js", exportName: "default" };
const idsOf = (...options: unknown[]): number[] => {
  const recipes = new Recipes(() => undefined);
  return options.map((one) => recipes.acquire(reference, one).id);
};

describe("recipes", () => {
  it.each([
    ["no options", undefined, undefined],
    ["plain objects", { width: 256, fit: "cover" }, { width: 256, fit: "cover" }],
    ["nested arrays", { sizes: [[1, 2]] }, { sizes: [[1, 2]] }],
    [
      "dates and maps",
      { since: new Date(5), by: new Map([["a", 1]]) },
      { since: new Date(5), by: new Map([["a", 1]]) },
    ],
    ["typed arrays", { weights: new Float32Array([1, 2]) }, { weights: new Float32Array([1, 2]) }],
    ["Buffers from the pool", { key: Buffer.from("abc") }, { key: Buffer.from("abc") }],
    ["views of larger buffers", new Uint8Array([1, 2, 3]).subarray(1), new Uint8Array([2, 3])],
  ])("are shared by jobs of one task with equal options: %s", (_, one, other) => {
    const [first, second] = idsOf(one, other);
    expect(second).toBe(first);
  });

  it.each([
    ["a value", { width: 256 }, { width: 257 }],
    ["a key", { width: 256 }, { height: 256 }],
    ["none and some", undefined, {}],
    ["null and undefined", null, undefined],
    ["-0 and 0", 0, -0],
    ["a number and its text", { id: 1 }, { id: "1" }],
    ["the kind of view", new Uint8Array([1, 2, 3, 4]), new Int8Array([1, 2, 3, 4])],
    ["the bytes of a view", Buffer.from("abc"), Buffer.from("abd")],
  ])("are apart where the options differ in %s", (_, one, other) => {
    const [first, second] = idsOf(one, other);
    expect(second).not.toBe(first);
  });

  it("are shared when the options are equal, and only then, whatever they are made of", () => {
    const options = fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true, maxDepth: 2 });
    fc.assert(
      fc.property(options, options, (one, other) => {
        const [first, copy, second] = idsOf(one, structuredClone(one), other);
        expect(copy).toBe(first);
        expect(first === second).toBe(isDeepStrictEqual(one, other));
      }),
      { numRuns: 1_000 },
    );
  });

  it("know numbers by their value, whatever the engine made of them", () => {
    const make = (width: number): { width: number } => ({ width });
    const before = make(1);
    const recipes = new Recipes(() => undefined);
    const first = recipes.acquire(reference, before).id;
    // From the first fraction on, V8 keeps this field as a double.
    recipes.acquire(reference, make(0.5));
    expect(recipes.acquire(reference, make(1)).id).toBe(first);
  });

  describe("of shared memory", () => {
    const memory = new SharedArrayBuffer(16);

    it("know it by identity, not by its bytes", () => {
      const [first, same, other] = idsOf({ memory }, { memory }, { memory: new SharedArrayBuffer(16) });
      expect(same).toBe(first);
      expect(other).not.toBe(first);
    });

    it("tell the parts of it apart that views show", () => {
      const [head, tail, short] = idsOf(
        new Uint8Array(memory, 0, 8),
        new Uint8Array(memory, 8, 8),
        new Uint8Array(memory, 0, 4),
      );
      expect(new Set([head, tail, short]).size).toBe(3);
    });
  });

  it.each([
    ["a URL", { base: new URL("file:///x") }, /options\.base .*href/],
    ["a signal", { signal: new AbortController().signal }, /options\.signal is an AbortSignal/],
    ["a function", { callback: () => undefined }, /options\.callback is a function/],
    ["a URL as the options themselves", new URL("file:///x"), /options is a URL/],
    ["a URL further down", { paths: { base: new URL("file:///x") } }, /options\.paths\.base is a URL/],
    ["a URL in a list", { paths: [new URL("file:///x")] }, /options\.paths\[0\] is a URL/],
    // Its content can be seen, and yet it cannot be cloned.
    ["a proxy", new Proxy({ width: 1 }, {}), /options cannot travel to a thread: .*could not be cloned/],
    [
      "a getter that throws nothing",
      Object.defineProperty({}, "width", {
        enumerable: true,
        get: () => {
          // oxlint-disable-next-line typescript/only-throw-error -- it is what is tested
          throw undefined;
        },
      }),
      /options cannot travel to a thread: undefined was thrown/,
    ],
  ])("refuse %s, which would not arrive", (_, options, message) => {
    const recipes = new Recipes(() => undefined);
    expect(() => recipes.acquire(reference, options)).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT", message: expect.stringMatching(message) as string }),
    );
  });

  it("keep a copy: what the caller changes later does not reach threads that start later", () => {
    const options = { width: 256 };
    const recipe = new Recipes(() => undefined).acquire(reference, options);
    options.width = 1;
    expect(recipe.options).toEqual({ width: 256 });
  });

  it("are apart for another export and another module", () => {
    const recipes = new Recipes(() => undefined);
    const ids = [reference, { ...reference, exportName: "other" }, { ...reference, url: "file:///other.js" }].map(
      (one) => recipes.acquire(one, undefined).id,
    );
    expect(new Set(ids).size).toBe(3);
  });

  it("are forgotten, least recently used first, when more than 256 have no job", () => {
    const forgotten = vi.fn<(recipe: { options: unknown }) => void>();
    const recipes = new Recipes(forgotten);
    const held = recipes.acquire(reference, "held");
    for (let count = 0; count < 256; count++) recipes.release(recipes.acquire(reference, count));
    const names = (): unknown[] => forgotten.mock.calls.map(([recipe]) => recipe.options);
    expect(names()).toEqual([0]);
    recipes.release(held);
    expect(recipes.acquire(reference, "held").id).toBe(held.id);
    for (const options of [1, "new"]) recipes.release(recipes.acquire(reference, options));
    expect(names()).toEqual([0, 2]);
  });
});
