import { describe, expect, it } from "vitest";
import { estimateBytes } from "../src/estimate-bytes.js";

describe("the estimate of a value's bytes", () => {
  it.each([
    ["a number", 1.5, 8],
    ["nothing", undefined, 8],
    ["a Latin-1 text of 1,000 characters", "é".repeat(1_000), 1_000],
    ["another text of 1,000 characters", "字".repeat(1_000), 2_000],
    ["1,000 bytes", new Uint8Array(1_000), 1_000],
    ["an ArrayBuffer of 1,000 bytes", new ArrayBuffer(1_000), 1_000],
    ["shared memory of 1,000 bytes", new SharedArrayBuffer(1_000), 1_000],
    ["1,000 numbers", Array.from({ length: 1_000 }, (_, at) => at / 2), 8_000],
    ["a Map of texts", new Map([["key", "x".repeat(1_000)]]), 1_000],
    ["a Set of texts", new Set(["x".repeat(1_000)]), 1_000],
    ["what lies deep", { a: [{ b: "x".repeat(1_000) }] }, 1_000],
    ["an error with its message", new Error("x".repeat(1_000)), 1_000],
    ["a big integer", 1n << 8_000n, 1_000],
  ])("comes near to what it holds: %s", (_, value, bytes) => {
    const estimate = estimateBytes(value);
    expect(estimate).toBeGreaterThanOrEqual(bytes);
    // Headers of objects, keys and, for an error, its stack, which repeats the message.
    expect(estimate).toBeLessThanOrEqual(bytes * (value instanceof Error ? 4 : 1) + 250);
  });

  it("counts a view with all of the buffer that it keeps alive, once", () => {
    const buffer = new ArrayBuffer(10_000);
    const views = [new Uint8Array(buffer, 0, 1), new Uint8Array(buffer, 1, 1)];
    expect(estimateBytes(views)).toBeGreaterThan(10_000);
    expect(estimateBytes(views)).toBeLessThan(11_000);
  });

  it("counts what is shared once, and comes to an end for a value that holds itself", () => {
    const part = { text: "x".repeat(1_000) };
    const self: Record<string, unknown> = { part, again: part };
    self["self"] = self;
    expect(estimateBytes(self)).toBeLessThan(1_500);
  });

  it("looks at a sample of a long array, spread over all of it", () => {
    const looked = new Set<number>();
    const list = Array.from({ length: 10_000 }, () => "");
    for (let at = 0; at < list.length; at++) {
      Object.defineProperty(list, at, {
        get: () => {
          looked.add(at);
          return `${at}`.padStart(100, "x");
        },
      });
    }
    const estimate = estimateBytes(list);
    expect(looked.size).toBeLessThanOrEqual(256);
    expect(Math.max(...looked)).toBeGreaterThan(9_900);
    expect(estimate).toBeGreaterThan(10_000 * 100);
    expect(estimate).toBeLessThan(10_000 * 200);
  });

  it("is not led astray by a few large ones at the start", () => {
    const items = Array.from({ length: 10_000 }, (_, at) => (at < 10 ? "x".repeat(10_000) : "x"));
    expect(estimateBytes(items)).toBeLessThan(1_000_000);
  });

  it("may be that of an empty list", () => {
    expect(estimateBytes([])).toBe(40);
  });

  it("looks into values that are nested deeper than the call stack", () => {
    let nested: unknown = "x".repeat(1_000);
    for (let level = 0; level < 200_000; level++) nested = [nested];
    expect(estimateBytes(nested)).toBeGreaterThan(200_000 * 24 + 1_000);
  });

  it("calls no getter and no trap, and is not stopped by what does not want to be looked at", () => {
    let calls = 0;
    const refuse = (): never => {
      calls++;
      throw new Error("looked at");
    };
    const trap = new Proxy(
      {},
      { get: refuse, ownKeys: refuse, getPrototypeOf: refuse, getOwnPropertyDescriptor: refuse },
    );
    const hostile = {
      get text(): string {
        return refuse();
      },
      trap,
      list: [trap, new Proxy([1, 2, 3], { get: refuse })],
      error: Object.defineProperty(new Error("a"), "message", { get: refuse }),
      odd: Object.defineProperty(new Map([["a", 1]]), "size", { value: "many" }),
      none: Object.create(null) as object,
      text2: "x".repeat(1_000),
    };
    const estimate = estimateBytes(hostile);
    expect(calls).toBe(0);
    expect(estimate).toBeGreaterThan(1_000);
    expect(estimate).toBeLessThan(3_000);
  });

  it("does not take the pool of small Buffers for each of them, and takes a large one for what it is", () => {
    const small = Array.from({ length: 100 }, () => Buffer.from("x".repeat(100)));
    expect(estimateBytes(small)).toBeLessThan(100 * 300);
    expect(estimateBytes(Buffer.alloc(100_000).subarray(0, 1))).toBeGreaterThan(100_000);
  });
});
