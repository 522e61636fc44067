import { describe, expect, it, vi } from "vitest";
import { type Source, type SourceListener, type SourceOptions, openSource } from "../../src/jobs/source.js";

/** Hears what a source says, and lets a test wait for it. */
class Hearer implements SourceListener {
  readonly said: string[] = [];
  readonly causes: unknown[] = [];
  items = 0;
  #wake: (() => void) | undefined;

  #say(word: string): void {
    this.said.push(word);
    this.#wake?.();
  }
  onItems(count: number): void {
    this.items += count;
    this.#say(`items ${count}`);
  }
  onPulled(ended: boolean): void {
    this.#say(ended ? "ended" : "pulled");
  }
  onFailed(cause: unknown): void {
    this.causes.push(cause);
    this.#say("failed");
  }
  onCancelled(reason: unknown): void {
    this.causes.push(reason);
    this.#say("cancelled");
  }
  atRest(callback: () => void): void {
    callback();
  }

  async hears(word: string): Promise<void> {
    while (!this.said.includes(word)) {
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }
}

const plain: SourceOptions = { isPaced: false, weigh: undefined, maxInFlightBytes: Infinity };

function open(items: unknown, options: Partial<SourceOptions> = {}): { source: Source; hearer: Hearer } {
  const hearer = new Hearer();
  return { source: openSource(items, { ...plain, ...options }, hearer), hearer };
}

/** An iterator that tells what is done to it. */
function watched(count: number): { items: Iterable<number>; log: string[] } {
  const log: string[] = [];
  let next = 0;
  const iterator: Iterator<number> = {
    next: () => {
      log.push("next");
      return next < count ? { done: false, value: next++ } : { done: true, value: undefined };
    },
    return: () => {
      log.push("return");
      return { done: true, value: undefined };
    },
  };
  return { items: { [Symbol.iterator]: () => iterator }, log };
}

describe("what is no source of items", () => {
  it.each([
    ["a string", "abc", /items is a string/],
    ["a Buffer", Buffer.from("abc"), /items is a Buffer/],
    ["a number", 5, /not number/],
    ["null", null, /not null/],
    ["an object", { a: 1 }, /not object/],
    ["a DataView", new DataView(new ArrayBuffer(1)), /not object/],
    ["a function", () => [], /not function/],
    ["a promise of items", Promise.resolve([1]), /not a promise; await it first/],
  ])("is refused: %s", (_, items, message) => {
    expect(() => open(items)).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT", message: expect.stringMatching(message) as string }),
    );
  });
});

describe("a list", () => {
  it.each([
    ["an array", ["a", "b", "c"]],
    ["a typed array", new Uint16Array([1, 2, 3])],
  ])("is there from the start: %s", (_, items) => {
    const { source } = open(items);
    expect([source.supplied, source.isEnded, source.length]).toEqual([3, true, 3]);
    expect(source.take(0, 2)).toEqual([...items].slice(0, 2));
    expect(source.take([2, 0], 2)).toEqual([items[2], items[0]]);
  });

  it("says so when its owner has made the array shorter or longer, until it is closed", () => {
    const items = [1, 2, 3];
    const { source } = open(items);
    expect(source.fault).toBeUndefined();
    items.push(4);
    expect(String(source.fault?.cause)).toMatch(/had 3 items when the job began, and has 4 now/);
    items.length = 2;
    expect(String(source.fault?.cause)).toMatch(/and has 2 now/);
    source.close();
    expect(source.fault).toBeUndefined();
  });

  it("with holes gives packed batches: a clone of an array with holes takes four times as long", () => {
    // oxlint-disable-next-line no-sparse-arrays -- it is what is tested
    const { source } = open([1, , 3]);
    const taken = source.take(0, 3);
    expect(taken).toEqual([1, undefined, 3]);
    expect(1 in taken).toBe(true);
  });

  it("keeps nothing of its items once it is closed", () => {
    const { source } = open(["a"]);
    source.close();
    expect(source.take(0, 1)).toEqual([undefined]);
  });

  it("is handed out piece by piece where a reader sets the pace", async () => {
    const { source, hearer } = open(["a", "b", "c"], { isPaced: true });
    expect([source.supplied, source.isEnded, source.length]).toEqual([0, false, 3]);
    source.pull(2);
    await hearer.hears("pulled");
    expect([hearer.items, source.take(0, 2)]).toEqual([2, ["a", "b"]]);
  });
});

