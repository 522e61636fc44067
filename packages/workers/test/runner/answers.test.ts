import { afterEach, describe, expect, it } from "vitest";
import type { ItemContext } from "../../src/context.js";
import { stage } from "./fixtures/stage.mjs";
import { ThreadAtHand } from "./thread-at-hand.js";

function act(handler: (item: unknown, ctx: ItemContext) => unknown): void {
  stage.act = handler;
}

afterEach(() => stage.clear());

/** A list in a list in a list: too deep for the stack of a clone. */
function deep(levels: number): unknown {
  let value: unknown = [];
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

describe("a result that cannot travel", () => {
  it.each([
    ["a function", () => (): unknown => undefined],
    ["a symbol", () => Symbol("odd")],
    ["an object with a function in it", () => ({ parse: () => undefined })],
    ["a value that nests too deep", () => deep(100_000)],
    [
      "a getter that throws",
      () => ({
        get value() {
          throw new Error("hostile");
        },
      }),
    ],
    ["a view of a buffer that was moved away", () => detached()],
  ])("fails its item and nothing else: %s", async (_, make) => {
    await using thread = new ThreadAtHand();
    act((item) => (item === "bad" ? make() : item));
    const batch = thread.batch(thread.introduce("scripted"), ["a", "bad", "b"], { indices: 10 });
    const [, , claimed, values, failures] = await thread.done(batch);
    expect([claimed, values]).toEqual([3, ["a", undefined, "b"]]);
    expect(failures).toMatchObject([[1, "NOT_CLONEABLE", { name: "NotCloneableError", final: true }]]);
    expect(failures?.[0]?.[2]?.message).toMatch(/result of item 11 cannot travel/);
    expect(thread.control.faults(ThreadAtHand.row, batch)).toBe(1);
  });

  it("fails each item that has one", async () => {
    await using thread = new ThreadAtHand();
    act(() => () => undefined);
    const [, , , , failures] = await thread.done(thread.batch(thread.introduce("scripted"), [1, 2, 3]));
    expect(failures?.map(([position, code]) => [position, code])).toEqual([
      [0, "NOT_CLONEABLE"],
      [1, "NOT_CLONEABLE"],
      [2, "NOT_CLONEABLE"],
    ]);
  });

  it("does not hide why another item of the batch failed", async () => {
    await using thread = new ThreadAtHand();
    act((item) => {
      if (item === "throws") throw new RangeError("no");
      return () => undefined;
    });
    const [, , , , failures] = await thread.done(thread.batch(thread.introduce("scripted"), ["throws", "bad"]));
    expect(failures?.map(([position, code]) => [position, code])).toEqual([
      [0, "TASK_FAILED"],
      [1, "NOT_CLONEABLE"],
    ]);
  });
});

function detached(): Uint8Array {
  const view = new Uint8Array(8);
  structuredClone(view, { transfer: [view.buffer] });
  return view;
}

describe("ctx.transfer", () => {
  it("moves a buffer: the main thread has it, the thread does not any more", async () => {
    await using thread = new ThreadAtHand();
    const pixels = new Uint8Array([1, 2, 3]);
    act((_, ctx) => ctx.transfer(pixels));
    const [, , , values] = await thread.done(thread.batch(thread.introduce("scripted"), [1]));
    expect(values).toEqual([new Uint8Array([1, 2, 3])]);
    expect(pixels.byteLength).toBe(0);
  });

  it("moves an ArrayBuffer itself, and one that lies deep in the result", async () => {
    await using thread = new ThreadAtHand();
    const buffers = [new ArrayBuffer(4), new ArrayBuffer(8)];
    act((_, ctx) => {
      for (const buffer of buffers) ctx.transfer(buffer);
      return { a: buffers[0], deep: [{ b: buffers[1] }] };
    });
    await thread.done(thread.batch(thread.introduce("scripted"), [1]));
    expect(buffers.map(({ byteLength }) => byteLength)).toEqual([0, 0]);
  });

  it("copies a view that shares its buffer with others, which stay whole", async () => {
    await using thread = new ThreadAtHand();
    const pooled = Buffer.from("abc");
    const neighbour = Buffer.from("def");
    const buffer = new ArrayBuffer(100);
    const part = new Uint8Array(buffer, 10, 2).fill(7);
    act((item, ctx) => ctx.transfer(item === "pooled" ? pooled : part));
    const [, , , values] = await thread.done(thread.batch(thread.introduce("scripted"), ["pooled", "part"]));
    expect(values).toEqual([new Uint8Array(Buffer.from("abc")), new Uint8Array([7, 7])]);
    expect([pooled.toString(), neighbour.toString(), buffer.byteLength]).toEqual(["abc", "def", 100]);
  });

  it("is asked for one buffer by two items, and both get it", async () => {
    await using thread = new ThreadAtHand();
    const shared = new Uint8Array([1, 2, 3]);
    act((_, ctx) => ctx.transfer(shared));
    const [, , , values, failures] = await thread.done(thread.batch(thread.introduce("scripted"), [1, 2]));
    expect(failures).toBeUndefined();
    expect(values).toEqual([new Uint8Array([1, 2, 3]), new Uint8Array([1, 2, 3])]);
  });

  it("is not confused by a buffer that is empty, or is not part of the result", async () => {
    await using thread = new ThreadAtHand();
    act((_, ctx) => {
      ctx.transfer(new Uint8Array(4));
      return ctx.transfer(new Uint8Array(0));
    });
    const [, , , values, failures] = await thread.done(thread.batch(thread.introduce("scripted"), [1]));
    expect([values, failures]).toEqual([[new Uint8Array(0)], undefined]);
  });

  it("still moves the others' buffers when one was moved away before the answer", async () => {
    await using thread = new ThreadAtHand();
    const pixels = new Uint8Array([1, 2, 3]);
    act((item, ctx) => {
      if (item !== "moved") return ctx.transfer(pixels);
      const view = ctx.transfer(new Uint8Array(4));
      structuredClone(view, { transfer: [view.buffer] });
      return "moved";
    });
    const [, , , values, failures] = await thread.done(thread.batch(thread.introduce("scripted"), ["a", "moved"]));
    expect([values, failures]).toEqual([[new Uint8Array([1, 2, 3]), "moved"], undefined]);
    expect(pixels.byteLength).toBe(0);
  });

  it("gives back what is no buffer as it is", async () => {
    await using thread = new ThreadAtHand();
    const memory = new SharedArrayBuffer(8);
    const seen: unknown[] = [];
    const given = ["text", 7, undefined, { a: 1 }, memory, new Uint8Array(memory)];
    act((_, ctx) => {
      for (const one of given) seen.push(ctx.transfer(one));
    });
    await thread.done(thread.batch(thread.introduce("scripted"), [1]));
    expect(seen.every((one, at) => one === given[at])).toBe(true);
    expect(seen).toHaveLength(given.length);
  });
});

describe("small views of large buffers", () => {
  it("are cut out of results that are not handed over", async () => {
    await using thread = new ThreadAtHand();
    act(() => new Uint8Array(new ArrayBuffer(10_000), 16, 2));
    const [, , , values] = await thread.done(thread.batch(thread.introduce("scripted"), [1]));
    expect((values[0] as Uint8Array).buffer.byteLength).toBe(2);
  });
});
