import { once } from "node:events";
import { afterEach, describe, expect, it, vi } from "vitest";
import { SafeEmitter } from "../src/safe-emitter.js";

interface Events {
  tick: (value?: unknown) => void;
}

/** As the engine's own emitters do, whose events nobody else makes happen. */
class Clock extends SafeEmitter<Events> {
  tick(value?: unknown): void {
    this.emit("tick", value);
  }
}

const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
afterEach(() => warn.mockClear());

const throws = (thrown: unknown) => (): void => {
  throw thrown;
};

describe("a safe emitter", () => {
  it("calls all listeners, in order, with the argument", () => {
    const clock = new Clock();
    const calls: unknown[] = [];
    clock.on("tick", (value) => calls.push(["first", value]));
    clock.on("tick", (value) => calls.push(["second", value]));
    clock.tick(7);
    expect(calls).toEqual([
      ["first", 7],
      ["second", 7],
    ]);
  });

  it("calls the others when one throws, and warns of it with a code", () => {
    const clock = new Clock();
    const second = vi.fn<() => void>();
    clock.on("tick", throws(new Error("oops"))).on("tick", second);
    clock.tick();
    expect(second).toHaveBeenCalledOnce();
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/listener threw: Error: oops/), {
      code: "THREADMILL_LISTENER",
    });
  });

  it.each([
    ["undefined", undefined],
    ["a symbol", Symbol("odd")],
    ["an error whose stack is no text", Object.assign(new Error("x"), { stack: Symbol("odd") })],
    ["an object without a prototype", Object.create(null) as unknown],
    [
      "an error with a hostile stack",
      Object.defineProperty(new Error("x"), "stack", {
        get: throws(new Error("no stack for you")),
      }),
    ],
  ])("is not harmed by a listener that throws %s", (_, thrown) => {
    const clock = new Clock();
    const second = vi.fn<() => void>();
    clock.on("tick", throws(thrown)).on("tick", second);
    expect(() => clock.tick()).not.toThrow();
    expect(second).toHaveBeenCalledOnce();
    expect(warn).toHaveBeenCalledOnce();
  });

  it("warns of an async listener that rejects: the rejection would end the process", async () => {
    const clock = new Clock();
    clock.on("tick", () => Promise.reject(new Error("too late")) as never);
    clock.tick();
    await new Promise((resolve) => setImmediate(resolve));
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/listener threw: Error: too late/), {
      code: "THREADMILL_LISTENER",
    });
  });

  it("calls a `once` listener once, and one that was added with `on` every time", () => {
    const clock = new Clock();
    const single = vi.fn<() => void>();
    const each = vi.fn<() => void>();
    clock.once("tick", single).on("tick", each);
    clock.tick();
    clock.tick();
    expect([single.mock.calls.length, each.mock.calls.length]).toEqual([1, 2]);
  });

  it("calls a `once` listener once even when it makes the event happen again", () => {
    const clock = new Clock();
    const listener = vi.fn<() => void>(() => clock.tick());
    clock.once("tick", listener);
    clock.tick();
    expect(listener).toHaveBeenCalledOnce();
  });

  it("calls listeners on itself, as `emit` of other emitters does", () => {
    const clock = new Clock();
    const seen: unknown[] = [];
    clock.on("tick", function listener(this: unknown) {
      seen.push(this);
    });
    clock.tick();
    expect(seen).toEqual([clock]);
  });

  it.each(["off", "removeListener"] as const)("forgets with `%s` what `on` and `once` were given", (off) => {
    const clock = new Clock();
    const listener = vi.fn<() => void>();
    clock.on("tick", listener).once("tick", listener);
    expect(clock.listenerCount("tick")).toBe(2);
    clock[off]("tick", listener);
    expect(clock.listenerCount("tick")).toBe(0);
    clock.tick();
    expect(listener).not.toHaveBeenCalled();
  });

  it("keeps one listener of two emitters apart", () => {
    const [one, other] = [new Clock(), new Clock()];
    const listener = vi.fn<() => void>();
    one.on("tick", listener);
    other.on("tick", listener);
    one.off("tick", listener);
    other.tick("other");
    expect(listener.mock.calls).toEqual([["other"]]);
  });

  it("can be awaited with `once` of node:events", async () => {
    const clock = new Clock();
    const ticked = once(clock as never, "tick");
    clock.tick("now");
    expect(await ticked).toEqual(["now"]);
    expect(clock.listenerCount("tick")).toBe(0);
  });

  it.each([undefined, null, "text", {}])("refuses %s as a listener at once", (listener) => {
    const clock = new Clock();
    expect(() => clock.on("tick", listener as never)).toThrow(TypeError);
    expect(() => clock.once("tick", listener as never)).toThrow(TypeError);
  });
});
