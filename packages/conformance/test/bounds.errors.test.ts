/** Whatever a handler throws, the error that a caller gets is one of ours, readable and small. */
import { TaskError, createEngine } from "@threadmill/engine";
import { describe, expect, test } from "vitest";
import { failure } from "../src/assertions.js";
import { BAD_ERRORS, makeBadError } from "../src/bounds/bad-errors.js";
import { doubled, failsBadly, hugeFunction, rejectsBadly, setsUpBadly, throwsBadly } from "../src/bounds/references.js";
import { useKit } from "../src/leaks.js";

/** All text of one error with its causes: a few records of a message and a stack each. */
const MOST_TEXT = 100_000;
const MOST_MESSAGE = 2_500;
const MOST_CAUSES = 8;

const kit = useKit({
  createEngine: (options) => createEngine({ threads: 1, ...options }),
  slots: 1,
  lacks: {},
  engineOptions: { threads: 1 },
});

/** That every text in the error is there, and bounded. */
function expectBounded(error: unknown, what: string): void {
  expect(error, `error ${what}`).toBeInstanceOf(TaskError);
  let text = 0;
  let depth = 0;
  for (let at: unknown = error; at !== undefined; at = (at as Error).cause) {
    expect(at, `error ${what}`).toBeInstanceOf(Error);
    const { name, message, stack, code, ...rest } = at as Error & { code?: unknown };
    for (const part of [name, message, stack]) expect(typeof part, `error ${what}`).toBe("string");
    expect(message.length, `error ${what}`).toBeLessThanOrEqual(MOST_MESSAGE);
    // What else an error carries has names of ours: index, attempt, job.
    text += name.length + message.length + (stack?.length ?? 0) + String(code).length + JSON.stringify(rest).length;
    depth++;
    expect(depth, `error ${what}`).toBeLessThanOrEqual(MOST_CAUSES);
  }
  expect(text, `error ${what}`).toBeLessThanOrEqual(MOST_TEXT);
}

describe("an error of any make", () => {
  test("that is thrown fails its item, and no other, with bounded text", async () => {
    const engine = kit.engine();
    const items = BAD_ERRORS.flatMap((which) => ["fine", which] as const);
    const { values, failures } = await engine.run(throwsBadly, items, { onError: "collect" }).result;
    expect(values).toEqual(items.map((item) => (item === "fine" ? item : undefined)));
    expect(failures.map(({ index, error }) => [items[index], error.code])).toEqual(
      BAD_ERRORS.map((which) => [which, "TASK_FAILED"]),
    );
    for (const { index, error } of failures) expectBounded(error, `${items[index]}, thrown`);
  });

  test("that a promise rejects with, or that is given to ctx.fail, fails the item with bounded text", async () => {
    const engine = kit.engine();
    for (const which of BAD_ERRORS) {
      expectBounded(await failure(engine.call(rejectsBadly, which), "TASK_FAILED"), `${which}, rejected with`);
      expectBounded(await failure(engine.call(failsBadly, which), "TASK_FAILED"), `${which}, given to ctx.fail`);
    }
    expect(engine.stats().threadsLost).toBe(0);
  });

  test("that a setup throws fails the job with bounded text", async () => {
    const engine = kit.engine();
    for (const which of BAD_ERRORS) {
      expectBounded(await failure(engine.call(setsUpBadly, 1, { options: which }), "SETUP_FAILED"), which);
    }
    expect(await engine.call(doubled, 1)).toBe(2);
  });

  test("that a source throws fails the job; the error itself is the cause, its text is bounded", async () => {
    const engine = kit.engine();
    for (const which of BAD_ERRORS) {
      const thrown = makeBadError(which);
      const source = function* (): Generator<number> {
        yield 1;
        throw thrown as Error;
      };
      const error = await failure(engine.run(doubled, source()).result, "SOURCE_FAILED");
      expect(error.message.length, `error ${which}`).toBeLessThanOrEqual(MOST_MESSAGE);
      // Not compared by a matcher, which would look into it.
      expect(Object.is(error.cause, thrown), `error ${which}`).toBe(true);
    }
    expect(await engine.call(doubled, 1)).toBe(2);
  });
});

describe("what cannot travel", () => {
  test("is named with bounded text, though the platform's own error quotes all of it", async () => {
    const engine = kit.engine();
    expectBounded(await failure(engine.call(hugeFunction, 1_000_000), "NOT_CLONEABLE"), "a result");
    const huge: unknown = Object.assign(() => undefined, { toString: () => "x".repeat(1_000_000) });
    expectBounded(await failure(engine.call(doubled, huge as number), "NOT_CLONEABLE"), "an item");
    expect(await engine.call(doubled, 1)).toBe(2);
  });
});
