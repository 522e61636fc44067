/** Sections 4 and 7, `collect: false` and back-pressure: the source is pulled only as threads and readers keep up. */
import type { JobHandle } from "@threadmill/engine";
import { describe, expect, test } from "vitest";
import { byIndex, collect, failure, range, rejection, thrown } from "../assertions.js";
import { addOne, flaky, gated } from "../fixtures/index.js";
import { Gate } from "../gate.js";
import { aWhile, until, useKit } from "../leaks.js";
import type { Subject } from "../subject.js";

/** A source that counts what was pulled, and hears of its end. */
class Counted {
  pulled = 0;
  returns = 0;
  readonly #count: number;
  constructor(count: number) {
    this.#count = count;
  }
  [Symbol.iterator](): Iterator<number> {
    return {
      next: () =>
        this.pulled < this.#count ? { done: false, value: this.pulled++ } : { done: true, value: undefined },
      return: () => {
        this.returns++;
        return { done: true, value: undefined };
      },
    };
  }
}

class CountedLater extends Counted {
  async *[Symbol.asyncIterator](): AsyncGenerator<number> {
    for (const item of { [Symbol.iterator]: () => super[Symbol.iterator]() }) {
      await Promise.resolve();
      yield item;
    }
  }
}

/** Lets everything happen that can happen without the reader. */
async function quiet(source: Counted): Promise<void> {
  for (let still = 0, before = -1; still < 200; still++) {
    if (source.pulled !== before) still = 0;
    before = source.pulled;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export function streamingSuite(subject: Subject): void {
  describe("a job that does not collect", () => {
    const kit = useKit(subject);

    test("gives every outcome to its loop, and keeps none for the result", async () => {
      const handle = kit.engine().run(addOne, range(5_000), { collect: false });
      const outcomes = await collect(handle);
      expect(byIndex(outcomes).map(({ index }) => index)).toEqual(range(5_000));
      const { values, stats } = await handle.result;
      expect(values).toEqual([]);
      expect(stats.completed).toBe(5_000);
    });

    test.each([
      ["outcomes", (handle: JobHandle<number>) => handle],
      ["batches", (handle: JobHandle<number>) => handle.batches()],
      ["values", (handle: JobHandle<number>) => handle.values()],
    ])("ends its loop over %s though it is the last read that lets the job complete", async (_, open) => {
      const handle = kit.engine().run(addOne, range(3), { collect: false, maxInFlight: 1 });
      expect(await collect<unknown>(open(handle))).toHaveLength(3);
      expect(handle.state).toBe("completed");
    });

    test("drops values that nobody reads, and completes", async () => {
      const handle = kit.engine().run(addOne, range(5_000), { collect: false });
      expect((await handle.result).stats.completed).toBe(5_000);
    });

    test.each([
      ["a synchronous", Counted],
      ["an async", CountedLater],
    ] as const)("pulls %s source only as its reader keeps up, at most maxInFlight ahead", async (_, Source) => {
      const source = new Source(1_000);
      const handle = kit.engine().run(addOne, source, { collect: false, maxInFlight: 10 });
      const loop = handle[Symbol.asyncIterator]();
      let most = 0;
      for (let read = 1; read <= 60; read++) {
        expect((await loop.next()).done).not.toBe(true);
        if (read % 20 === 0) await quiet(source);
        // The one in the reader's hand is still in flight: it has not come back for the next.
        most = Math.max(most, source.pulled - (read - 1));
      }
      expect(most).toBeLessThanOrEqual(10);
      await loop.return?.();
    });

    test("pulls an array no faster: a paced job does not fill the memory with outcomes", async () => {
      let started = 0;
      const handle = kit.engine().run(addOne, range(100_000), { collect: false, maxInFlight: 64 });
      handle.on("batch", ({ items }) => (started += items));
      const loop = handle[Symbol.asyncIterator]();
      await loop.next();
      await aWhile();
      expect(started).toBeLessThanOrEqual(64);
      await loop.return?.();
    });

    test("has a bound on what is in flight without being told one", async () => {
      const source = new Counted(2_000_000);
      const handle = kit.engine().run(addOne, source, { collect: false });
      const loop = handle[Symbol.asyncIterator]();
      await loop.next();
      await quiet(source);
      expect(source.pulled).toBeLessThanOrEqual(65_536);
      await loop.return?.();
    });

    test("counts ordered outcomes that wait for an earlier one, and cannot deadlock", async () => {
      const gate = new Gate();
      const source = new Counted(200);
      const items = (function* () {
        for (const value of source) yield value === 0 ? { value, gate: gate.shared } : { value };
      })();
      const options = { collect: false, ordered: true, maxInFlight: 8, concurrency: 4 } as const;
      const handle = kit.engine().run(gated, items, options);
      const reading = collect(handle);
      await gate.arrived();
      await quiet(source);
      expect(source.pulled).toBeLessThanOrEqual(8);
      gate.open();
      expect((await reading).map(({ index }) => index)).toEqual(range(200));
    });

    test("counts items that wait for their retry", async () => {
      const source = new Counted(1_000);
      const items = (function* () {
        for (const value of source) yield { value, succeedsAt: 2 };
      })();
      const handle = kit.engine().run(flaky, items, {
        collect: false,
        maxInFlight: 5,
        retry: { attempts: 2, backoffMs: 60_000, jitter: 0 },
      });
      const loop = handle[Symbol.asyncIterator]();
      const next = rejection(loop.next());
      await until(() => source.pulled >= 5);
      await quiet(source);
      expect(source.pulled).toBe(5);
      handle.cancel("enough");
      expect(await next).toBe("enough");
    });

    test("is cancelled by break, as web and Node streams are", async () => {
      const source = new Counted(100_000);
      const handle = kit.engine().run(addOne, source, { collect: false, maxInFlight: 100 });
      for await (const _ of handle) break;
      expect(handle.state).toBe("cancelled");
      expect(await rejection(handle.result)).toMatchObject({ name: "AbortError" });
      expect(source.returns).toBe(1);
      expect(source.pulled).toBeLessThan(1_000);
    });

    test("has one loop: a second one is refused", async () => {
      const handle = kit.engine().run(addOne, range(100), { collect: false });
      const reading = collect(handle);
      expect(thrown(() => handle[Symbol.asyncIterator]()).code).toBe("INVALID_ARGUMENT");
      expect(thrown(() => handle.values()).code).toBe("INVALID_ARGUMENT");
      expect(await reading).toHaveLength(100);
    });

    test("refuses a loop that comes when outcomes have been dropped", async () => {
      const handle = kit.engine().run(addOne, range(10), { collect: false });
      await handle.result;
      const error = thrown(() => handle[Symbol.asyncIterator]());
      expect(error.code).toBe("INVALID_ARGUMENT");
      expect(error.message).toContain("tick");
    });

    test("pulls a source of a collecting job only as threads keep up", async () => {
      const gate = new Gate();
      const source = new Counted(100_000);
      const items = (function* () {
        for (const value of source) yield { value, gate: gate.shared };
      })();
      const handle = kit.engine().run(gated, items, { maxInFlight: 6 });
      await gate.arrived();
      await quiet(source);
      expect(source.pulled).toBe(6);
      handle.cancel();
      gate.open();
      await handle.stopped;
    });
  });

  describe("weighed items", () => {
    const kit = useKit(subject);

    test("are in flight up to maxInFlightBytes, counted to the reader", async () => {
      const source = new Counted(100);
      const handle = kit.engine().run(addOne, source, {
        collect: false,
        weigh: () => 10,
        maxInFlightBytes: 30,
        maxInFlight: 50,
      });
      const loop = handle[Symbol.asyncIterator]();
      await loop.next();
      await quiet(source);
      // Three in flight, of which the reader holds one, and one that was pulled to be weighed.
      expect(source.pulled).toBeLessThanOrEqual(4);
      let read = 1;
      for (let step = await loop.next(); step.done !== true; step = await loop.next()) read++;
      expect(read).toBe(100);
    });

    test("of a collecting job are all delivered, and one above the bound travels alone", async () => {
      const gate = new Gate();
      const source = new Counted(30);
      const items = (function* () {
        for (const value of source) yield { value, gate: gate.shared };
      })();
      const handle = kit.engine().run(gated, items, {
        weigh: ({ value }) => (value === 2 ? 1_000 : 10),
        maxInFlightBytes: 20,
      });
      await gate.arrived();
      await quiet(source);
      expect(source.pulled).toBeLessThanOrEqual(3);
      gate.open();
      expect((await handle.result).values).toEqual(range(30));
    });

    test.each([
      [
        "throws",
        (): number => {
          throw new RangeError("no scales");
        },
        "no scales",
      ],
      ["answers no number", (): number => Number.NaN, "weigh"],
      ["answers less than nothing", (): number => -1, "weigh"],
    ] as const)("whose weigh %s fail the job as a source does", async (_, weigh, message) => {
      const handle = kit.engine().run(addOne, [1, 2, 3], { weigh, maxInFlightBytes: 100 });
      expect((await failure(handle.result, "SOURCE_FAILED")).message).toContain(message);
    });
  });

  describe("a source", () => {
    const kit = useKit(subject);

    test("that throws half-way fails the job, with its error as the cause", async () => {
      const cause = new RangeError("half-way");
      const items = (function* () {
        yield* range(100);
        throw cause;
      })();
      const error = await failure(kit.engine().run(addOne, items).result, "SOURCE_FAILED");
      expect(error.cause).toBe(cause);
      expect(error).toMatchObject({ index: -1, attempt: 0 });
      expect(error.message).toContain("half-way");
    });

    test("that rejects half-way does the same", async () => {
      const items = (async function* () {
        yield 1;
        await Promise.resolve();
        throw new Error("lost the connection");
      })();
      const error = await failure(kit.engine().run(addOne, items, { onError: "collect" }).result, "SOURCE_FAILED");
      expect((error.cause as Error).message).toBe("lost the connection");
    });

    test("that throws at once, before its first item, does the same", async () => {
      const items: Iterable<number> = {
        [Symbol.iterator]: () => {
          throw new Error("no iterator");
        },
      };
      expect((await failure(kit.engine().run(addOne, items).result, "SOURCE_FAILED")).message).toContain("no iterator");
    });

    test("whose next answers nonsense does the same", async () => {
      const items: Iterable<number> = { [Symbol.iterator]: () => ({ next: () => undefined as never }) };
      const handle = kit.engine().run(addOne, items);
      await failure(handle.result, "SOURCE_FAILED");
      expect(handle.state).toBe("failed");
    });

    test("is closed when the job is cancelled, and its return is not waited for", async () => {
      let returned = 0;
      let pulls = 0;
      const items: AsyncIterable<number> = {
        [Symbol.asyncIterator]: () => ({
          next: () => {
            pulls++;
            return new Promise(() => undefined);
          },
          return: () => {
            returned++;
            return new Promise(() => undefined);
          },
        }),
      };
      const handle = kit.engine().run(addOne, items);
      await until(() => pulls > 0);
      handle.cancel("enough");
      expect(await rejection(handle.result)).toBe("enough");
      await handle.stopped;
      expect(returned).toBe(1);
    });

    test("whose return throws or rejects harms nobody", async () => {
      const engine = kit.engine();
      for (const end of [
        () => Promise.reject(new Error("return")),
        () => {
          throw new Error("return");
        },
      ]) {
        const items: AsyncIterable<number> = {
          [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined), return: end }),
        };
        const handle = engine.run(addOne, items);
        handle.cancel("enough");
        expect(await rejection(handle.result)).toBe("enough");
      }
      expect(await engine.map(addOne, [1])).toEqual([2]);
    });

    test("is closed when the job fails, and not when it has ended by itself", async () => {
      const engine = kit.engine();
      const failing = new Counted(10_000);
      await failure(
        engine.run(addOne, failing, { weigh: (item) => (item === 50 ? -1 : 1), maxInFlightBytes: 9 }).result,
        "SOURCE_FAILED",
      );
      expect(failing.returns).toBe(1);
      const ending = new Counted(10);
      await engine.run(addOne, ending).result;
      expect(ending.returns).toBe(0);
    });

    test("without an end does not keep the main thread from others", async () => {
      const engine = kit.engine();
      const endless = engine.run(addOne, new Counted(Infinity), { collect: false });
      expect(await engine.map(addOne, [1])).toEqual([2]);
      endless.cancel();
      await endless.stopped;
    });

    test("may use the engine itself while it is pulled", async () => {
      const engine = kit.engine();
      const items = (async function* () {
        for (const value of range(5)) yield await engine.call(addOne, value);
      })();
      expect(await engine.map(addOne, items)).toEqual([2, 3, 4, 5, 6]);
    });
  });
}
