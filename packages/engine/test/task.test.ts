import { pathToFileURL } from "node:url";
import type { Task } from "@threadmill/workers/runner";
import { describe, expect, expectTypeOf, it } from "vitest";
import {
  type ItemOf,
  type OptionsOf,
  type ResultOf,
  type TaskReference,
  checkTaskReference,
  isTaskReference,
  task,
} from "../src/task.js";

const refusal = (message: RegExp): object =>
  expect.objectContaining({ code: "INVALID_ARGUMENT", message: expect.stringMatching(message) as string }) as object;

describe("a reference to a task", () => {
  it.each([
    ["a URL", pathToFileURL("/srv/tasks/resize.js")],
    ["the text of a URL", "file:///srv/tasks/resize.js"],
    ["an absolute path", "/srv/tasks/resize.js"],
    ["a path with something to tidy", "/srv/other/../tasks/resize.js"],
  ])("is the same by %s", (_, module) => {
    expect(task(module, "resize")).toEqual({ url: "file:///srv/tasks/resize.js", exportName: "resize" });
  });

  it("names the default export unless another is given", () => {
    expect(task("/a.js").exportName).toBe("default");
  });

  it("keeps the query that tells two copies of a module apart, and the code of a data: URL", () => {
    expect(task(new URL("file:///a.js?v=2")).url).toBe("file:///a.js?v=2");
    expect(task("data:text/javascript,export default 1").url).toMatch(/^data:text\/javascript,/);
  });

  it("can hold a path with any character in it", () => {
    expect(task("/srv/100% sure/a#b?.js").url).toBe("file:///srv/100%25%20sure/a%23b%3F.js");
  });

  it.each([
    ["a relative path, which would mean another file in a thread", "./resize.js", /write new URL\("\.\/resize\.js"/],
    ["a bare name", "resize.js", /write new URL\("\.\/resize\.js", import\.meta\.url\)/],
    ["the name of a package", "@acme/tasks", /or import\.meta\.resolve\("@acme\/tasks"\) if it is a package/],
    ["a module from the network", "https://example.com/a.js", /file: or data: URL, not https:/],
    ["a node: module", "node:fs", /file: or data: URL, not node:/],
    ["a file on another host", "file://host/a.js", /no file on this machine/],
    ["a function", () => undefined, /not function/],
    ["nothing", undefined, /not undefined/],
  ])("is refused for %s", (_, module, message) => {
    expect(() => task(module as string)).toThrow(refusal(message));
  });

  it.each(["", 5, null])("is refused with %o as the export's name", (name) => {
    expect(() => task("/a.js", name as string)).toThrow(refusal(/export's name/));
  });

  it("is asked for where something else is given, with the remedy for a function", () => {
    expect(() => checkTaskReference(task("/a.js"))).not.toThrow();
    expect(() => checkTaskReference("file:///a.js")).toThrow(refusal(/must be made by task\(url, exportName\)$/));
    expect(() => checkTaskReference(() => 1)).toThrow(refusal(/not a function: .* export it from a module of its own/));
  });

  it("is told from other values", () => {
    expect(isTaskReference(task("/a.js"))).toBe(true);
    for (const other of [null, "file:///a.js", {}, { url: "file:///a.js" }, () => undefined]) {
      expect(isTaskReference(other)).toBe(false);
    }
  });
});

describe("the types of a task", () => {
  it("are unknown where nobody says them", () => {
    expectTypeOf(task("/a.js")).toEqualTypeOf<TaskReference<unknown, unknown, unknown>>();
  });

  interface Photo {
    readonly path: string;
  }

  it("come from a plain function, whose promise is waited for", () => {
    type Handler = (photo: Photo) => Promise<number>;
    expectTypeOf<ItemOf<Handler>>().toEqualTypeOf<Photo>();
    expectTypeOf<ResultOf<Handler>>().toEqualTypeOf<number>();
    expectTypeOf<OptionsOf<Handler>>().toEqualTypeOf<undefined>();
    expectTypeOf(task<Handler>("/a.js")).toEqualTypeOf<TaskReference<Photo, number, undefined>>();
  });

  it("come from a task that was defined, with its options", () => {
    type Resize = Task<Photo, Uint8Array, { width: number }>;
    expectTypeOf<ItemOf<Resize>>().toEqualTypeOf<Photo>();
    expectTypeOf<ResultOf<Resize>>().toEqualTypeOf<Uint8Array>();
    expectTypeOf<OptionsOf<Resize>>().toEqualTypeOf<{ width: number }>();
  });

  it("are those of items that the task can take", () => {
    const resize = task<(photo: Photo) => number>("/a.js");
    expectTypeOf(resize).not.toExtend<TaskReference<string, number, undefined>>();
    expectTypeOf(resize).toExtend<TaskReference<Photo & { readonly size: number }, number, undefined>>();
  });
});
