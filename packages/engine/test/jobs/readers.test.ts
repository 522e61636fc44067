import { TaskError } from "@threadmill/protocol";
import { describe, expect, it } from "vitest";
import type { ItemFailure, OutcomeRun } from "../../src/jobs/outcome.js";
import { type Feed, type FeedEnding, cancelOf, readBatches, readOutcomes, readValues } from "../../src/jobs/readers.js";

/** A job as a reader sees it, played by the test. */
class PlayedFeed implements Feed {
  readonly #runs: OutcomeRun[] = [];
  #ending: FeedEnding = { status: "open" };
  #wakes: (() => void)[] = [];
  /** Starts of the runs that the reader has passed on. */
  readonly read: number[] = [];
  left = 0;

  take(): OutcomeRun | undefined {
    return this.#runs.shift();
  }
  onRead(run: OutcomeRun): void {
    this.read.push(run.start);
  }
  ending(): FeedEnding {
    return this.#ending;
  }
  wait(wake: () => void): void {
    this.#wakes.push(wake);
  }
  leave(): void {
    this.left++;
  }

  give(start: number, values: readonly unknown[], failures?: ReadonlyMap<number, ItemFailure>): this {
    this.#runs.push({ start, count: values.length, values, offset: 0, failures, attempts: undefined });
    this.#wake();
    return this;
  }
  end(ending: FeedEnding = { status: "completed" }): this {
    this.#ending = ending;
    this.#wake();
    return this;
  }
  #wake(): void {
    const wakes = this.#wakes;
    this.#wakes = [];
    for (const wake of wakes) wake();
  }
}

const failureOf = (index: number): ItemFailure => ({
  index,
  attempt: 2,
  error: new TaskError("TASK_FAILED", "no", { jobId: "j", index, attempt: 2, cause: undefined }),
});

async function collect<Value>(loop: AsyncIterable<Value>): Promise<Value[]> {
  const all: Value[] = [];
  for await (const value of loop) all.push(value);
  return all;
}