describe("a source that is pulled", () => {
  it("gives as many items as are asked for, and no more are made", () => {
    const { items, log } = watched(10);
    const { source, hearer } = open(items);
    expect(log).toEqual([]);
    source.pull(3);
    expect(hearer.said).toEqual(["items 3", "pulled"]);
    expect(log).toEqual(["next", "next", "next"]);
  });

  it("says that it has ended, with its last items before", () => {
    const { source, hearer } = open(new Set(["a", "b"]));
    source.pull(5);
    expect(hearer.said).toEqual(["items 2", "ended"]);
    expect(source.take(0, 2)).toEqual(["a", "b"]);
  });

  it("ends with any true value of done, as a loop does", () => {
    let given = 0;
    const next = (): unknown => (given++ < 2 ? { value: "item" } : { done: 1 });
    const { source, hearer } = open({ [Symbol.iterator]: () => ({ next }) });
    source.pull(5);
    expect(hearer.said).toEqual(["items 2", "ended"]);
  });

  it("is asked once for each value: there may be a getter behind it", () => {
    let read = 0;
    const step = {
      get done() {
        return read === 2;
      },
      get value() {
        return ++read;
      },
    };
    const items = { [Symbol.iterator]: () => ({ next: () => step }) };
    const { source, hearer } = open(items, { weigh: () => 1, maxInFlightBytes: 9 });
    source.pull(5);
    expect(hearer.said).toEqual(["items 2", "ended"]);
    expect(source.take(0, 2)).toEqual([1, 2]);
  });

  it("gives what an async source has at once, item by item", async () => {
    async function* items(): AsyncGenerator<string> {
      yield "a";
      yield "b";
    }
    const { source, hearer } = open(items());
    source.pull(5);
    await hearer.hears("ended");
    expect(hearer.items).toBe(2);
    expect(source.take(0, 2)).toEqual(["a", "b"]);
  });

  it("gives again what came back from a batch", () => {
    const { source } = open(new Set(["a", "b", "c", "d"]));
    source.pull(4);
    const first = source.take(0, 3);
    source.giveBack(0, first, 1, 3);
    expect(source.take(3, 1)).toEqual(["d"]);
    expect(source.take([2], 1)).toEqual(["c"]);
    expect(source.take(1, 1)).toEqual(["b"]);
  });

  it("lets other work of the main thread in between", async () => {
    function* endless(): Generator<number> {
      for (let at = 0; ; at++) yield at;
    }
    const { source, hearer } = open(endless());
    const turn = new Promise<void>((resolve) => setImmediate(resolve));
    // More than can be pulled in a slice of the main thread's time, on any machine.
    source.pull(100_000_000);
    await turn;
    expect(hearer.items).toBeGreaterThan(0);
    expect(hearer.said).not.toContain("pulled");
    source.close();
  });

  it.each([
    [
      "when it is opened",
      {
        [Symbol.iterator]: () => {
          throw new RangeError("no");
        },
      },
    ],
    [
      "between items",
      (function* () {
        yield "a";
        throw new RangeError("no");
      })(),
    ],
    [
      "in its promise",
      (async function* () {
        yield await Promise.reject(new RangeError("no"));
      })(),
    ],
  ])("fails with what it throws %s", async (_, items) => {
    const { source, hearer } = open(items);
    source.pull(5);
    await hearer.hears("failed");
    expect(hearer.causes).toMatchObject([{ name: "RangeError", message: "no" }]);
    expect(hearer.said.at(-1)).toBe("failed");
  });

  it("is told once that no more is wanted, and says nothing afterwards", () => {
    const { items, log } = watched(10);
    const { source, hearer } = open(items);
    source.pull(1);
    source.close();
    source.close();
    source.pull(5);
    expect(log).toEqual(["next", "return"]);
    expect(hearer.said).toEqual(["items 1", "pulled"]);
  });

  it("is not opened any more once it is closed: nobody would close what that opens", () => {
    const opens = vi.fn<() => Iterator<number>>(() => [1].values());
    const { source, hearer } = open({ [Symbol.iterator]: opens });
    source.close();
    source.pull(1);
    expect(opens).not.toHaveBeenCalled();
    expect(hearer.said).toEqual([]);
  });

  it.each([["next"], ["weigh"]])("is told to return if %s threw, unless it was its own next", async (thrower) => {
    const log: string[] = [];
    const iterator = {
      next: () => {
        if (thrower === "next") throw new Error("bad");
        return { done: false, value: 1 };
      },
      return: () => {
        log.push("return");
        return { done: true, value: undefined };
      },
    };
    const weigh = (): number => {
      throw new Error("bad");
    };
    const { source, hearer } = open({ [Symbol.iterator]: () => iterator }, { weigh });
    source.pull(1);
    await hearer.hears("failed");
    expect(hearer.causes).toMatchObject([{ message: "bad" }]);
    expect(log).toEqual(thrower === "next" ? [] : ["return"]);
  });

  it("gives others their turn, though it is asynchronous and never waits", async () => {
    let turns = 0;
    const { source, hearer } = open(
      (async function* () {
        // Without turns it would go on for ever, and not even a time limit could end that.
        const giveUpAt = performance.now() + 5_000;
        setImmediate(function count() {
          if (++turns < 3) setImmediate(count);
        });
        while (turns < 3 && performance.now() < giveUpAt) yield 1;
      })(),
    );
    source.pull(Infinity);
    await hearer.hears("ended");
    expect(turns).toBe(3);
  });

  // A generator refuses a return in the middle of its code: what it has opened would stay open.
  it("is told so after its code has come to an end, where that has closed it", async () => {
    const log: string[] = [];
    function* items(): Iterable<string> {
      try {
        yield "first";
        source.close();
        yield "second";
      } finally {
        log.push("cleaned up");
      }
    }
    const { source, hearer } = open(items());
    source.pull(1);
    await hearer.hears("pulled");
    source.pull(1);
    expect(log).toEqual(["cleaned up"]);
    expect(hearer.items).toBe(1);
  });

  it("is not told so when it has ended by itself", () => {
    const { items, log } = watched(1);
    const { source } = open(items);
    source.pull(5);
    source.close();
    expect(log).toEqual(["next", "next"]);
  });

  it("is not waited for when no more is wanted, nor harmed by what it answers", async () => {
    const rejections: unknown[] = [];
    const note = (reason: unknown): void => void rejections.push(reason);
    process.on("unhandledRejection", note);
    for (const answer of [() => Promise.reject(new Error("no")), () => new Promise(() => undefined), throwing]) {
      const iterator = { next: () => ({ done: false, value: 1 }), return: answer };
      const { source } = open({ [Symbol.iterator]: () => iterator });
      source.pull(1);
      source.close();
    }
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", note);
    expect(rejections).toEqual([]);
  });

  it("drops what an async source gives after it was closed", async () => {
    let give: (result: IteratorResult<string>) => void = () => undefined;
    const next = (): Promise<IteratorResult<string>> =>
      new Promise((resolve) => {
        give = resolve;
      });
    const { source, hearer } = open({ [Symbol.asyncIterator]: () => ({ next }) });
    source.pull(5);
    source.close();
    give({ done: false, value: "late" });
    await new Promise((resolve) => setImmediate(resolve));
    expect(hearer.said).toEqual([]);
  });
});

