import { afterEach, describe, expect, it } from "vitest";
import type { ItemContext } from "../../src/context.js";
import { deferred } from "./deferred.js";
import { stage } from "./fixtures/stage.mjs";
import { ThreadAtHand } from "./thread-at-hand.js";

/** What the item handler does, with types. */
function act(handler: (item: unknown, ctx: ItemContext) => unknown): void {
  stage.act = handler;
}

const entered = (name: string): Promise<ItemContext> => stage.entered(name) as Promise<ItemContext>;

afterEach(() => stage.clear());

/** A promise of another make. */
function thenable(then: (resolve: (value: unknown) => void) => void): unknown {
  // oxlint-disable-next-line unicorn/no-thenable -- it is what is tested
  return { then };
}

describe("a batch of items", () => {
  it("is answered by its values, in the order of its items", async () => {
    await using thread = new ThreadAtHand();
    const answer = await thread.done(thread.batch(thread.introduce("double"), [1, 2, 3]));
    expect(answer.slice(0, 5)).toEqual(["done", 1, 3, [2, 4, 6], undefined]);
  });

  it("of many numbers is taken and answered as one block", async () => {
    await using thread = new ThreadAtHand();
    const numbers = Array.from({ length: 100 }, (_, at) => at / 4);
    const [, , , values] = await thread.done(thread.packed(thread.introduce("double"), numbers));
    expect(values).toEqual(Float64Array.from(numbers, (number) => 2 * number));
  });

  it("may be empty: its task is loaded, described and set up, no more", async () => {
    await using thread = new ThreadAtHand();
    const setups: unknown[] = [];
    stage.setUp = (options: unknown) => setups.push(options);
    const answer = await thread.done(thread.batch(thread.introduce("equipped", { size: 1 }), []));
    expect(answer.slice(0, 5)).toEqual(["done", 1, 0, [], undefined]);
    expect(setups).toEqual([{ size: 1 }]);
    expect(thread.said.map(([type]) => type)).toEqual(["described", "done"]);
  });

  it("tells its handler which item it is, which run, of which job, with which options", async () => {
    await using thread = new ThreadAtHand();
    act((_, ctx) => [ctx.index, ctx.attempt, ctx.jobId, ctx.options, ctx.resource]);
    const recipe = thread.introduce("equipped", { width: 1 });
    const range = thread.batch(recipe, ["a", "b"], { indices: 40, jobId: "album" });
    const list = thread.batch(recipe, ["c", "d"], { indices: [7, 3], attempts: [1, 2] });
    const options = { width: 1 };
    expect((await thread.done(range))[3]).toEqual([
      [40, 1, "album", options, options],
      [41, 1, "album", options, options],
    ]);
    expect((await thread.done(list))[3]).toEqual([
      [7, 1, "job", options, options],
      [3, 2, "job", options, options],
    ]);
  });

  it("gives up only the items that fail, each with its own error", async () => {
    await using thread = new ThreadAtHand();
    const items = ["a", "throws", "rejects", "throws nothing", "b"];
    const batch = thread.batch(thread.introduce("picky"), items);
    const [, , claimed, values, failures] = await thread.done(batch);
    expect([claimed, values]).toEqual([5, ["a", undefined, undefined, undefined, "b"]]);
    expect(failures?.toSorted(([a], [b]) => a - b)).toMatchObject([
      [1, "TASK_FAILED", { name: "TypeError", message: "not this one" }],
      [2, "TASK_FAILED", { name: "RangeError", message: "not this one either" }],
      [3, "TASK_FAILED", { name: "NonError", message: "undefined was thrown" }],
    ]);
    expect(thread.control.faults(ThreadAtHand.row, batch)).toBe(3);
  });

  it.each([
    ["resolves at once", thenable((resolve) => resolve("a")), "a"],
    [
      "resolves twice",
      thenable((resolve) => {
        resolve("a");
        resolve("b");
      }),
      "a",
    ],
    [
      "throws after it has resolved",
      thenable((resolve) => {
        resolve("a");
        throw new Error("late");
      }),
      "a",
    ],
  ])("waits for a thenable of another make, also one that %s", async (_, promise, value) => {
    await using thread = new ThreadAtHand();
    act(() => promise);
    const [, , claimed, values, failures] = await thread.done(thread.batch(thread.introduce("scripted"), [1]));
    expect([claimed, values, failures]).toEqual([1, [value], undefined]);
  });

  it("fails the item whose thenable throws, or cannot be looked at", async () => {
    await using thread = new ThreadAtHand();
    // oxlint-disable-next-line unicorn/no-thenable -- it is what is tested
    const hostile = Object.defineProperty({}, "then", {
      get: () => {
        throw new RangeError("do not look");
      },
    });
    const throwing = thenable(() => {
      throw new RangeError("do not call");
    });
    act((item) => (item === "look" ? hostile : item === "call" ? throwing : item));
    const batch = thread.batch(thread.introduce("scripted"), ["look", "call", "fine"]);
    const [, , , values, failures] = await thread.done(batch);
    expect(values[2]).toBe("fine");
    expect(failures?.map(([position, , record]) => [position, record?.message])).toEqual([
      [0, "do not look"],
      [1, "do not call"],
    ]);
  });
});

