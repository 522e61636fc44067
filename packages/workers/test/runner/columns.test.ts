import type { SharedColumns } from "@threadmill/protocol";
import { afterEach, describe, expect, it } from "vitest";
import type { ColumnsContext } from "../../src/context.js";
import { stage } from "./fixtures/stage.mjs";
import { type Message, ThreadAtHand } from "./thread-at-hand.js";

/** What the columns handler does, with types. */
function actOn(act: (input: Float64Array, output: Float64Array, ctx: ColumnsContext) => void): void {
  stage.actOn = act;
}

/** An input that counts from 0, and an output of zeros. */
function columnsOf(length: number): SharedColumns & { readonly output: Float64Array } {
  const shared = (): Float64Array => new Float64Array(new SharedArrayBuffer(length * 8));
  return { input: shared().map((_, at) => at), output: shared() };
}

async function doneOf(thread: ThreadAtHand, batch: number): Promise<Message<"done">> {
  const answer = await thread.answer(batch);
  expect(answer[0]).toBe("done");
  return answer as Message<"done">;
}

afterEach(() => stage.clear());

describe("a columns handler", () => {
  it("is described with the class of its output", async () => {
    await using thread = new ThreadAtHand();
    await doneOf(thread, thread.columns(thread.introduce("scriptedColumns"), columnsOf(1), 1));
    expect((await thread.hears("described")).slice(2)).toEqual(["columns", 1, 0, "Float64Array"]);
  });

  it("gets its range in pieces that follow one another, and answers without values", async () => {
    await using thread = new ThreadAtHand();
    const columns = columnsOf(100_000);
    const pieces: number[][] = [];
    actOn((input, output, { index }) => {
      pieces.push([index, input.length]);
      output.set(input);
    });
    const batch = thread.columns(thread.introduce("scriptedColumns"), columns, 60_000, { indices: 1_000 });
    const [, , claimed, values, failures] = await doneOf(thread, batch);
    expect({ claimed, values, failures }).toEqual({ claimed: 60_000, values: undefined, failures: undefined });
    let next = 1_000;
    for (const [index, length] of pieces) {
      expect(index).toBe(next);
      expect(length).toBeLessThanOrEqual(16_384);
      next += length as number;
    }
    expect(pieces.length).toBeGreaterThanOrEqual(8);
    expect(columns.output.subarray(1_000, 61_000)).toEqual(
      Float64Array.from({ length: 60_000 }, (_, at) => at + 1_000),
    );
    expect([columns.output[999], columns.output[61_000]]).toEqual([0, 0]);
  });

  it("gets single elements as the runs that they form", async () => {
    await using thread = new ThreadAtHand();
    const pieces: (readonly [number, number, number])[] = [];
    actOn((input, _, { index, attempt }) => pieces.push([index, input.length, attempt]));
    const indices = [3, 4, 9, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32];
    const attempts = indices.map((index) => (index === 9 ? 3 : 2));
    const batch = thread.columns(thread.introduce("scriptedColumns"), columnsOf(40), 16, { indices, attempts });
    expect((await doneOf(thread, batch))[2]).toBe(16);
    expect(pieces.slice(0, 3)).toEqual([
      [3, 2, 2],
      [9, 1, 3],
      [20, 2, 2],
    ]);
  });

  it("stops at the end of its piece when the rest is taken back, and says how far it came", async () => {
    await using thread = new ThreadAtHand();
    const columns = columnsOf(1_000);
    let from = Infinity;
    actOn((input, output, { index }) => {
      output.set(input);
      if (index > 0 && from === Infinity) from = thread.control.revoke(ThreadAtHand.row, batch, 0);
    });
    const batch = thread.columns(thread.introduce("scriptedColumns"), columns, 1_000);
    const [, , claimed] = await doneOf(thread, batch);
    expect(claimed).toBe(from);
    expect(claimed).toBeLessThan(1_000);
    expect(columns.output.findIndex((value, at) => at > 0 && value === 0)).toBe(claimed);
  });

  it("runs nothing more when the batch is stopped", async () => {
    await using thread = new ThreadAtHand();
    let calls = 0;
    actOn((_input, _output, ctx) => {
      calls++;
      thread.stop(batch);
      expect(ctx.cancelled).toBe(true);
      expect(() => ctx.throwIfCancelled()).toThrow(DOMException);
    });
    const batch = thread.columns(thread.introduce("scriptedColumns"), columnsOf(1_000), 1_000);
    expect((await doneOf(thread, batch)).slice(2, 5)).toEqual([0, [], undefined]);
    expect(calls).toBe(1);
  });

  it("that throws spoils its batch", async () => {
    await using thread = new ThreadAtHand();
    actOn((_input, _output, { index }) => {
      if (index > 0) throw new RangeError("too far");
    });
    const answer = await thread.answer(thread.columns(thread.introduce("scriptedColumns"), columnsOf(100), 100));
    expect(answer.slice(0, 4)).toMatchObject(["spoilt", 1, "TASK_FAILED", { name: "RangeError", message: "too far" }]);
  });

  // The rejection of a promise that nobody waits for ends a thread, and inline the process.
  it("that returns a promise spoils its batch, and a rejection harms nobody", async () => {
    await using thread = new ThreadAtHand();
    const rejections: unknown[] = [];
    const note = (reason: unknown): void => void rejections.push(reason);
    process.on("unhandledRejection", note);
    // oxlint-disable-next-line typescript/no-misused-promises -- it is what is tested
    actOn(() => Promise.reject(new Error("late")));
    const answer = await thread.answer(thread.columns(thread.introduce("scriptedColumns"), columnsOf(1), 1));
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", note);
    expect(answer.slice(0, 4)).toMatchObject(["spoilt", 1, "TASK_FAILED", { name: "TypeError" }]);
    expect(rejections).toEqual([]);
  });

  it("that takes too long spoils its batch, though it comes back", async () => {
    let now = 1;
    await using thread = new ThreadAtHand({ now: () => now });
    actOn((_input, _output, ctx) => {
      now += 20;
      expect(ctx.cancelled).toBe(true);
    });
    const batch = thread.columns(thread.introduce("scriptedColumns"), columnsOf(8), 8, { timeoutMs: 10 });
    expect((await thread.answer(batch)).slice(0, 3)).toEqual(["spoilt", batch, "TASK_TIMEOUT"]);
  });

  it("leaves a batch alone that came without columns: nobody knew yet what it is", async () => {
    await using thread = new ThreadAtHand();
    actOn(() => expect.unreachable());
    expect((await thread.done(thread.batch(thread.introduce("scriptedColumns"), [1]))).slice(2, 4)).toEqual([0, []]);
  });
});
