/** Section 5: columns handlers, which get ranges of shared memory. */
import { describe, expect, test } from "vitest";
import { collect, failure, range, rejection, testWith } from "../assertions.js";
import { addOne, bigSquares, countedColumns, gatedColumns, later, places, positive, roots } from "../fixtures/index.js";
import { Gate } from "../gate.js";
import { useKit } from "../leaks.js";
import type { Subject } from "../subject.js";
import { Tally } from "../tally.js";

const MANY = 100_000;

export function columnsSuite(subject: Subject): void {
  describe("a columns handler", () => {
    const kit = useKit(subject);
    const withThreads = (name: string, body: () => Promise<void>): void => testWith(subject, "ownThreads", name, body);

    test("gives a column of the class that it names, in shared memory", async () => {
      const input = Float64Array.from(range(MANY));
      const values = await kit.engine().map(roots, input);
      expect(values).toBeInstanceOf(Float32Array);
      expect(values.buffer).toBeInstanceOf(SharedArrayBuffer);
      expect(values).toEqual(Float32Array.from(input, Math.sqrt));
    });

    test("may give big integers", async () => {
      const { values } = await kit.engine().run(bigSquares, Int32Array.of(2, -3, 70_000)).result;
      expect(values).toEqual(BigInt64Array.of(4n, 9n, 4_900_000_000n));
    });

    test("takes turns with another one in a thread that keeps one of them warm", async () => {
      const engine = kit.engine({ threads: 1, keepWarm: 1 });
      const [first, second] = await Promise.all([
        engine.map(roots, Float64Array.of(4, 9)),
        engine.map(places, new Uint8Array(3)),
      ]);
      expect([first, second]).toEqual([Float32Array.of(2, 3), Float64Array.of(0, 1, 2)]);
    });

    test("of an empty column gives an empty one, where a plain handler gives an array", async () => {
      const engine = kit.engine();
      expect(await engine.map(roots, new Float64Array())).toEqual(new Float32Array());
      expect(await engine.map(addOne, new Float64Array())).toEqual([]);
    });

    test("is told where its piece lies, whatever the batches", async () => {
      const values = await kit.engine().map(places, new Uint8Array(12_345));
      expect(values).toEqual(Float64Array.from(range(12_345)));
    });

    test("does not see what the caller does with an input of its own after run", async () => {
      const input = Float64Array.of(4, 9);
      const handle = kit.engine().run(roots, input);
      input.fill(0);
      expect((await handle.result).values).toEqual(Float32Array.of(2, 3));
    });

    withThreads("sees shared input where it lies", async () => {
      const input = new Float64Array(new SharedArrayBuffer(8));
      const [gate, tally] = [new Gate(), new Tally(1)];
      const handle = kit.engine().run(gatedColumns, input, { options: { gate: gate.shared, tally: tally.shared } });
      await gate.arrived();
      input[0] = 7;
      gate.open();
      expect((await handle.result).values).toEqual(Float64Array.of(7));
    });

    test("that throws fails the element that it throws for, by index", async () => {
      const engine = kit.engine();
      const input = Float64Array.from(range(10_000));
      for (const at of [0, 4_711, 4_712, 9_999]) input[at] = -1;
      const options = { succeedsAt: Infinity };
      const error = await failure(engine.run(positive, input, { options }).result, "TASK_FAILED");
      expect(error.attempt).toBe(1);
      expect(input[error.index]).toBe(-1);

      const { values, failures } = await engine.run(positive, input, { options, onError: "collect" }).result;
      expect(failures.map(({ index }) => index)).toEqual([0, 4_711, 4_712, 9_999]);
      expect(failures[1]?.error.cause).toMatchObject({ name: "RangeError", message: "element 4711 is negative" });
      expect(values).toEqual(input.map((value) => (value < 0 ? 0 : value + 1)));
    });

    test("is tried again for elements that have failed, and says so", async () => {
      const input = Float64Array.from(range(1_000));
      for (const at of [10, 11, 500]) input[at] = -5;
      const handle = kit.engine().run(positive, input, {
        options: { succeedsAt: 2 },
        retry: { attempts: 2, backoffMs: 1 },
      });
      const outcomes = await collect(handle);
      const repeated = outcomes.filter(({ attempt }) => attempt > 1).map(({ index }) => index);
      expect(repeated.toSorted((a, b) => a - b)).toEqual([10, 11, 500]);
      expect((await handle.result).values).toEqual(input.map((value) => value + 1));
    });

    test("takes nothing but a column", async () => {
      const engine = kit.engine();
      const list = [1, 2, 3] as unknown as Float64Array;
      expect((await failure(engine.map(roots, list), "SOURCE_FAILED")).index).toBe(-1);
      const weighed = engine.run(roots, Float64Array.of(1), { weigh: () => 1, maxInFlightBytes: 10 });
      expect((await failure(weighed.result, "SOURCE_FAILED")).message).toContain("typed array");
    });

    test("must be synchronous", async () => {
      const error = await failure(kit.engine().map(later, Float64Array.of(1)), "TASK_FAILED");
      expect(error.message).toContain("must be synchronous");
    });

    test("is read like any other job: as elements end, in order, once, or by another job", async () => {
      const engine = kit.engine();
      const input = Float64Array.from(range(MANY), (value) => value ** 2);
      const ordered = engine.run(roots, input, { ordered: true });
      expect((await collect(ordered)).map(({ index }) => index)).toEqual(range(MANY));
      const streamed = engine.run(roots, input, { collect: false });
      expect(await collect(streamed)).toHaveLength(MANY);
      const next = engine.run(addOne, engine.run(roots, input.subarray(0, 1_000)).values());
      expect((await next.result).values).toEqual(range(1_000).map((value) => value + 1));
    });

    test("leaves a result that is kept under the job's id", async () => {
      const engine = kit.engine();
      const first = await engine.run(roots, Float64Array.of(4), { id: "roots" }).result;
      const again = engine.run(roots, Float64Array.of(16), { id: "roots" });
      expect(again.fromCache).toBe(true);
      expect((await again.result).values).toBe(first.values);
      expect(await collect(again)).toEqual([{ index: 0, status: "completed", value: 2, attempt: 1 }]);
    });

    withThreads("stops at the end of its piece when the job is cancelled", async () => {
      const engine = kit.engine();
      const [gate, tally] = [new Gate(), new Tally(1)];
      const options = { gate: gate.shared, tally: tally.shared };
      const handle = engine.run(gatedColumns, new Float64Array(MANY), { options, batchSize: MANY });
      await gate.arrived();
      handle.cancel();
      const begun = gate.arrivals;
      gate.open();
      await handle.stopped;
      await rejection(handle.result);
      expect(tally.all).toEqual([gate.arrivals]);
      expect(gate.arrivals).toBeLessThanOrEqual(Math.max(begun, subject.slots));
    });

    withThreads("that ends its thread costs the job the one element that does it", async () => {
      const engine = kit.engine();
      const input = new Float64Array(64);
      input[40] = 13;
      const tally = new Tally(input.length);
      const { values, failures } = await engine.run(countedColumns, input, {
        options: { tally: tally.shared },
        onError: "collect",
        batchSize: 16,
      }).result;
      expect(failures.map(({ index, error }) => [index, error.code])).toEqual([[40, "THREAD_LOST"]]);
      expect(values).toEqual(input.map((value) => (value === 13 ? 0 : 1)));
    });
  });
}
