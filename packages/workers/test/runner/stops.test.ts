import { once } from "node:events";
import { ControlRow, STOPPED } from "@threadmill/protocol";
import { afterEach, describe, expect, it } from "vitest";
import type { ItemContext } from "../../src/context.js";
import { deferred } from "./deferred.js";
import { stage } from "./fixtures/stage.mjs";
import { ThreadAtHand } from "./thread-at-hand.js";

const entered = (name: string): Promise<ItemContext> => stage.entered(name) as Promise<ItemContext>;

afterEach(() => stage.clear());

const nothing = (batch: number): unknown[] => ["done", batch, 0, [], undefined, 0, 0];

describe("a batch that is stopped", () => {
  it("fires the signals of its handlers, and is answered with nothing when they have come back", async () => {
    await using thread = new ThreadAtHand();
    const batch = thread.batch(thread.introduce("alone"), ["a", "b"]);
    const { signal, ...rest } = spread(await entered("a"));
    expect([signal.aborted, rest.ctx.cancelled]).toEqual([false, false]);
    const fired = once(signal, "abort");
    thread.stop(batch);
    await fired;
    expect(signal.reason).toMatchObject({ name: "AbortError" });
    expect(rest.ctx.cancelled).toBe(true);
    expect(() => rest.ctx.throwIfCancelled()).toThrow(expect.objectContaining({ name: "AbortError" }));
    stage.fail("a", signal.reason);
    expect(await thread.done(batch)).toEqual(nothing(batch));
    expect(stage.names).toEqual([]);
  });

  it("is seen by a handler that looks only now, and has never asked for the signal before", async () => {
    await using thread = new ThreadAtHand();
    const batch = thread.batch(thread.introduce("alone"), ["a"]);
    const ctx = await entered("a");
    thread.stop(batch);
    expect(ctx.cancelled).toBe(true);
    expect(ctx.signal.aborted).toBe(true);
    stage.release("a");
    await thread.done(batch);
  });

  it("is left by a handler that computes at its next item", async () => {
    await using thread = new ThreadAtHand();
    const ran: unknown[] = [];
    let batch = 0;
    stage.act = (item) => {
      ran.push(item);
      if (item === "b") thread.stop(batch);
      return item as unknown;
    };
    batch = thread.batch(thread.introduce("scripted"), ["a", "b", "c", "d"]);
    expect(await thread.done(batch)).toEqual(nothing(batch));
    expect(ran).toEqual(["a", "b"]);
  });

  it("does not harm the batch behind it, nor one that comes later", async () => {
    await using thread = new ThreadAtHand();
    const recipe = thread.introduce("alone");
    const first = thread.batch(recipe, ["a"]);
    const second = thread.batch(recipe, ["b"]);
    await entered("a");
    thread.stop(first);
    stage.release("a");
    const ctx = await entered("b");
    expect([ctx.cancelled, ctx.signal.aborted]).toEqual([false, false]);
    stage.release("b");
    expect((await thread.done(second))[3]).toEqual(["b"]);
    const third = thread.batch(recipe, ["c"]);
    expect((await entered("c")).cancelled).toBe(false);
    stage.release("c");
    expect((await thread.done(third))[3]).toEqual(["c"]);
  });

  it("while it waits behind another is answered in its turn, and none of it is run", async () => {
    await using thread = new ThreadAtHand();
    const recipe = thread.introduce("alone");
    const first = thread.batch(recipe, ["a"]);
    const second = thread.batch(recipe, ["b"]);
    await entered("a");
    thread.stop(second);
    stage.release("a");
    expect((await thread.done(first))[3]).toEqual(["a"]);
    expect(await thread.done(second)).toEqual(nothing(second));
    expect(stage.names).toEqual([]);
  });

  it("leaves a handler behind that only waits, before its thread counts as stuck", async () => {
    await using thread = new ThreadAtHand({ graceMs: 20 });
    const recipe = thread.introduce("alone");
    const batch = thread.batch(recipe, ["a"]);
    const ctx = await entered("a");
    thread.stop(batch);
    // Nobody lets the handler go.
    expect(await thread.done(batch)).toEqual(nothing(batch));
    const next = thread.batch(recipe, ["b"]);
    await entered("b");
    // It comes back in the middle of another batch, and changes nothing there.
    stage.release("a", "late");
    ctx.detail("late");
    stage.release("b");
    expect((await thread.done(next))[3]).toEqual(["b"]);
    expect(thread.said.filter(([type]) => type === "detail")).toEqual([]);
    expect(thread.said.filter((message) => message[0] === "done" && message[1] === batch)).toHaveLength(1);
  });

  it("gives its lane up once: a handler that was left behind frees none when it comes back", async () => {
    await using thread = new ThreadAtHand({ graceMs: 20 });
    const recipe = thread.introduce("alone");
    const batch = thread.batch(recipe, ["a"]);
    await entered("a");
    thread.stop(batch);
    await thread.done(batch);
    const next = thread.batch(recipe, ["b", "c"]);
    await entered("b");
    stage.release("a");
    await new Promise((resolve) => setImmediate(resolve));
    expect(stage.names).toEqual(["b"]);
    stage.release("b");
    await entered("c");
    stage.release("c");
    expect((await thread.done(next))[3]).toEqual(["b", "c"]);
  });

  // The words of its batch in shared memory are those of a later one by then, which nobody has stopped.
  it.each([
    ["throwIfCancelled", (ctx: ItemContext): void => ctx.throwIfCancelled()],
    ["a signal that it asks for now", ({ signal }: ItemContext): void => signal.throwIfAborted()],
  ])("ends a handler that was left behind, when it looks at last: by %s", async (_, look) => {
    await using thread = new ThreadAtHand({ graceMs: 20 });
    const recipe = thread.introduce("alone");
    const batch = thread.batch(recipe, ["a"]);
    const ctx = await entered("a");
    thread.stop(batch);
    await thread.done(batch);
    thread.batch(recipe, []);
    const sameWords = thread.batch(recipe, ["b"]);
    await entered("b");
    expect(ctx.cancelled).toBe(true);
    expect(() => look(ctx)).toThrow(expect.objectContaining({ name: "AbortError" }));
    stage.release("b");
    expect((await thread.done(sameWords))[3]).toEqual(["b"]);
  });

  it("keeps its thread from being ended while a handler that was left behind is in native code", async () => {
    await using thread = new ThreadAtHand({ graceMs: 20 });
    const batch = thread.batch(thread.introduce("declaredNative"), ["a"]);
    await entered("a");
    thread.stop(batch);
    await thread.done(batch);
    expect(thread.control.state(ThreadAtHand.row)).toBe(2);
    stage.release("a");
    await new Promise((resolve) => setImmediate(resolve));
    expect(thread.control.state(ThreadAtHand.row)).toBe(0);
  });

  it("is held while its module is imported, which may compute for ever, and no setup begins for it", async () => {
    await using thread = new ThreadAtHand();
    let setups = 0;
    stage.setUp = () => {
      setups++;
    };
    const recipe = thread.introduce("equipped", undefined, "loads-late.mjs?held");
    const batch = thread.batch(recipe, ["a"]);
    await entered("module");
    thread.stop(batch);
    await new Promise((resolve) => setImmediate(resolve));
    thread.send(["which"]);
    expect((await thread.hears("held"))[1]).toEqual([batch]);
    stage.release("module");
    expect(await thread.done(batch)).toEqual(nothing(batch));
    expect(setups).toBe(0);
    expect((await thread.done(thread.batch(recipe, ["b"])))[3]).toEqual(["b"]);
    expect(setups).toBe(1);
  });

  it("is left behind by an import that takes too long, and no setup begins for nobody", async () => {
    await using thread = new ThreadAtHand({ graceMs: 20 });
    let setups = 0;
    stage.setUp = () => {
      setups++;
    };
    const recipe = thread.introduce("equipped", undefined, "loads-late.mjs");
    const batch = thread.batch(recipe, ["a"]);
    await entered("module");
    thread.stop(batch);
    expect(await thread.done(batch)).toEqual(nothing(batch));
    stage.release("module");
    await thread.hears("described");
    expect(setups).toBe(0);
    expect((await thread.done(thread.batch(recipe, ["b"])))[3]).toEqual(["b"]);
    expect(setups).toBe(1);
  });

  it("is answered during its setup, which goes on and serves the next batch", async () => {
    await using thread = new ThreadAtHand();
    const { promise, resolve } = deferred<string>();
    let setups = 0;
    const begun = new Promise<void>((tell) => {
      stage.setUp = () => {
        setups++;
        tell();
        return promise;
      };
    });
    const recipe = thread.introduce("equipped");
    const batch = thread.batch(recipe, ["a"]);
    await begun;
    thread.stop(batch);
    expect(await thread.done(batch)).toEqual(nothing(batch));
    resolve("model");
    stage.act = (_, ctx) => (ctx as ItemContext<string>).resource;
    expect((await thread.done(thread.batch(recipe, ["b"])))[3]).toEqual(["model"]);
    expect(setups).toBe(1);
  });
});

