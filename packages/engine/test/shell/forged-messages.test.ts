/** The rule for what comes out of a thread: what does not match is dropped and counted, and harms nobody. */
import { describe, expect, it } from "vitest";
import { EngineAtHand, handler, turn } from "./engine-at-hand.js";
import { ITEMS, LIES, MISDESCRIPTIONS, UNHARMED, acquainted, misdescribe, oddRecords, tell } from "./lies.js";

const items = Array.from({ length: ITEMS }, (_, index) => index);

describe("a lie among the answers is dropped and counted, and the job ends as if it had not been told", () => {
  it.each(LIES)("$name", async ({ tell: lie }) => {
    expect(await tell(lie)).toEqual(UNHARMED);
  });
});

describe("a task that is described wrongly is described again by the truth", () => {
  it.each(MISDESCRIPTIONS)("$name", async ({ message }) => {
    expect(await misdescribe(message)).toEqual(UNHARMED);
  });

  it("of more lanes than any thread has is taken at its word, and harms nobody", async () => {
    expect(await misdescribe(["described", 1, "item", 1e9, 0])).toEqual({ ...UNHARMED, dropped: 0 });
  });
});

describe("an answer in good form counts, whoever has sent it", () => {
  it("and the one after it is dropped", async () => {
    const aftermath = await tell(({ running }) => ["done", running, 4, [10, 20, 30, 40], undefined, 1, 0]);
    expect(aftermath).toEqual({ ...UNHARMED, values: [10, 20, 30, 40, 8, 10, 12, 14] });
  });

  it("but its times are no longer than the batch was out, or nothing would ever be fair again", async () => {
    const { at, thread } = await acquainted();
    const job = at.engine.run(handler("double"), [1], {});
    await turn();
    thread.step();
    const [batch] = thread.holds as [number];
    thread.say(["done", batch, 1, [2], undefined, 1e308, 1e308]);
    const { stats } = await job.result;
    expect(stats.threadMs).toBeLessThanOrEqual(stats.elapsedMs);
    expect(at.registry.dispatcher.state.fairShare).toBeLessThan(Infinity);
    for (const { msPerItem } of at.registry.dispatcher.state.recipes.values()) expect(msPerItem).toBeLessThan(1e9);
  });

  it("also for the batch behind, which was not begun", async () => {
    const aftermath = await tell(({ behind }) => ["done", behind, 0, [], undefined, 1, 0]);
    expect(aftermath).toEqual(UNHARMED);
  });

  it.each(oddRecords())("with a record that has $name, which is cut to size", async ({ record }) => {
    const { at, thread } = await acquainted();
    const job = at.engine.run(handler("double"), [1], { onError: "collect" });
    await turn();
    thread.step();
    const [batch] = thread.holds as [number];
    thread.say(["done", batch, 1, [undefined], [[0, "TASK_FAILED", record]], 1, 0]);
    const { failures } = await job.result;
    const { error } = failures[0]!;
    expect(error).toMatchObject({ code: "TASK_FAILED", index: 0, attempt: 1 });
    let depth = 0;
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
      depth++;
      expect(typeof cause.name).toBe("string");
      expect(typeof cause.stack).toBe("string");
      expect(cause.message.length).toBeLessThan(1_200);
    }
    expect(depth).toBeGreaterThan(1);
    expect(depth).toBeLessThan(10);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    await at.play();
    expect(at.remains).toEqual([]);
  });

  it("when it says that the task is broken", async () => {
    const aftermath = await tell(({ running }) => [
      "broken",
      running,
      "SETUP_FAILED",
      { name: "Error", message: "no" },
    ]);
    expect(aftermath).toMatchObject({ thrown: undefined, state: "failed", remains: [] });
  });

  it("when it says that the batch is spoilt: its halves go again", async () => {
    const aftermath = await tell(({ running }) => ["spoilt", running, "TASK_FAILED", { name: "E", message: "no" }, 1]);
    expect(aftermath).toEqual(UNHARMED);
  });
});

