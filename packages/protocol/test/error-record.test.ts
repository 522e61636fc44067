import { describe, expect, it } from "vitest";
import { fromErrorRecord, toErrorRecord } from "../src/error-record.js";
import { FinalError } from "../src/errors.js";

/** There and back, through the clone that a message is. */
const travel = (thrown: unknown): Error & { code?: string | number } =>
  fromErrorRecord(structuredClone(toErrorRecord(thrown)));

class ModelError extends Error {
  override readonly name = "ModelError";
  readonly code = "E_MODEL";
}

describe("an error on its way between threads", () => {
  it("keeps name, message, code and stack", () => {
    const error = new ModelError("no such layer");
    const arrived = travel(error);
    expect(arrived).toBeInstanceOf(Error);
    const { name, message, code, stack } = arrived;
    expect({ name, message, code, stack }).toEqual({
      name: "ModelError",
      message: "no such layer",
      code: "E_MODEL",
      stack: error.stack,
    });
  });

  it.each([TypeError, RangeError, SyntaxError, ReferenceError, URIError, EvalError])("stays a built-in %o", (Type) => {
    const arrived = travel(new Type("wrong"));
    expect(arrived).toBeInstanceOf(Type);
    expect([arrived.name, arrived.message]).toEqual([Type.name, "wrong"]);
  });

  it("is not taken for a built-in type by a name that every object knows", () => {
    const arrived = travel(Object.assign(new Error("odd"), { name: "constructor" }));
    expect([arrived.name, arrived.message]).toEqual(["constructor", "odd"]);
  });

  it("keeps a code that is a number, and drops one that is neither text nor number", () => {
    expect(travel(Object.assign(new Error("a"), { code: 404 })).code).toBe(404);
    expect("code" in travel(Object.assign(new Error("a"), { code: { odd: true } }))).toBe(false);
  });

  it("keeps its causes, up to a depth", () => {
    let error = new Error("0");
    for (let depth = 1; depth <= 20; depth++) error = new Error(String(depth), { cause: error });
    const messages: string[] = [];
    for (let at: unknown = travel(error); at instanceof Error; at = at.cause) messages.push(at.message);
    expect(messages).toEqual(["20", "19", "18", "17", "16", "15"]);
  });

  it("may be its own cause", () => {
    const error = new Error("round");
    error.cause = error;
    expect(travel(error).message).toBe("round");
  });

  it("says that no retry can mend it", () => {
    expect(toErrorRecord(new FinalError("enough")).final).toBe(true);
    expect(toErrorRecord(new Error("again"))).not.toHaveProperty("final");
  });

  it("names itself where its stack is missing", () => {
    const error = new ModelError("lean");
    Object.defineProperty(error, "stack", { value: undefined });
    expect(travel(error).stack).toBe("ModelError: lean");
  });

  it("does not show name and stack among its own fields, as no error does", () => {
    expect(Object.keys(travel(new ModelError("a")))).toEqual(["code"]);
  });

  it("comes from another realm, or another library, and is an error all the same", () => {
    expect(toErrorRecord({ name: "Problem", message: "said so" })).toEqual({ name: "Problem", message: "said so" });
    expect(toErrorRecord({ message: "said so" })).toEqual({ name: "Error", message: "said so" });
    expect(travel(new DOMException("stop", "AbortError")).name).toBe("AbortError");
  });
});

describe("what is thrown and is no error", () => {
  it.each([
    [undefined, "undefined was thrown"],
    [null, "null was thrown"],
    ["oops", '"oops" was thrown (a string, not an Error)'],
    [0, "0 was thrown (a number, not an Error)"],
    [7n, "7 was thrown (a bigint, not an Error)"],
    [Symbol("odd"), "Symbol(odd) was thrown (a symbol, not an Error)"],
    [{}, "[object Object] was thrown, not an Error"],
    [{ status: 404, why: "gone" }, "[object Object] with status, why was thrown, not an Error"],
    [{ a: 1, b: 2, c: 3, d: 4, e: 5, f: 6 }, "[object Object] with a, b, c, d, e was thrown, not an Error"],
    [[1], "[object Array] was thrown, not an Error"],
  ])("is named: %o", (thrown, message) => {
    expect(toErrorRecord(thrown)).toMatchObject({ name: "NonError", message });
  });

  it.each([
    ["a getter that throws", Object.defineProperty({}, "message", { get: () => expect.fail("hostile") })],
    [
      "a proxy that throws",
      new Proxy(
        {},
        {
          get: () => {
            throw new Error("hostile");
          },
        },
      ),
    ],
    ["a proxy that was revoked", revoked()],
  ])("is named even if it cannot be read: %s", (_, thrown) => {
    expect(toErrorRecord(thrown)).toEqual({ name: "NonError", message: "a value was thrown that cannot be read" });
  });
});

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

describe("the text of a record", () => {
  it("is bounded, whatever a handler puts in", () => {
    const long = "x".repeat(100_000);
    const error = Object.assign(new Error(long), { name: long, code: long });
    error.stack = Array.from({ length: 1_000 }, () => long).join("\n");
    const record = toErrorRecord(error);
    expect(record.name).toHaveLength(100);
    expect(record.message).toHaveLength(1_000);
    expect(record.code).toHaveLength(100);
    expect(record.stack).toHaveLength(8_000);
    expect(record.message.endsWith("…")).toBe(true);
  });

  it("holds at most 50 lines of the stack", () => {
    const error = new Error("deep");
    error.stack = Array.from({ length: 1_000 }, (_, line) => `line ${line}`).join("\n");
    expect(toErrorRecord(error).stack?.split("\n")).toHaveLength(50);
  });

  it("is bounded for a string that was thrown, too", () => {
    expect(toErrorRecord("x".repeat(100_000)).message).toHaveLength(1_000);
  });
});