describe("a batch that comes while one that was stopped has not noticed it, during their setup", () => {
  it("waits for the same setup, whoever leaves", async () => {
    await using thread = new ThreadAtHand();
    const { promise, resolve } = deferred<string>();
    const begun = new Promise<void>((tell) => {
      stage.setUp = () => {
        tell();
        return promise;
      };
    });
    stage.act = (_, ctx) => (ctx as ItemContext<string>).resource;
    const recipe = thread.introduce("equipped");
    const stopped = thread.batch(recipe, ["a"]);
    await begun;
    // Without a word that would wake the thread.
    const row = new ControlRow(thread.control.buffer, ThreadAtHand.row, false);
    Atomics.store(row.words, row.limitAt(stopped), STOPPED);
    const next = thread.batch(recipe, ["b"]);
    thread.send(["which"]);
    expect((await thread.hears("held"))[1]).toEqual([stopped, next]);
    thread.stop(stopped);
    expect(await thread.done(stopped)).toEqual(nothing(stopped));
    resolve("model");
    expect((await thread.done(next))[3]).toEqual(["model"]);
  });
});

function spread(ctx: ItemContext): { signal: AbortSignal; ctx: ItemContext } {
  return { signal: ctx.signal, ctx };
}

describe("a call that takes too long", () => {
  it("fails as TASK_TIMEOUT while its handler waits, and its signal fires", async () => {
    await using thread = new ThreadAtHand();
    const batch = thread.batch(thread.introduce("alone"), ["a", "b"], { timeoutMs: 5 });
    const { signal } = await entered("a");
    const fired = once(signal, "abort");
    await fired;
    expect(signal.reason).toMatchObject({ code: "TASK_TIMEOUT" });
    // The lane is free for the next one, though the first has not come back.
    await entered("b");
    stage.release("b");
    const [, , claimed, values, failures] = await thread.done(batch);
    expect([claimed, values[0]]).toEqual([2, undefined]);
    expect(failures?.[0]).toMatchObject([0, "TASK_TIMEOUT", { code: "TASK_TIMEOUT" }]);
  });

  it("fails as TASK_TIMEOUT when its handler has computed, and it could see that itself", async () => {
    let time = 1;
    await using thread = new ThreadAtHand({ now: () => time });
    const seen: unknown[] = [];
    stage.act = (item, ctx: ItemContext) => {
      const before = ctx.cancelled;
      time += item === "slow" ? 11 : 9;
      seen.push([before, ctx.cancelled, ctx.signal.aborted]);
      return item as unknown;
    };
    const batch = thread.batch(thread.introduce("scripted"), ["quick", "slow", "quick"], { timeoutMs: 10 });
    const [, , claimed, values, failures] = await thread.done(batch);
    expect([claimed, values]).toEqual([3, ["quick", undefined, "quick"]]);
    expect(failures).toMatchObject([[1, "TASK_TIMEOUT", { code: "TASK_TIMEOUT" }]]);
    expect(seen).toEqual([
      [false, false, false],
      [false, true, true],
      [false, false, false],
    ]);
  });

  it.each([
    ["throws what it is told", (ctx: ItemContext): unknown => ctx.throwIfCancelled()],
    [
      "throws an error of its own",
      (): unknown => {
        throw new Error("no time");
      },
    ],
    ["returns a promise that is resolved", (): unknown => Promise.resolve("late")],
    ["returns a promise that is rejected", (): unknown => Promise.reject(new Error("no time"))],
  ])("fails as TASK_TIMEOUT, whatever the handler does when it has computed too long: it %s", async (_, end) => {
    let time = 1;
    await using thread = new ThreadAtHand({ now: () => time });
    stage.act = (__, ctx: ItemContext) => {
      time += 50;
      return end(ctx);
    };
    const batch = thread.batch(thread.introduce("scripted"), ["a"], { timeoutMs: 10 });
    const [, , , values, failures] = await thread.done(batch);
    expect(values).toEqual([undefined]);
    expect(failures).toMatchObject([[0, "TASK_TIMEOUT", { code: "TASK_TIMEOUT" }]]);
  });
});
