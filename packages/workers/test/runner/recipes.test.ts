import { MessageChannel } from "node:worker_threads";
import { ControlBlock, PROTOCOL_VERSION } from "@threadmill/protocol";
import { afterEach, describe, expect, it } from "vitest";
import type { ItemContext } from "../../src/context.js";
import { startRunner } from "../../src/runner/index.js";
import { deferred } from "./deferred.js";
import { stage } from "./fixtures/stage.mjs";
import { ThreadAtHand } from "./thread-at-hand.js";

afterEach(() => stage.clear());

describe("a task that cannot be had", () => {
  it.each([
    ["its module throws", "any", "broken.mjs", "TASK_LOAD_FAILED", /broken\.mjs: no model in this module/],
    ["its module is not there", "any", "nowhere.mjs", "TASK_LOAD_FAILED", /cannot load the task module .*nowhere\.mjs/],
    ["its export is not there", "dubble", "tasks.mjs", "TASK_NOT_FOUND", /no export "dubble"; it exports .*"double"/],
    ["its export is no task", "notATask", "tasks.mjs", "TASK_NOT_FOUND", /neither a function nor made by defineTask/],
  ])("breaks its batch by name: %s", async (_, exportName, file, code, message) => {
    await using thread = new ThreadAtHand();
    const answer = await thread.answer(thread.batch(thread.introduce(exportName, undefined, file), ["a"]));
    expect(answer.slice(0, 3)).toEqual(["broken", 1, code]);
    expect((answer[3] as { message: string }).message).toMatch(message);
  });

  it("breaks its batch when the thread was never told of it", async () => {
    await using thread = new ThreadAtHand();
    const answer = await thread.answer(thread.batch(77, ["a"]));
    expect(answer.slice(0, 3)).toEqual(["broken", 1, "PROTOCOL_MISMATCH"]);
  });

  it("does not harm the batch behind it", async () => {
    await using thread = new ThreadAtHand();
    const broken = thread.introduce("any", undefined, "broken.mjs");
    const good = thread.introduce("double");
    const batches = [thread.batch(broken, ["a"]), thread.batch(good, [2])];
    expect((await thread.answer(batches[0]!))[0]).toBe("broken");
    expect((await thread.done(batches[1]!))[3]).toEqual([4]);
  });

  it("leaves the thread idle", async () => {
    await using thread = new ThreadAtHand();
    await thread.answer(thread.batch(thread.introduce("any", undefined, "broken.mjs"), ["a"]));
    expect(thread.control.state(ThreadAtHand.row)).toBe(0);
  });
});

describe("a setup", () => {
  it("runs once for all batches of its recipe, and its resource is there for each item", async () => {
    await using thread = new ThreadAtHand();
    let setups = 0;
    stage.setUp = (options) => ({ options: options as unknown, number: ++setups });
    stage.act = (_, ctx: ItemContext<unknown>) => ctx.resource;
    const recipe = thread.introduce("equipped", "small");
    const batches = [thread.batch(recipe, ["a"]), thread.batch(recipe, ["b"])];
    for (const batch of batches) {
      expect((await thread.done(batch))[3]).toEqual([{ options: "small", number: 1 }]);
    }
  });

  it.each([
    [undefined, /failed: no model \(it was given no options\)$/],
    [{ model: "small" }, /failed: no model$/],
  ])("that fails says whether it had options: %o", async (options, message) => {
    await using thread = new ThreadAtHand();
    stage.setUp = () => Promise.reject(new Error("no model"));
    const answer = await thread.answer(thread.batch(thread.introduce("equipped", options), ["a"]));
    expect((answer[3] as { message: string }).message).toMatch(message);
  });

  it("that fails breaks its batch, and is tried again by the next one", async () => {
    await using thread = new ThreadAtHand();
    stage.setUp = () => Promise.reject(new RangeError("out of memory"));
    const recipe = thread.introduce("equipped");
    const answer = await thread.answer(thread.batch(recipe, ["a"]));
    expect(answer).toMatchObject(["broken", 1, "SETUP_FAILED", { cause: { name: "RangeError" } }]);
    stage.setUp = () => "model";
    stage.act = (_, ctx: ItemContext<unknown>) => ctx.resource;
    expect((await thread.done(thread.batch(recipe, ["a"])))[3]).toEqual(["model"]);
  });

  it("of two recipes with one task makes a resource for each", async () => {
    await using thread = new ThreadAtHand();
    stage.setUp = (options) => `model for ${String(options)}`;
    stage.act = (_, ctx: ItemContext<unknown>) => ctx.resource;
    const recipes = [thread.introduce("equipped", "a"), thread.introduce("equipped", "b")];
    const values = [];
    for (const recipe of recipes) values.push((await thread.done(thread.batch(recipe, [1])))[3][0]);
    expect(values).toEqual(["model for a", "model for b"]);
  });
});

describe("a resource", () => {
  it("is torn down when its recipe is forgotten", async () => {
    await using thread = new ThreadAtHand();
    const recipe = thread.introduce("equipped", "model");
    await thread.done(thread.batch(recipe, ["a"]));
    thread.send(["forget", recipe]);
    await thread.close();
    expect(stage.tornDown).toEqual(["model"]);
  });

  it("is kept for the batches that use it, though its recipe is forgotten", async () => {
    await using thread = new ThreadAtHand();
    const recipe = thread.introduce("equipped", "model");
    const { promise, resolve } = deferred<string>();
    const begun = new Promise<void>((tell) => {
      stage.act = () => {
        tell();
        return promise;
      };
    });
    const batch = thread.batch(recipe, ["a"]);
    await begun;
    thread.send(["forget", recipe]);
    thread.send(["which"]);
    await thread.hears("held");
    expect(stage.tornDown).toEqual([]);
    resolve("done");
    expect((await thread.done(batch))[3]).toEqual(["done"]);
    await thread.close();
    expect(stage.tornDown).toEqual(["model"]);
  });

  it("is made anew when its task is introduced again", async () => {
    await using thread = new ThreadAtHand();
    let setups = 0;
    stage.setUp = () => ++setups;
    stage.act = (_, ctx: ItemContext<unknown>) => ctx.resource;
    const first = thread.introduce("equipped");
    await thread.done(thread.batch(first, ["a"]));
    thread.send(["forget", first]);
    expect((await thread.done(thread.batch(thread.introduce("equipped"), ["a"])))[3]).toEqual([2]);
  });

  it("is torn down when the thread closes, all of them, also if one of them cannot be", async () => {
    const thread = new ThreadAtHand();
    for (const options of ["a", "cannot be torn down", "b"]) {
      await thread.done(thread.batch(thread.introduce("equipped", options), [1]));
    }
    await thread.close();
    expect(new Set(stage.tornDown)).toEqual(new Set(["a", "b", "cannot be torn down"]));
    expect(thread.said.at(-1)).toEqual(["closed"]);
  });

  it("that was never made is not torn down", async () => {
    const thread = new ThreadAtHand();
    stage.setUp = () => Promise.reject(new Error("no"));
    await thread.answer(thread.batch(thread.introduce("equipped"), ["a"]));
    await thread.close();
    expect(stage.tornDown).toEqual([]);
  });
});

describe("a thread that speaks another version", () => {
  it("refuses to start", () => {
    const { port1, port2 } = new MessageChannel();
    const control = new ControlBlock(1).buffer;
    const setup = { version: PROTOCOL_VERSION + 1, port: port2, control, row: 0, incarnation: 1, graceMs: 1 };
    expect(() => startRunner(setup, { isOwnThread: false })).toThrow(/PROTOCOL_MISMATCH/);
    port1.close();
  });
});