describe("a lie about what the thread holds", () => {
  it("when nobody has asked means nothing", async () => {
    expect(await tell(() => ["held", []])).toEqual({ ...UNHARMED, dropped: 0 });
  });

  it("makes batches that it has go again, and its answers to them are dropped", async () => {
    const aftermath = await tell(({ thread }) => {
      thread.say(["unreadable"]);
      return ["held", []];
    });
    expect(aftermath).toEqual({ ...UNHARMED, dropped: 2 });
  });

  it("may name batches that were never sent, and the same one often", async () => {
    const aftermath = await tell(({ thread, running, behind }) => {
      thread.say(["unreadable"]);
      return ["held", [running, running, behind, 999, ...Array.from({ length: 100_000 }, (_, at) => -at)]];
    });
    expect(aftermath).toEqual({ ...UNHARMED, dropped: 0 });
  });

  it("does not make the engine ask for ever", async () => {
    const { at, thread } = await acquainted();
    for (let times = 0; times < 1_000; times++) {
      thread.say(["unreadable"]);
      thread.say("nonsense");
    }
    await at.play();
    expect(thread.heard.filter(([type]) => type === "which").length).toBeLessThan(5);
    expect(await at.playUntil(at.engine.map(handler("double"), items))).toEqual(UNHARMED.values);
  });
});

describe("values and details with keys that pollute", () => {
  const polluting = (): unknown =>
    JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}');

  it("come through as they are", async () => {
    const at = new EngineAtHand({ handlers: { same: (item) => item } });
    const job = at.engine.run(handler<unknown, unknown>("same"), [polluting()]);
    const details: unknown[] = [];
    job.on("detail", (detail) => details.push(detail));
    await turn();
    const thread = at.runner.at(0);
    while (thread.holds.length === 0) thread.step();
    thread.say(["detail", thread.holds[0], polluting()]);
    const { values } = await at.playUntil(job.result);
    expect(Object.getOwnPropertyNames(values[0])).toEqual(["__proto__", "constructor"]);
    expect(details).toHaveLength(1);
    expect(job.progress.detail).toEqual(details[0]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe("a message that comes too late", () => {
  it("after its thread died changes nothing: another thread has the work", async () => {
    const { at, thread } = await acquainted();
    const job = at.engine.run(handler("double"), items, { batchSize: 4 });
    const batches: unknown[] = [];
    job.on("batch", (batch) => batches.push(batch));
    await turn();
    for (let steps = 0; steps < 4; steps++) thread.step();
    const [running] = thread.holds as [number];
    thread.die();
    thread.sayLate(["done", running, 4, [10, 20, 30, 40], undefined, 1, 0]);
    thread.sayLate(["described", 1, "batch", 1, 1]);
    thread.sayLate(["broken", running, "SETUP_FAILED", { name: "Error", message: "no" }]);
    thread.sayLate(undefined);
    await at.playUntil(job.result);
    expect((await job.result).values).toEqual(UNHARMED.values);
    await at.play();
    expect(at.remains).toEqual([]);
  });

  it("from a thread that was set aside is dropped, and the thread is ended", async () => {
    const { at, thread } = await acquainted();
    thread.row.enter("native");
    const job = at.engine.run(handler("double"), items, { batchSize: 4, id: "left" });
    await turn();
    for (let steps = 0; steps < 4; steps++) thread.step();
    const [running, behind] = thread.holds as [number, number];
    const aside = new Promise<void>((resolve) => {
      at.engine.on("thread", ({ type }) => {
        if (type === "stuck") resolve();
      });
    });
    job.cancel();
    await aside;
    expect(thread.isAside).toBe(true);
    thread.row.leave("native");
    for (const batch of [running, behind]) thread.say(["done", batch, 4, [10, 20, 30, 40], undefined, 1, 0]);
    thread.sayLate("nonsense");
    expect(thread.phase).toBe("terminated");
    expect(at.engine.stats().droppedMessages).toBe(3);
    await at.playUntil(at.engine.drain());
    expect(await at.playUntil(at.engine.map(handler("double"), items))).toEqual(UNHARMED.values);
  });

  it("after the engine was closed is dropped", async () => {
    const { at, thread } = await acquainted();
    const job = at.engine.run(handler("double"), items, { batchSize: 4 });
    await turn();
    for (let steps = 0; steps < 4; steps++) thread.step();
    const [running] = thread.holds as [number];
    await at.playUntil(at.engine.close({ deadlineMs: 0 }));
    expect(job.state).toBe("cancelled");
    for (const message of [
      ["done", running, 4, [10, 20, 30, 40], undefined, 1, 0],
      ["held", []],
      ["unreadable"],
      ["described", 1, "batch", 1, 1],
      ["closed"],
      undefined,
    ]) {
      thread.sayLate(message);
    }
    await turn();
    expect(at.runner.all).toHaveLength(1);
    expect(job.state).toBe("cancelled");
    expect(at.remains).toEqual([]);
  });
});
