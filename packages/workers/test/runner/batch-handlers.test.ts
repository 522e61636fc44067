import { afterEach, describe, expect, it } from "vitest";
import type { BatchContext } from "../../src/context.js";
import { deferred } from "./deferred.js";
import { stage } from "./fixtures/stage.mjs";
import { ThreadAtHand } from "./thread-at-hand.js";

/** What the batch handler does, with types. */
function actAll(act: (items: unknown[], ctx: BatchContext) => unknown): void {
  stage.actAll = act;
}

afterEach(() => stage.clear());

describe("a batch handler", () => {
  it("gets all items at once and answers with as many values", async () => {
    await using thread = new ThreadAtHand();
    actAll((items) => items.map((item) => (item as number) + 1));
    const [, , claimed, values, failures] = await thread.done(thread.batch(thread.introduce("scriptedBatch"), [1, 2]));
    expect({ claimed, values, failures }).toEqual({ claimed: 2, values: [2, 3], failures: undefined });
  });

  it.each([
    ["too few results", (): unknown => [1], /1 results for 2 items/],
    ["no array", (): unknown => "ab", /no array \(string\) for 2 items/],
    ["nothing", (): unknown => undefined, /no array \(undefined\)/],
  ])("that answers with %s spoils its batch", async (_, act, message) => {
    await using thread = new ThreadAtHand();
    actAll(act);
    const answer = await thread.answer(thread.batch(thread.introduce("scriptedBatch"), [1, 2]));
    expect(answer.slice(0, 4)).toMatchObject(["spoilt", 1, "TASK_FAILED", { name: "TypeError" }]);
    expect((answer[3] as { message: string }).message).toMatch(message);
  });

  it.each([
    [
      "throws",
      (): unknown => {
        throw new RangeError("no");
      },
    ],
    ["rejects", (): unknown => Promise.reject(new RangeError("no"))],
  ])("that %s spoils its batch", async (_, act) => {
    await using thread = new ThreadAtHand();
    actAll(act);
    const answer = await thread.answer(thread.batch(thread.introduce("scriptedBatch"), [1, 2]));
    expect(answer.slice(0, 4)).toMatchObject(["spoilt", 1, "TASK_FAILED", { name: "RangeError", message: "no" }]);
  });

  // Outside of any try: the thread died of it.
  it.each([
    ["at once", (unreadable: unknown): unknown => unreadable],
    ["later", (unreadable: unknown): unknown => Promise.resolve(unreadable)],
  ])("that answers %s with an array that cannot be read spoils its batch", async (_, answerWith) => {
    await using thread = new ThreadAtHand();
    const unreadable = new Proxy([1, 2], {
      get: (_target, key) => {
        if (key === "then") return undefined;
        throw new RangeError("do not look");
      },
    });
    actAll(() => answerWith(unreadable));
    const answer = await thread.answer(thread.batch(thread.introduce("scriptedBatch"), [1, 2]));
    expect(answer.slice(0, 4)).toMatchObject(["spoilt", 1, "TASK_FAILED", { name: "RangeError" }]);
  });

  it("can fail single items, whose results are ignored", async () => {
    await using thread = new ThreadAtHand();
    actAll((items, ctx) => {
      ctx.fail(1, new RangeError("only this one"));
      return items;
    });
    const answer = await thread.done(thread.batch(thread.introduce("scriptedBatch"), ["a", "b", "c"]));
    expect(answer[4]).toMatchObject([[1, "TASK_FAILED", { name: "RangeError", message: "only this one" }]]);
  });

  it("fails an item once, however often it says so: a fault that comes twice would be counted twice", async () => {
    await using thread = new ThreadAtHand();
    actAll((items, ctx) => {
      ctx.fail(0, new Error("first"));
      ctx.fail(0, new Error("second"));
      return items;
    });
    const answer = await thread.done(thread.batch(thread.introduce("scriptedBatch"), ["a", "b"]));
    expect(answer[4]?.map(([position]) => position)).toEqual([0]);
  });

  it("fails an item once whose ignored result cannot travel either", async () => {
    await using thread = new ThreadAtHand();
    actAll((_, ctx) => {
      ctx.fail(0, new Error("first"));
      return [() => undefined, "b"];
    });
    const answer = await thread.done(thread.batch(thread.introduce("scriptedBatch"), ["a", "b"]));
    expect(answer[4]).toMatchObject([[0, "TASK_FAILED", { message: "first" }]]);
    expect(answer[3][1]).toBe("b");
  });

  it("is refused a position outside of its batch", async () => {
    await using thread = new ThreadAtHand();
    actAll((items, ctx) => {
      ctx.fail(2, new Error("where?"));
      return items;
    });
    const answer = await thread.answer(thread.batch(thread.introduce("scriptedBatch"), ["a", "b"]));
    expect(answer.slice(0, 4)).toMatchObject(["spoilt", 1, "TASK_FAILED", { name: "RangeError" }]);
  });

  it("is told the indices and attempts of its items", async () => {
    await using thread = new ThreadAtHand();
    actAll((_, ctx) => [ctx.indices, ctx.attempts]);
    const batch = thread.batch(thread.introduce("scriptedBatch"), ["a", "b"], { indices: [7, 9], attempts: [1, 3] });
    expect((await thread.done(batch))[3]).toEqual([
      [7, 9],
      [1, 3],
    ]);
  });

  it("gets only what has not been taken back", async () => {
    await using thread = new ThreadAtHand();
    const recipe = thread.introduce("scriptedBatch");
    const batch = thread.batch(recipe, ["a", "b", "c", "d"]);
    expect(thread.control.revoke(ThreadAtHand.row, batch, 0.5)).toBe(2);
    const [, , claimed, values] = await thread.done(batch);
    expect({ claimed, values }).toEqual({ claimed: 2, values: ["a", "b"] });
  });

  it("that takes too long spoils its batch as TASK_TIMEOUT, and its signal fires", async () => {
    await using thread = new ThreadAtHand();
    let reason: Error | undefined;
    actAll(
      (_, ctx) =>
        new Promise((_resolve, reject) => {
          ctx.signal.addEventListener("abort", () => {
            reason = ctx.signal.reason as Error;
            reject(reason);
          });
        }),
    );
    const answer = await thread.answer(thread.batch(thread.introduce("scriptedBatch"), ["a", "b"], { timeoutMs: 5 }));
    expect(answer.slice(0, 4)).toMatchObject(["spoilt", 1, "TASK_TIMEOUT", { code: "TASK_TIMEOUT" }]);
    expect(reason).toMatchObject({ code: "TASK_TIMEOUT" });
  });

  it("that throws after it has computed too long spoils its batch as TASK_TIMEOUT", async () => {
    let time = 1;
    await using thread = new ThreadAtHand({ now: () => time });
    actAll((_, ctx) => {
      time += 50;
      ctx.throwIfCancelled();
    });
    const answer = await thread.answer(thread.batch(thread.introduce("scriptedBatch"), ["a", "b"], { timeoutMs: 10 }));
    expect(answer.slice(0, 4)).toMatchObject(["spoilt", 1, "TASK_TIMEOUT", { code: "TASK_TIMEOUT" }]);
  });

  it("runs with no other call beside it, and none begins before it has ended", async () => {
    await using thread = new ThreadAtHand();
    const { promise, resolve } = deferred<unknown[]>();
    const calls: unknown[] = [];
    const begun = new Promise<void>((tell) => {
      actAll((items) => {
        calls.push(items);
        tell();
        return items[0] === "a" ? promise : items;
      });
    });
    const recipe = thread.introduce("scriptedBatch");
    const batches = [thread.batch(recipe, ["a"]), thread.batch(recipe, ["b"])];
    await begun;
    thread.send(["which"]);
    expect((await thread.hears("held"))[1]).toEqual(batches);
    expect(calls).toEqual([["a"]]);
    resolve(["a"]);
    await thread.done(batches[1]!);
    expect(calls).toEqual([["a"], ["b"]]);
  });
});
