/** Where the module of a task may lie, and what it may look like, with real threads. */
import { afterAll, describe, expect, it } from "vitest";
import { createEngine, task } from "../src/index.js";

const engine = createEngine({ threads: 1 });
afterAll(() => engine.close());

const fixture = (file: string): URL => new URL(`fixtures/${file}`, import.meta.url);
const double = (file: string, name?: string) => task<(n: number) => number>(fixture(file), name);

/** What a call answers with, or fails with. */
const failing = (file: string): Promise<unknown> => engine.call(double(file), 2).catch((reason: unknown) => reason);

function notLoaded(message: RegExp): object {
  return { code: "TASK_LOAD_FAILED", message: expect.stringMatching(message) as unknown };
}

describe("a module of which there is only the source, named as it would be when compiled", () => {
  it("is run from its source, or refused with the remedy by a Node before 22.18", async () => {
    const { typescript } = process.features as { readonly typescript?: unknown };
    const refusal = notLoaded(/typed\.ts: Node \S+ runs no TypeScript in threads\. Compile it, or use/);
    expect({ answer: await failing("typed.js") }).toMatchObject({ answer: typescript ? 4 : refusal });
  });
});

describe("a module", () => {
  it("that is compiled, named as its source is, is run", async () => {
    expect(await engine.call(double("compiled.mts"), 2)).toBe(4);
  });

  it("that is nowhere is said to be, without the words of the one who looked for it", async () => {
    expect(await failing("nowhere.js")).toMatchObject(
      notLoaded(/nowhere\.js: there is no such file\. Is the URL relative to the module/),
    );
  });

  it("that is there, and imports one that is not, says so", async () => {
    expect(await failing("imports-nothing.mjs")).toMatchObject(
      notLoaded(/imports-nothing\.mjs: Cannot find module .*not-there\.mjs/),
    );
  });

  it.each([["default"], ["triple"]])("that a compiler made CommonJS of still exports its %s", async (name) => {
    expect(await engine.call(double("transpiled.cjs", name), 2)).toBe(name === "default" ? 4 : 6);
  });

  it("in CommonJS whose exports are one function is that function", async () => {
    expect(await engine.call(double("function.cjs"), 2)).toBe(4);
  });
});
