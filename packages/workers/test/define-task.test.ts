/** What `defineTask` refuses: people write JavaScript too. */
import { describe, expect, it } from "vitest";
import { defineTask, isTask } from "../src/index.js";

const item = (value: unknown): unknown => value;

describe("a definition", () => {
  it("becomes a task", () => {
    const teardown = (): void => undefined;
    expect(isTask(defineTask({ item, setup: item, teardown, concurrency: 2, maxBatchItems: 9, native: false }))).toBe(
      true,
    );
    expect(isTask(defineTask({ batch: (items) => items }))).toBe(true);
    expect(isTask(defineTask({ columns: () => undefined, output: Float64Array }))).toBe(true);
  });

  it.each<[string, object, RegExp]>([
    ["no handler", {}, /exactly one handler/],
    ["two handlers", { item, batch: item }, /exactly one handler/],
    ["a handler that is no function", { item: 5 }, /`item` must be a function/],
    ["a setup that is no function", { item, setup: {} }, /`setup` must be a function/],
    ["a misspelt name", { item, concurency: 4 }, /unknown `concurency`; known are item, batch, /],
    ["an option of `run`", { item, timeoutMs: 5 }, /unknown `timeoutMs`/],
    ["a concurrency that is none", { item, concurrency: "4" }, /`concurrency` must be a whole number above 0/],
    ["concurrency of a batch handler", { batch: item, concurrency: 4 }, /goes with `item`/],
    ["columns without their output", { columns: item }, /needs `output`/],
    ["native that is no boolean", { item, native: 1 }, /`native` must be true or false/],
  ])("is refused with %s", (_, definition, message) => {
    expect(() => defineTask(definition as Parameters<typeof defineTask>[0])).toThrow(message);
  });
});