describe("a loop over outcomes", () => {
  it("gives them as they come, with value, failure and attempt", async () => {
    const feed = new PlayedFeed();
    const failure = failureOf(5);
    feed
      .give(4, ["a", undefined], new Map([[5, failure]]))
      .give(0, [undefined])
      .end();
    expect(await collect(readOutcomes(feed, false))).toEqual([
      { index: 4, status: "completed", value: "a", attempt: 1 },
      { index: 5, status: "failed", error: failure.error, attempt: 2 },
      { index: 0, status: "completed", value: undefined, attempt: 1 },
    ]);
  });

  it("gives them in the order of the input where that is asked", async () => {
    const feed = new PlayedFeed();
    feed.give(3, ["d", "e"]).give(1, ["b", "c"]).give(5, ["f"]).give(0, ["a"]).end();
    const values = (await collect(readOutcomes(feed, true))).map((outcome) => outcome.index);
    expect(values).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("waits for what comes later", async () => {
    const feed = new PlayedFeed();
    const loop = readOutcomes(feed, false);
    const first = loop.next();
    feed.give(0, ["a"]);
    expect(await first).toMatchObject({ done: false, value: { value: "a" } });
    const last = loop.next();
    feed.end();
    expect(await last).toEqual({ done: true, value: undefined });
    expect(await loop.next()).toEqual({ done: true, value: undefined });
  });

  it("answers several questions at once in their order", async () => {
    const feed = new PlayedFeed();
    const loop = readOutcomes(feed, false);
    const answers = Promise.all([loop.next(), loop.next(), loop.next()]);
    feed.give(0, ["a"]);
    feed.give(1, ["b"]).end();
    expect((await answers).map(({ value }) => (value as { value?: unknown } | undefined)?.value)).toEqual([
      "a",
      "b",
      undefined,
    ]);
  });

  it("answers a question after those before it, though what it asks for is there already", async () => {
    const feed = new PlayedFeed();
    const loop = readValues<string>(feed);
    const first = loop.next();
    feed.give(0, ["a", "b"]);
    const second = loop.next();
    expect([await first, await second]).toMatchObject([{ value: "a" }, { value: "b" }]);
  });

  it("says which runs it has passed on, each when the next is asked for", async () => {
    const feed = new PlayedFeed();
    feed.give(0, ["a", "b"]).give(2, ["c"]);
    const loop = readOutcomes(feed, false);
    await loop.next();
    await loop.next();
    expect(feed.read).toEqual([]);
    await loop.next();
    expect(feed.read).toEqual([0]);
  });

  it("gives what was committed before a failure, then throws it", async () => {
    const feed = new PlayedFeed();
    const error = new RangeError("no");
    feed.give(0, ["a"]).end({ status: "failed", error });
    const loop = readOutcomes(feed, false);
    expect(await loop.next()).toMatchObject({ value: { value: "a" } });
    await expect(loop.next()).rejects.toBe(error);
    expect(await loop.next()).toEqual({ done: true, value: undefined });
  });

  it.each([new Error("stop"), undefined, "stop"])("throws the reason of a cancel at once: %s", async (reason) => {
    const feed = new PlayedFeed();
    feed.give(0, ["a"]).end({ status: "cancelled", reason });
    const loop = readOutcomes(feed, false);
    await expect(loop.next()).rejects.toBe(reason);
    expect(await loop.next()).toEqual({ done: true, value: undefined });
    expect(cancelOf(loop)).toEqual({ reason });
  });

  it("throws the reason also when it was waiting", async () => {
    const feed = new PlayedFeed();
    const waiting = readOutcomes(feed, false).next();
    const reason = new Error("stop");
    feed.end({ status: "cancelled", reason });
    await expect(waiting).rejects.toBe(reason);
  });

  it("tells its job when it is left, once", async () => {
    const feed = new PlayedFeed();
    feed.give(0, ["a", "b"]);
    const loop = readOutcomes(feed, false);
    for await (const outcome of loop) {
      expect(outcome.index).toBe(0);
      break;
    }
    expect(feed.left).toBe(1);
    await loop.return?.();
    expect(feed.left).toBe(1);
    expect(await loop.next()).toEqual({ done: true, value: undefined });
  });

  it("has not left a job that it has read to its end", async () => {
    const feed = new PlayedFeed();
    feed.give(0, ["a"]).end();
    await collect(readOutcomes(feed, false));
    expect(feed.left).toBe(0);
    expect(cancelOf(readOutcomes(feed, false))).toBeUndefined();
  });
});

describe("a loop over batches", () => {
  it("gives the same outcomes, as many at a time as were delivered together", async () => {
    const feed = new PlayedFeed();
    feed.give(0, ["a", "b"]).give(2, ["c"]).end();
    const batches = await collect(readBatches(feed, false));
    expect(batches.map((batch) => batch.map(({ index }) => index))).toEqual([[0, 1], [2]]);
    expect(feed.read).toEqual([0, 2]);
  });

  it("waits for the next one", async () => {
    const feed = new PlayedFeed();
    const loop = readBatches(feed, true);
    const first = loop.next();
    feed.give(1, ["b"]);
    feed.give(0, ["a"]);
    expect((await first).value).toMatchObject([{ index: 0 }]);
    expect((await loop.next()).value).toMatchObject([{ index: 1 }]);
  });
});

describe("a loop over values", () => {
  it("gives them bare and in the order of the input, undefined among them", async () => {
    const feed = new PlayedFeed();
    feed.give(2, ["c"]).give(0, ["a", undefined]).end();
    expect(await collect(readValues(feed))).toEqual(["a", undefined, "c"]);
  });

  it("throws the first failure in its place, and leaves the job", async () => {
    const feed = new PlayedFeed();
    const failure = failureOf(1);
    feed.give(0, ["a", undefined, "c"], new Map([[1, failure]])).end();
    const loop = readValues(feed);
    expect(await loop.next()).toEqual({ done: false, value: "a" });
    await expect(loop.next()).rejects.toBe(failure.error);
    expect(feed.left).toBe(1);
    expect(cancelOf(loop)).toBeUndefined();
  });
});

describe("what ended a loop", () => {
  it("is not asked of other iterators", () => {
    expect(cancelOf([1][Symbol.iterator]())).toBeUndefined();
    expect(cancelOf(undefined)).toBeUndefined();
  });
});
