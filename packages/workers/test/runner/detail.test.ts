import { afterEach, describe, expect, it } from "vitest";
import type { ItemContext } from "../../src/context.js";
import { stage } from "./fixtures/stage.mjs";
import { ThreadAtHand } from "./thread-at-hand.js";

afterEach(() => stage.clear());

const entered = (name: string): Promise<ItemContext> => stage.entered(name) as Promise<ItemContext>;

describe("ctx.detail", () => {
  it("of a burst, the first arrives at once and the newest before the answer", async () => {
    await using thread = new ThreadAtHand();
    const batch = thread.batch(thread.introduce("waiting"), ["a"]);
    const ctx = await entered("a");
    for (let percent = 0; percent <= 100; percent++) ctx.detail(percent);
    stage.release("a");
    await thread.done(batch);
    const details = thread.said.flatMap((message) => (message[0] === "detail" ? [message[2]] : []));
    expect(details.at(0)).toBe(0);
    expect(details.at(-1)).toBe(100);
    expect(details.length).toBeLessThan(100);
    expect(thread.said.at(-1)?.[0]).toBe("done");
  });

  it("the last one of a burst arrives though its handler goes on for long", async () => {
    await using thread = new ThreadAtHand();
    thread.batch(thread.introduce("waiting"), ["a"]);
    const ctx = await entered("a");
    ctx.detail("first");
    ctx.detail("last");
    expect(await thread.hears("detail", ([, , value]) => value === "last")).toBeDefined();
  });

  it("the last one of each of two jobs arrives, though they run at the same time", async () => {
    await using thread = new ThreadAtHand();
    const recipe = thread.introduce("waiting");
    const batches = [thread.batch(recipe, ["a"], { jobId: "A" }), thread.batch(recipe, ["b"], { jobId: "B" })];
    const [a, b] = [await entered("a"), await entered("b")];
    a.detail("first of a");
    a.detail("last of a");
    b.detail("last of b");
    stage.release("a");
    stage.release("b");
    for (const batch of batches) await thread.done(batch);
    const details = thread.said.flatMap((message) => (message[0] === "detail" ? [message[2]] : []));
    expect(details).toContain("last of a");
    expect(details).toContain("last of b");
  });

  it("is silent after the call has ended", async () => {
    await using thread = new ThreadAtHand();
    const batch = thread.batch(thread.introduce("waiting"), ["a"]);
    const ctx = await entered("a");
    stage.release("a");
    await thread.done(batch);
    ctx.detail("too late");
    await thread.close();
    expect(thread.said.map(([type]) => type)).not.toContain("detail");
  });

  it("tells the handler at once that a value cannot travel", async () => {
    await using thread = new ThreadAtHand();
    const batch = thread.batch(thread.introduce("waiting"), ["a"]);
    const ctx = await entered("a");
    expect(() => ctx.detail(() => undefined)).toThrow(/could not be cloned/);
    stage.release("a");
    await thread.done(batch);
  });
});