describe("what is no promise, but looks like one", () => {
  const bound = (promise: Promise<unknown>): unknown =>
    new Proxy(promise, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  const unbound = Object.create(Promise.prototype) as unknown;
  const hidden = Object.defineProperty(Promise.resolve("a"), "constructor", {
    get: () => {
      throw new RangeError("do not ask");
    },
  });

  // As p-lazy makes them: past its own `then`, it is a promise of undefined.
  it("may be a promise that begins when it is waited for", async () => {
    class Lazy extends Promise<unknown> {}
    const begin = Promise.prototype.then.bind(Promise.resolve("begun"));
    // oxlint-disable-next-line unicorn/no-thenable -- it is what is tested
    void Object.defineProperty(Lazy.prototype, "then", { value: begin });
    await using thread = new ThreadAtHand();
    act(() => new Lazy((resolve) => resolve(undefined)));
    const [, , , values] = await thread.done(thread.batch(thread.introduce("scripted"), [1]));
    expect(values).toEqual(["begun"]);
  });

  // `instanceof Promise` says yes, and `Promise.prototype.then` throws at it: the thread died, twice for each item.
  it("is waited for as a plain await would, and harms no other item", async () => {
    await using thread = new ThreadAtHand();
    const returned = { bound: bound(Promise.resolve("a")), unbound, hidden, fine: "fine" };
    act((item) => returned[item as keyof typeof returned]);
    const batch = thread.batch(thread.introduce("scripted"), Object.keys(returned));
    const [, , , values, failures] = await thread.done(batch);
    expect([values[0], values[3]]).toEqual(["a", "fine"]);
    expect(failures?.map(([position, , record]) => [position, record?.name])).toEqual([
      [1, "TypeError"],
      [2, "RangeError"],
    ]);
  });
});

describe("items in flight", () => {
  it("are one at a time unless the task says more", async () => {
    await using thread = new ThreadAtHand();
    const batch = thread.batch(thread.introduce("alone"), ["a", "b"]);
    await entered("a");
    expect(stage.names).toEqual(["a"]);
    stage.release("a");
    await entered("b");
    stage.release("b");
    expect((await thread.done(batch))[3]).toEqual(["a", "b"]);
  });

  it("are as many as the task says, and the next begins when one has ended", async () => {
    await using thread = new ThreadAtHand();
    const batch = thread.batch(thread.introduce("waiting"), ["a", "b", "c", "d"]);
    await entered("b");
    expect(stage.names).toEqual(["a", "b"]);
    stage.release("b");
    await entered("c");
    expect(stage.names).toEqual(["a", "c"]);
    for (const name of ["a", "c"]) stage.release(name);
    await entered("d");
    stage.release("d");
    expect((await thread.done(batch))[3]).toEqual(["a", "b", "c", "d"]);
  });

  it("are as many as the caller asks, where the caller does", async () => {
    await using thread = new ThreadAtHand();
    const batch = thread.batch(thread.introduce("waiting"), ["a", "b", "c", "d"], { concurrency: 3 });
    await entered("c");
    expect(stage.names).toEqual(["a", "b", "c"]);
    for (const name of stage.names) stage.release(name);
    await entered("d");
    stage.release("d");
    await thread.done(batch);
  });

  it("run across the border of two batches, and a batch behind may be answered first", async () => {
    await using thread = new ThreadAtHand();
    const recipe = thread.introduce("waiting");
    const first = thread.batch(recipe, ["a"]);
    const second = thread.batch(recipe, ["b", "c"]);
    await entered("b");
    expect(stage.names).toEqual(["a", "b"]);
    stage.release("b");
    await entered("c");
    stage.release("c");
    await thread.done(second);
    stage.release("a");
    await thread.done(first);
    expect(thread.said.flatMap((message) => (message[0] === "done" ? [message[1]] : []))).toEqual([second, first]);
  });

  it("do not go on into a batch behind while their own batch has more", async () => {
    await using thread = new ThreadAtHand();
    const recipe = thread.introduce("waiting");
    thread.batch(recipe, ["a", "b", "c"]);
    thread.batch(recipe, ["d"]);
    await entered("b");
    stage.release("a");
    await entered("c");
    expect(stage.names).toEqual(["b", "c"]);
    stage.release("b");
    await entered("d");
    for (const name of stage.names) stage.release(name);
  });
});

describe("what is taken back", () => {
  it("is not run, also while an item is in flight", async () => {
    await using thread = new ThreadAtHand();
    const batch = thread.batch(thread.introduce("alone"), ["a", "b", "c"]);
    await entered("a");
    expect(thread.control.revoke(ThreadAtHand.row, batch, 0)).toBe(1);
    stage.release("a");
    expect((await thread.done(batch)).slice(2, 4)).toEqual([1, ["a"]]);
  });

  it("may be all of a batch that has not begun, whose turn then costs nothing", async () => {
    await using thread = new ThreadAtHand();
    const recipe = thread.introduce("alone");
    const first = thread.batch(recipe, ["a"]);
    const second = thread.batch(recipe, ["b"]);
    const third = ["c"];
    await entered("a");
    expect(thread.control.revoke(ThreadAtHand.row, second, 0)).toBe(0);
    stage.release("a");
    await thread.done(first);
    expect((await thread.done(second)).slice(2, 4)).toEqual([0, []]);
    const batch = thread.batch(recipe, third);
    await entered("c");
    stage.release("c");
    expect((await thread.done(batch))[3]).toEqual(["c"]);
  });
});

describe("the order of messages", () => {
  it("has the description before the answer, once for each recipe", async () => {
    await using thread = new ThreadAtHand();
    const waiting = thread.introduce("waiting");
    const batchTask = thread.introduce("scriptedBatch");
    for (const recipe of [waiting, waiting, batchTask, batchTask]) {
      const batch = thread.batch(recipe, recipe === waiting ? ["a"] : [1]);
      if (recipe === waiting) {
        await entered("a");
        stage.release("a");
      }
      await thread.done(batch);
    }
    expect(thread.said.map((message) => message.slice(0, 2))).toEqual([
      ["described", waiting],
      ["done", 1],
      ["done", 2],
      ["described", batchTask],
      ["done", 3],
      ["done", 4],
    ]);
    expect(await thread.hears("described", ([, recipe]) => recipe === waiting)).toEqual([
      "described",
      waiting,
      "item",
      2,
      0,
      undefined,
    ]);
    expect(await thread.hears("described", ([, recipe]) => recipe === batchTask)).toEqual([
      "described",
      batchTask,
      "batch",
      1,
      16,
      undefined,
    ]);
  });

  it("lets the main thread ask which batches are held, those that wait as well", async () => {
    await using thread = new ThreadAtHand();
    const recipe = thread.introduce("alone");
    const batches = [thread.batch(recipe, ["a"]), thread.batch(recipe, ["b"])];
    await entered("a");
    thread.send(["which"]);
    expect(await thread.hears("held")).toEqual(["held", batches]);
    stage.release("a");
    await entered("b");
    stage.release("b");
    await thread.done(batches[1]!);
    thread.send(["which"]);
    expect(await thread.hears("held", ([, held]) => held.length === 0)).toEqual(["held", []]);
  });
});

describe("the state of the thread", () => {
  it("is JavaScript in a handler, native in its native part, and idle after it", async () => {
    await using thread = new ThreadAtHand();
    const states: number[] = [];
    const state = (): number => thread.control.state(ThreadAtHand.row);
    act((_, ctx) => {
      states.push(state());
      ctx.native(() => states.push(state()));
      states.push(state());
    });
    await thread.done(thread.batch(thread.introduce("scripted"), [1]));
    expect([...states, state()]).toEqual([1, 2, 1, 0]);
  });

  it("is native until the promise of a native part has settled, either way", async () => {
    await using thread = new ThreadAtHand();
    const state = (): number => thread.control.state(ThreadAtHand.row);
    thread.batch(thread.introduce("waiting"), ["a"]);
    const ctx = await entered("a");
    for (const settle of ["resolve", "reject"] as const) {
      const { promise, resolve, reject } = deferred();
      const part = ctx.native(() => promise);
      expect(state()).toBe(2);
      if (settle === "resolve") resolve();
      else reject(new Error("no"));
      await part.then(undefined, () => undefined);
      expect(state()).toBe(1);
    }
    expect(() =>
      ctx.native(() => {
        throw new RangeError("no");
      }),
    ).toThrow("no");
    expect(state()).toBe(1);
    stage.release("a");
  });

  // Each call was taken for an end: the next native part counted as JavaScript, in which a thread may be terminated.
  it("is native in a native part that comes after a thenable which has called back twice", async () => {
    await using thread = new ThreadAtHand();
    thread.batch(thread.introduce("waiting"), ["a"]);
    const ctx = await entered("a");
    const twice = thenable((resolve) => {
      resolve(1);
      resolve(2);
    });
    await ctx.native(() => twice as Promise<unknown>);
    void ctx.native(() => deferred().promise);
    expect(thread.control.state(ThreadAtHand.row)).toBe(2);
    stage.release("a");
  });

  it("is native in all of a task that says it is", async () => {
    await using thread = new ThreadAtHand();
    const batch = thread.batch(thread.introduce("declaredNative"), ["a"]);
    await entered("a");
    expect(thread.control.state(ThreadAtHand.row)).toBe(2);
    stage.release("a");
    await thread.done(batch);
    expect(thread.control.state(ThreadAtHand.row)).toBe(0);
  });
});
