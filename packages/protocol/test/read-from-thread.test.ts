/** Whatever a thread sends is either a message of the protocol or nothing. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readFromThread } from "../src/index.js";

const record = { name: "Error", message: "no" };

const wellFormed: readonly (readonly unknown[])[] = [
  ["done", 1, 0, [], undefined, 0, 0],
  ["done", -2_147_483_648, 2, ["a", undefined], [[1, "TASK_FAILED", record]], 1.5, 0],
  ["done", 1, 2, new Float64Array(2), [[0, "unrun", undefined]], 0, 0],
  ["spoilt", 1, "TASK_FAILED", record, 3],
  ["broken", 1, "SETUP_FAILED", record],
  ["done", 1, 2, undefined, undefined, 0, 0],
  ["described", 1, "item", 4, 0, undefined],
  ["described", 1, "columns", 1, 0, "Float32Array"],
  ["detail", 1, { any: "thing" }],
  ["held", []],
  ["held", [1, 2]],
  ["unreadable"],
  ["closed"],
];

const malformed: Record<string, unknown> = {
  nothing: undefined,
  text: "done",
  "an object that looks like one": { 0: "closed", length: 1 },
  "an unknown kind": ["finished", 1],
  "a kind from the prototype": ["constructor"],
  "a batch that is no number": ["done", "1", 0, [], undefined, 0, 0],
  "a negative claim": ["done", 1, -1, [], undefined, 0, 0],
  "a fraction claimed": ["done", 1, 0.5, [], undefined, 0, 0],
  "NaN claimed": ["done", 1, Number.NaN, [], undefined, 0, 0],
  "too few values": ["done", 1, 2, ["a"], undefined, 0, 0],
  "too many values": ["done", 1, 0, ["a"], undefined, 0, 0],
  "values that are no column": ["done", 1, 1, "a", undefined, 0, 0],
  "values of another kind": ["done", 1, 1, new Uint8Array(1), undefined, 0, 0],
  "failures that are no list": ["done", 1, 1, ["a"], { length: 1 }, 0, 0],
  "a failure beyond the claim": ["done", 1, 1, ["a"], [[1, "TASK_FAILED", record]], 0, 0],
  "two failures of one position": [
    "done",
    1,
    1,
    ["a"],
    [
      [0, "unrun"],
      [0, "unrun"],
    ],
    0,
    0,
  ],
  "a failure without a reason": ["done", 1, 1, ["a"], [[0, "TASK_FAILED", undefined]], 0, 0],
  "a code that is none": ["done", 1, 1, ["a"], [[0, "toString", record]], 0, 0],
  "time that runs backwards": ["done", 1, 0, [], undefined, -1, 0],
  "no time for the answer": ["done", 1, 0, [], undefined, 0],
  "endless time": ["done", 1, 0, [], undefined, Infinity, 0],
  "a spoilt batch with a record without a message": ["spoilt", 1, "TASK_FAILED", {}, 0],
  "a broken task without a record": ["broken", 1, "SETUP_FAILED"],
  "a description of no kind": ["described", 1, "columns?", 1, 0],
  "a columns task with an output of no class": ["described", 1, "columns", 1, 0, "Array"],
  "a description without lanes": ["described", 1, "item", 0, 0],
  "a detail of no batch": ["detail", undefined, "x"],
  "held batches that are no numbers": ["held", ["1"]],
  "held batches that are no list": ["held", 1],
};

describe("reading what a thread sends", () => {
  it.each(wellFormed)("takes %j %j as it is", (...message) => {
    expect(readFromThread(message)).toBe(message);
  });

  it.each(Object.keys(malformed))("refuses %s", (name) => {
    expect(readFromThread(malformed[name])).toBeUndefined();
  });

  it("refuses lists with holes", () => {
    const holey = Array.from<unknown>({ length: 0 });
    holey.length = 1;
    expect(readFromThread(["done", 1, 1, [1], holey, 0, 0])).toBeUndefined();
    expect(readFromThread(["held", holey])).toBeUndefined();
    // Spread out to look at its items, this one filled the memory of the main thread: the process ended.
    holey.length = 2 ** 32 - 1;
    expect(readFromThread(["held", holey])).toBeUndefined();
  });

  it("refuses any part of a message that was changed into anything, or takes it as what it says", () => {
    const parts = fc.anything({ withTypedArray: true, withSparseArray: true, withBigInt: true });
    fc.assert(
      fc.property(fc.constantFrom(...wellFormed), fc.nat({ max: 5 }), parts, (message, at, part) => {
        const changed = message.with(at % message.length, part);
        const read = readFromThread(changed);
        expect(read === undefined || read === (changed as unknown)).toBe(true);
        if (read?.[0] !== "done") return;
        const [, , claimed, values, failures] = read;
        expect(values ?? { length: claimed }).toHaveLength(claimed);
        for (const [position] of failures ?? []) expect(position).toBeLessThan(claimed);
      }),
    );
  });
});
