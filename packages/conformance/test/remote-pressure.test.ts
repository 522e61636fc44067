/** Section 10: a client that is slow or blocked makes nothing grow, on either side of its port. Counted, not timed. */
import { createEngine, task } from "@threadmill/engine";
import { connectEngine, exposeEngine } from "@threadmill/engine/remote";
import { describe, expect, test } from "vitest";
import { byIndex, collect, range } from "../src/assertions.js";
import { addOne, detailed } from "../src/fixtures/index.js";
import { HeldPort } from "../src/remote/held-port.js";
import { aWhile, until, useKit } from "../src/leaks.js";

const kit = useKit({ createEngine, slots: 1, lacks: {}, engineOptions: {} });

/** The bounds that docs/remote.md names. */
const MAX_MESSAGES = 4;
const MAX_OUTCOMES = 16_384;

function connectHeld() {
  const engine = kit.engine({ threads: 0 });
  const [engineEnd, clientEnd] = HeldPort.pair();
  const exposure = exposeEngine(engine, engineEnd);
  return { engine, exposure, clientEnd, engineEnd, remote: connectEngine(clientEnd) };
}

/** How many outcomes lie in messages that have not arrived. */
function outcomesIn(messages: readonly unknown[]): number {
  let outcomes = 0;
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
    const { runs } = value as { runs?: { values: ArrayLike<unknown> }[] };
    if (Array.isArray(runs)) for (const { values } of runs) outcomes += values.length;
    else for (const inner of Object.values(value)) visit(inner);
  };
  visit(messages);
  return outcomes;
}

describe("a client that is blocked", () => {
  test("is sent no more than a few messages of a collecting job, and all of it when it comes back", async () => {
    const { engine, remote, clientEnd } = connectHeld();
    const handle = remote.run(addOne, range(200_000));
    const { result } = handle;
    await until(() => engine.jobs().length > 0);
    clientEnd.hold(true);
    // Its items come from the client, so the job cannot end; from an array that was sent it can.
    await aWhile();
    expect(clientEnd.waiting.length).toBeLessThanOrEqual(MAX_MESSAGES + 1);
    expect(outcomesIn(clientEnd.waiting)).toBeLessThanOrEqual(2 * MAX_OUTCOMES);
    clientEnd.hold(false);
    expect((await result).values).toEqual(range(200_000).map((value) => value + 1));
    await remote.close();
  });

  test("is sent no more of a job that has ended without it", async () => {
    const { engine, remote, clientEnd } = connectHeld();
    const handle = remote.run(addOne, Float64Array.from(range(200_000)) as never, { id: "ended" });
    const { result } = handle;
    await until(() => engine.jobs().length > 0);
    clientEnd.hold(true);
    await engine.drain();
    await aWhile();
    expect(engine.job("ended")?.state).toBe("completed");
    expect(handle.state).not.toBe("completed");
    expect(clientEnd.waiting.length).toBeLessThanOrEqual(MAX_MESSAGES + 1);
    expect(outcomesIn(clientEnd.waiting)).toBeGreaterThan(0);
    expect(outcomesIn(clientEnd.waiting)).toBeLessThanOrEqual(2 * MAX_OUTCOMES);
    clientEnd.hold(false);
    expect((await result).values).toHaveLength(200_000);
    await remote.close();
  });

  test("is not sent events without end", async () => {
    const { remote, clientEnd, exposure } = connectHeld();
    const handle = remote.run(
      detailed,
      range(3_000).map((value) => ({ value })),
      { batchSize: 1 },
    );
    const { result } = handle;
    let heard = 0;
    for (const event of ["batch", "detail", "progress"] as const) handle.on(event, () => heard++);
    await new Promise<void>((resolve) => handle.once("start", () => resolve()));
    clientEnd.hold(true);
    await until(() => clientEnd.waiting.length >= MAX_MESSAGES);
    await aWhile();
    expect(clientEnd.waiting.length).toBeLessThanOrEqual(MAX_MESSAGES + 1);
    clientEnd.hold(false);
    await result;
    expect(heard).toBeGreaterThan(0);
    await until(() => exposure.jobs === 0);
    await remote.close();
  });
});

describe("a reader that is slow", () => {
  test("of a job that does not collect holds the source, and nothing lies in between", async () => {
    const { remote, clientEnd, engineEnd } = connectHeld();
    let pulled = 0;
    const items = (function* () {
      for (;;) yield pulled++;
    })();
    const loop = remote.run(addOne, items, { collect: false, maxInFlight: 50 })[Symbol.asyncIterator]();
    for (let read = 1; read <= 200; read++) {
      expect((await loop.next()).done).not.toBe(true);
      if (read % 50 !== 0) continue;
      await aWhile();
      expect(pulled - (read - 1)).toBeLessThanOrEqual(50);
      expect(clientEnd.waiting).toEqual([]);
      const before = [clientEnd.received, engineEnd.received];
      await aWhile();
      // Only news of its progress may pass.
      expect(clientEnd.received - (before[0] ?? 0)).toBeLessThanOrEqual(MAX_MESSAGES);
      expect(pulled - (read - 1)).toBeLessThanOrEqual(50);
    }
    await loop.return?.();
    await remote.close();
  });

  test("gets every outcome once, however the messages are cut", async () => {
    const { remote } = connectHeld();
    const handle = remote.run(addOne, range(30_000), { collect: false });
    expect(byIndex(await collect(handle)).map(({ index }) => index)).toEqual(range(30_000));
    await remote.close();
  });

  test("that never reads on is let go when it leaves, also after the job has ended", async () => {
    const { engine, remote, exposure } = connectHeld();
    const handle = remote.run(addOne, range(2_000), { collect: false, maxInFlight: 4_000 });
    const loop = handle[Symbol.asyncIterator]();
    await loop.next();
    await engine.drain();
    await until(() => handle.state === "completed");
    expect(exposure.jobs).toBe(1);
    await loop.return?.();
    await until(() => exposure.jobs === 0);
    expect(exposure.jobs).toBe(0);
    await remote.close();
  });
});

describe("items that wait", () => {
  test("of an array are asked for in pieces, as the engine takes them", async () => {
    const { remote, engineEnd } = connectHeld();
    const blob = "x".repeat(64 * 1024);
    const items = Array.from({ length: 400 }, (_, index) => `${index} ${blob}`);
    let largest = 0;
    const watch = setInterval(() => (largest = Math.max(largest, ...engineEnd.waiting.map(sizeOf))), 0);
    const lengths = await remote.map(
      task<(text: string) => number>("data:text/javascript,export default (text) => text.length"),
      items,
    );
    clearInterval(watch);
    expect(lengths).toEqual(items.map(({ length }) => length));
    // 25 MB went through messages of about one.
    expect(engineEnd.received).toBeGreaterThan(20);
    await remote.close();
  });
});

function sizeOf(message: unknown): number {
  return JSON.stringify(message).length;
}
