import { EventEmitter } from "eventemitter3";
import { afterEach, describe, expect, it, vi } from "vitest";
import { emitSafely } from "../src/emit.js";

const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
afterEach(() => warn.mockClear());

describe("emitSafely", () => {
  it("calls all listeners, in order, with the argument", () => {
    const emitter = new EventEmitter();
    const calls: unknown[] = [];
    emitter.on("tick", (value) => calls.push(["first", value]));
    emitter.on("tick", (value) => calls.push(["second", value]));
    emitSafely(emitter, "tick", 7);
    expect(calls).toEqual([
      ["first", 7],
      ["second", 7],
    ]);
  });

  it("calls the others when one throws, and warns of it with a code", () => {
    const emitter = new EventEmitter();
    const second = vi.fn();
    emitter.on("tick", () => {
      throw new Error("oops");
    });
    emitter.on("tick", second);
    emitSafely(emitter, "tick");
    expect(second).toHaveBeenCalledOnce();
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/"tick" threw: Error: oops/), {
      code: "THREADMILL_LISTENER",
    });
  });

  it.each([
    ["undefined", undefined],
    ["a symbol", Symbol("odd")],
    ["an object without a prototype", Object.create(null) as unknown],
    [
      "an error with a hostile stack",
      Object.defineProperty(new Error("x"), "stack", {
        get: () => {
          throw new Error("no stack for you");
        },
      }),
    ],
  ])("is not harmed by a listener that throws %s", (_, thrown) => {
    const emitter = new EventEmitter();
    const second = vi.fn();
    emitter.on("tick", () => {
      throw thrown;
    });
    emitter.on("tick", second);
    expect(() => emitSafely(emitter, "tick")).not.toThrow();
    expect(second).toHaveBeenCalledOnce();
    expect(warn).toHaveBeenCalledOnce();
  });

  it("calls a `once` listener once, and one that was added with `on` every time", () => {
    const emitter = new EventEmitter();
    const once = vi.fn();
    const on = vi.fn();
    emitter.once("tick", once);
    emitter.on("tick", on);
    emitSafely(emitter, "tick");
    emitSafely(emitter, "tick");
    expect([once.mock.calls.length, on.mock.calls.length]).toEqual([1, 2]);
  });

  it("calls a `once` listener once even when it makes the event happen again", () => {
    const emitter = new EventEmitter();
    const listener = vi.fn(() => emitSafely(emitter, "tick"));
    emitter.once("tick", listener);
    emitSafely(emitter, "tick");
    expect(listener).toHaveBeenCalledOnce();
  });

  it("calls listeners on the emitter, or on the context that they were given, as `emit` does", () => {
    const emitter = new EventEmitter();
    const seen: unknown[] = [];
    const context = {};
    function listener(this: unknown): void {
      seen.push(this);
    }
    emitter.on("tick", listener);
    emitter.on("tick", listener, context);
    emitSafely(emitter, "tick");
    expect(seen[0]).toBe(emitter);
    expect(seen[1]).toBe(context);
  });
});