function throwing(): never {
  throw new Error("no");
}

describe("a source whose items are weighed", () => {
  const weighed = (items: Iterable<number>, maxInFlightBytes: number): ReturnType<typeof open> =>
    open(items, { weigh: (item: number) => item, maxInFlightBytes });

  it("keeps no more bytes in flight than it may", async () => {
    const { source, hearer } = weighed([30, 30, 30, 30], 70);
    source.pull(10);
    expect(hearer.said).toEqual(["items 2"]);
    source.take(0, 2);
    source.release(0, 1);
    while (hearer.items < 3) await new Promise((resolve) => setImmediate(resolve));
    expect(hearer.items).toBe(3);
    source.release(1, 2);
    await hearer.hears("ended");
    expect(hearer.items).toBe(4);
  });

  it("sends an item alone that is above the bound itself", async () => {
    const { source, hearer } = weighed([10, 500, 10], 70);
    source.pull(10);
    expect(hearer.items).toBe(1);
    source.release(0, 1);
    while (hearer.items < 2) await new Promise((resolve) => setImmediate(resolve));
    // The heavy one is in flight, and nothing with it.
    await new Promise((resolve) => setImmediate(resolve));
    expect(hearer.items).toBe(2);
    source.release(1, 1);
    await hearer.hears("ended");
    expect(hearer.items).toBe(3);
  });

  // 0.1 + 0.2 - 0.1 - 0.2 is not 0: it is not seen that nothing else is in flight, and the heavy item waits for ever.
  it.each([
    ["fractions", 0.1, 0.2],
    ["an infinite weight", Infinity, 0.2],
  ])("sends a heavy item also after %s", async (_, first, second) => {
    const { source, hearer } = weighed([first, second, 500], 70);
    source.pull(10);
    source.release(0, 1);
    while (hearer.items < 2) await new Promise((resolve) => setImmediate(resolve));
    source.release(1, 1);
    await hearer.hears("ended");
    expect(hearer.items).toBe(3);
  });

  it.each([NaN, -1, "10", undefined])("fails when its weight is %s", async (bytes) => {
    const { source, hearer } = open([1], { weigh: (() => bytes) as never, maxInFlightBytes: 10 });
    source.pull(1);
    await hearer.hears("failed");
    expect(hearer.causes).toMatchObject([{ code: "INVALID_ARGUMENT" }]);
  });
});
