/** What travels to a thread, and what is done about that which cannot. */
import { describe, expect, it } from "vitest";
import { EngineAtHand, handler, turn } from "./engine-at-hand.js";
import { acquainted } from "./lies.js";

function nest(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

describe("a thread", () => {
  it("is told of a task once, and again only after it was made to forget it", async () => {
    const handlers = { one: () => 1, two: () => 2, three: () => 3 };
    const at = new EngineAtHand({ options: { keepWarm: 2 }, handlers });
    for (const name of ["one", "one", "two", "one", "three", "one", "two"]) {
      await at.playUntil(at.engine.map(handler(name), [1]));
    }
    await at.play();
    const words = at.runner.at(0).heard.flatMap((message) => {
      if (message[0] === "introduce") return [`know ${message[3]}`];
      return message[0] === "forget" ? [`forget ${message[1]}`] : [];
    });
    // Recipes are numbered as they come; the least recently used one goes.
    expect(words).toEqual(["know one", "know two", "know three", "forget 2", "know two", "forget 3"]);
  });

  it("is not made to forget a task while it has a batch of it, but as soon as it has not", async () => {
    const handlers = { one: () => 1, two: () => 2, three: () => 3 };
    const at = new EngineAtHand({ options: { keepWarm: 1 }, handlers });
    const together = ["one", "two"].map((name) => at.engine.map(handler(name), [1, 1]));
    await at.playUntil(Promise.all(together));
    const heard = (): unknown[] =>
      at.runner.at(0).heard.flatMap((message) => {
        if (message[0] === "introduce") return [`know ${message[3]}`];
        return message[0] === "forget" ? [`forget ${message[1]}`] : [];
      });
    expect(heard()).toEqual(["know one", "know two"]);
    await at.playUntil(at.engine.map(handler("three"), [1]));
    expect(heard()).toEqual(["know one", "know two", "know three", "forget 1", "forget 2"]);
  });

  it("gets many numbers as one block, and anything else as it is", async () => {
    const { at, thread } = await acquainted();
    const numbers = Array.from({ length: 40 }, (_, index) => index);
    await at.playUntil(at.engine.map(handler("double"), numbers, { batchSize: 40 }));
    await at.playUntil(at.engine.map(handler("double"), [1, 2], { batchSize: 40 }));
    const columns = thread.heard.flatMap((message) => (message[0] === "batch" ? [message[6]] : [])).slice(1);
    expect(columns).toEqual([new Float64Array(numbers), [1, 2]]);
  });

  it("gets nothing of a batch of which an item cannot travel: that one fails, the others go again", async () => {
    const { at, thread } = await acquainted();
    thread.heard.length = 0;
    const poison = (): void => undefined;
    const getter = {
      get bad(): never {
        throw new Error("not for you");
      },
    };
    const items = [1, poison, 3, getter, 5, Symbol("s"), 7] as unknown as number[];
    const job = at.engine.run(handler("double"), items, { batchSize: 7, onError: "collect" });
    const { values, failures } = await at.playUntil(job.result);
    expect(values).toEqual([2, undefined, 6, undefined, 10, undefined, 14]);
    expect(failures.map(({ index, error }) => [index, error.code])).toEqual([
      [1, "NOT_CLONEABLE"],
      [3, "NOT_CLONEABLE"],
      [5, "NOT_CLONEABLE"],
    ]);
    expect(at.runner.runs.map(({ index }) => index).slice(1)).toEqual([0, 2, 4, 6]);
    await at.play();
    expect(at.remains).toEqual([]);
  });

  it("that could not read a message is asked what it holds, and gets the rest again", async () => {
    const { at, thread } = await acquainted();
    const job = at.engine.run(handler("double"), [1, 2, 3, 4], { batchSize: 2 });
    await turn();
    thread.loseOne();
    thread.say(["unreadable"]);
    expect((await at.playUntil(job.result)).values).toEqual([2, 4, 6, 8]);
    await at.play();
    expect(at.remains).toEqual([]);
  });

  it("whose message cannot be read is asked as well", async () => {
    const { at, thread } = await acquainted();
    const job = at.engine.run(handler("double"), [1, 2, 3, 4], { batchSize: 2 });
    await turn();
    while (thread.holds.length > 1 || thread.heard.length < 4) thread.step();
    thread.loseWord();
    thread.sayUnreadable();
    expect((await at.playUntil(job.result)).values).toEqual([2, 4, 6, 8]);
    await at.play();
    expect(at.remains).toEqual([]);
  });

  it("is not given items that nest too deep to be cloned", async () => {
    const { at } = await acquainted();
    const job = at.engine.run(handler<unknown, unknown>("double"), [nest(100_000), 2], { onError: "collect" });
    const { failures, values } = await at.playUntil(job.result);
    expect(values).toEqual([undefined, 4]);
    expect(failures[0]?.error.code).toBe("NOT_CLONEABLE");
  });
});
