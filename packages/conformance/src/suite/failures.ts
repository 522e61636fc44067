/** Sections 4 and 8: items that fail, and what becomes of their job. */
import { TaskError } from "@threadmill/engine";
import { describe, expect, test } from "vitest";
import { byIndex, collect, failure, range } from "../assertions.js";
import { addOne, echo, failAs, failOdd, final, flaky, hugeError, nested, uncloneable } from "../fixtures/index.js";
import { useKit } from "../leaks.js";
import type { Subject } from "../subject.js";

const RETRY = { attempts: 3, backoffMs: 1, jitter: 0 };

export function failuresSuite(subject: Subject): void {
  describe("failures", () => {
    const kit = useKit(subject);

    test("under fail the first one ends the job, and names item, job, attempt and cause", async () => {
      const engine = kit.engine();
      const handle = engine.run(failOdd, [0, 2, 5, 4], { id: "odd" });
      const error = await failure(handle.result, "TASK_FAILED");
      expect(error).toBeInstanceOf(TaskError);
      expect(error).toMatchObject({ index: 2, jobId: "odd", attempt: 1 });
      expect(error.message).toContain('item 2 of job "odd"');
      expect(error.cause).toBeInstanceOf(RangeError);
      expect((error.cause as Error).message).toBe("5 is odd");
      expect((error.cause as Error).stack).toContain("failOdd");
      expect(handle.state).toBe("failed");
    });

    test("under fail the engine goes on to work for others", async () => {
      const engine = kit.engine();
      const bad = engine.run(failOdd, range(1_000));
      const good = engine.run(addOne, range(1_000));
      await failure(bad.result, "TASK_FAILED");
      expect((await good.result).values).toHaveLength(1_000);
      expect(await engine.map(addOne, [1])).toEqual([2]);
    });

    test("under collect all of them are reported, by index, beside the values", async () => {
      const handle = kit.engine().run(failOdd, range(1_001), { onError: "collect" });
      const { values, failures, stats } = await handle.result;
      expect(handle.state).toBe("completed");
      expect(values).toEqual(range(1_001).map((value) => (value % 2 === 0 ? value : undefined)));
      expect(failures.map(({ index }) => index)).toEqual(range(500).map((at) => at * 2 + 1));
      expect(stats).toMatchObject({ items: 1_001, completed: 501, failed: 500 });
      for (const { index, error, attempt } of failures) {
        expect(error).toMatchObject({ index, attempt, code: "TASK_FAILED" });
        expect(attempt).toBe(1);
      }
    });

    test("under collect a loop gets failed outcomes among the others", async () => {
      const outcomes = byIndex(await collect(kit.engine().run(failOdd, range(100), { onError: "collect" })));
      expect(outcomes.map(({ status }) => status)).toEqual(
        range(100).map((value) => (value % 2 === 0 ? "completed" : "failed")),
      );
      const [, failed] = outcomes;
      expect(failed).toMatchObject({ index: 1, attempt: 1, error: { code: "TASK_FAILED", index: 1 } });
    });

    test("carry name, message, code and cause of what was thrown", async () => {
      const { cause } = (await failure(kit.engine().call(failAs, "coded"), "TASK_FAILED")) as { cause: unknown };
      expect(cause).toBeInstanceOf(TypeError);
      expect(cause).toMatchObject({ name: "TypeError", message: "with a code", code: "E_CODED" });
      expect((cause as Error).cause).toBeInstanceOf(RangeError);
    });

    test.each([
      ["error", "plain failure"],
      ["rejection", "rejected"],
      ["null", "null was thrown"],
      ["undefined", "undefined was thrown"],
      ["rejectsUndefined", "undefined was thrown"],
      ["zero", "0 was thrown"],
      ["empty", "was thrown"],
      ["object", "was thrown"],
    ] as const)("of a handler that throws (%s) fail that item and no other", async (how, message) => {
      const items = ["fine", how, "fine"] as const;
      const { values, failures } = await kit.engine().run(failAs, items, { onError: "collect" }).result;
      expect(values).toEqual(["fine", undefined, "fine"]);
      expect(failures.map(({ index }) => index)).toEqual([1]);
      expect(failures[0]?.error.message).toContain(message);
    });

    test("are bounded in size, whatever was thrown", async () => {
      const error = await failure(kit.engine().call(hugeError, 1_000_000), "TASK_FAILED");
      expect(error.message.length).toBeLessThan(2_000);
    });

    test.each(["function", "symbol", "deep"] as const)(
      "of a result that cannot be cloned (%s) fail that item and no other",
      async (how) => {
        const engine = kit.engine();
        const items = ["fine", how, "fine"] as const;
        const { values, failures } = await engine.run(uncloneable, items, { onError: "collect", batchSize: 3 }).result;
        expect(values).toEqual([{ how: "fine" }, undefined, { how: "fine" }]);
        expect(failures.map(({ index, error }) => [index, error.code])).toEqual([[1, "NOT_CLONEABLE"]]);
        expect(failures[0]?.error.message).toContain("item 1");
        expect(engine.stats()).toMatchObject({ threadsLost: 0 });
      },
    );

    test("of a result that can be written and not read settle all the same, and fail no other item", async () => {
      const engine = kit.engine();
      const items = [1, 5_000, 2];
      const { values, failures } = await engine.run(nested, items, { onError: "collect", batchSize: 3 }).result;
      expect([values[0], values[2]]).toEqual([["bottom"], [["bottom"]]]);
      // Newer versions of Node can read it.
      const outcome = failures.map(({ index, error }) => `${index} ${error.code}`).join();
      expect(["", "1 NOT_CLONEABLE"]).toContain(outcome);
      expect(engine.stats()).toMatchObject({ threadsLost: 0 });
    });

    test("of an item that cannot be cloned fail that item and no other", async () => {
      const engine = kit.engine();
      const items = [1, () => 2, 3, Symbol("four"), 5];
      const handle = engine.run(echo, items, { onError: "collect", batchSize: 5, retry: RETRY });
      const { values, failures } = await handle.result;
      expect(values).toEqual([1, undefined, 3, undefined, 5]);
      expect(failures.map(({ index, error }) => [index, error.code])).toEqual([
        [1, "NOT_CLONEABLE"],
        [3, "NOT_CLONEABLE"],
      ]);
      expect(failures[0]?.error.message).toContain("item 1");
    });

    test("under fail of an item that cannot be cloned end the job", async () => {
      expect(await failure(kit.engine().map(echo, [1, () => 2]), "NOT_CLONEABLE")).toMatchObject({ index: 1 });
    });

    test("are retried while attempts are left, and the outcome says how many it took", async () => {
      const items = range(50).map((value) => ({ value, succeedsAt: (value % 3) + 1 }));
      const handle = kit.engine().run(flaky, items, { retry: RETRY });
      const outcomes = byIndex(await collect(handle));
      expect(outcomes.map(({ attempt }) => attempt)).toEqual(items.map(({ succeedsAt }) => succeedsAt));
      const { values, stats } = await handle.result;
      expect(values).toEqual(items.map(({ value, succeedsAt }) => `${value} at attempt ${succeedsAt}`));
      expect(stats.retries).toBe(items.reduce((sum, { succeedsAt }) => sum + succeedsAt - 1, 0));
    });

    test("are final when the attempts are used up, and name the last attempt", async () => {
      const items = [
        { value: 0, succeedsAt: 9 },
        { value: 1, succeedsAt: 1 },
      ];
      const { failures } = await kit.engine().run(flaky, items, { retry: RETRY, onError: "collect" }).result;
      expect(failures).toHaveLength(1);
      expect(failures[0]).toMatchObject({ index: 0, attempt: 3, error: { attempt: 3, code: "TASK_FAILED" } });
      expect(failures[0]?.error.message).toContain("attempt 3 of 0");
    });

    test("that a handler calls final are not retried", async () => {
      const error = await failure(kit.engine().run(final, [1], { retry: RETRY }).result, "TASK_FAILED");
      expect(error.attempt).toBe(1);
      expect(error.message).toContain("final at attempt 1");
    });

    test("tell listeners of each retry: which item, which attempt is next, and after what wait", async () => {
      const handle = kit.engine().run(flaky, [{ value: 0, succeedsAt: 4 }], {
        retry: { attempts: 4, backoffMs: 2, maxBackoffMs: 4, jitter: 0 },
      });
      const retries: unknown[] = [];
      handle.on("retry", (retry) => retries.push(retry));
      await handle.result;
      expect(retries).toEqual([
        { index: 0, attempt: 2, delayMs: 2 },
        { index: 0, attempt: 3, delayMs: 4 },
        { index: 0, attempt: 4, delayMs: 4 },
      ]);
    });

    test("do not stop the other items of the batch while they wait for their retry", async () => {
      const items = range(200).map((value) => ({ value, succeedsAt: value === 7 ? 3 : 1 }));
      const { values } = await kit.engine().run(flaky, items, { retry: RETRY, ordered: true }).result;
      expect(values).toHaveLength(200);
      expect(values[7]).toBe("7 at attempt 3");
    });

    test("an uncloneable result is not run again", async () => {
      const error = await failure(
        kit.engine().run(uncloneable, ["function"], { retry: RETRY }).result,
        "NOT_CLONEABLE",
      );
      expect(error.attempt).toBe(1);
    });
  });
}
