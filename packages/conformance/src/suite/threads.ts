/** Section 8: threads that die, hang, and come back. */
import { describe, expect, test } from "vitest";
import { byIndex, collect, failure, range, rejection, testWith, threadEvent } from "../assertions.js";
import {
  addOne,
  blocking,
  counted,
  deadly,
  deadlyBatch,
  deadlyByFour,
  deadlySetup,
  failsThenKills,
  nativeSpinning,
  relapsing,
  spinning,
} from "../fixtures/index.js";
import { Gate } from "../gate.js";
import { aWhile, useKit } from "../leaks.js";
import type { Subject } from "../subject.js";
import { Tally } from "../tally.js";

const deaths = ["exit", "timer", "rejection"] as const;

export function threadsSuite(subject: Subject): void {
  const withThreads = (name: string, body: () => Promise<void>): void => testWith(subject, "ownThreads", name, body);

  describe("a thread that is lost", () => {
    const kit = useKit(subject);

    for (const death of deaths) {
      withThreads(`(${death}) fails the item that killed it, by name, and all others are delivered`, async () => {
        const engine = kit.engine();
        const items = range(100).map((value) => (value === 37 ? { value, death } : { value }));
        const handle = engine.run(deadly, items, { onError: "collect" });
        const outcomes = byIndex(await collect(handle));
        expect(outcomes.map(({ index }) => index)).toEqual(range(100));
        const { values, failures } = await handle.result;
        expect(values).toEqual(range(100).map((value) => (value === 37 ? undefined : value)));
        expect(failures.map(({ index, error }) => [index, error.code])).toEqual([[37, "THREAD_LOST"]]);
        expect(engine.stats().threadsLost).toBeLessThanOrEqual(3);
        expect(await engine.map(addOne, [1])).toEqual([2]);
      });
    }

    withThreads("once costs nobody anything: the item is run again, and completes", async () => {
      const engine = kit.engine();
      const tally = new Tally(1);
      const items = range(50).map((value) =>
        value === 20 ? { value, death: "exit" as const, tally: tally.shared, deaths: 1 } : { value },
      );
      const handle = engine.run(deadly, items);
      const { values, stats } = await handle.result;
      expect(values).toEqual(range(50));
      expect(stats.retries).toBe(0);
      expect(engine.stats().threadsLost).toBe(1);
    });

    withThreads("under fail ends the job with the item's name", async () => {
      const error = await failure(
        kit.engine().run(deadly, [{ value: 0 }, { value: 1, death: "exit" }], { id: "fatal" }).result,
        "THREAD_LOST",
      );
      expect(error).toMatchObject({ index: 1, jobId: "fatal" });
      expect(error.message).toMatch(/item 1 .* twice: the thread exited with code/);
    });

    withThreads("with several items in flight fails the one, and delivers those beside it", async () => {
      const engine = kit.engine();
      const items = range(60).map((value) => (value === 30 ? { value, death: "exit" as const } : { value }));
      const { values, failures } = await engine.run(deadlyByFour, items, { onError: "collect" }).result;
      expect(values).toEqual(range(60).map((value) => (value === 30 ? undefined : value)));
      expect(failures.map(({ index, error }) => [index, error.code])).toEqual([[30, "THREAD_LOST"]]);
      expect(engine.stats().threadsLost).toBeLessThanOrEqual(4);
    });

    withThreads("in a batch handler is found out item by item", async () => {
      const engine = kit.engine();
      const items = range(24).map((value) => (value === 11 ? { value, death: "exit" as const } : { value }));
      const { values, failures } = await engine.run(deadlyBatch, items, { onError: "collect" }).result;
      expect(values).toEqual(range(24).map((value) => (value === 11 ? undefined : value)));
      expect(failures.map(({ index, error }) => [index, error.code])).toEqual([[11, "THREAD_LOST"]]);
      expect(engine.stats().threadsLost).toBeLessThanOrEqual(4);
    });

    withThreads("by several killers names each of them", async () => {
      const engine = kit.engine();
      const killers = new Set([3, 4, 40, 77]);
      const items = range(80).map((value) => (killers.has(value) ? { value, death: "exit" as const } : { value }));
      const { values, failures } = await engine.run(deadly, items, { onError: "collect" }).result;
      expect(failures.map(({ index }) => index)).toEqual([...killers]);
      expect(values).toEqual(range(80).map((value) => (killers.has(value) ? undefined : value)));
      expect(engine.stats().threadsLost).toBeLessThanOrEqual(3 * killers.size);
    });

    withThreads("names the attempt that was the last", async () => {
      const handle = kit.engine().run(failsThenKills, [0, 1, 2], {
        onError: "collect",
        retry: { attempts: 3, backoffMs: 1, jitter: 0 },
      });
      const { failures } = await handle.result;
      expect(failures.map(({ index, attempt, error }) => [index, attempt, error.code])).toEqual([
        [0, 2, "THREAD_LOST"],
      ]);
    });

    withThreads("at setup fails the job, after a bounded number of threads", async () => {
      const engine = kit.engine();
      await failure(
        engine.run(deadlySetup, range(10), { options: { mark: 1 }, onError: "collect" }).result,
        "THREAD_LOST",
      );
      expect(engine.stats().threadsLost).toBeLessThanOrEqual(3 + subject.slots);
      expect(await engine.map(addOne, [1])).toEqual([2]);
    });

    withThreads("does not disturb other jobs", async () => {
      const engine = kit.engine();
      const good = engine.run(addOne, range(50_000));
      const bad = engine.run(
        deadly,
        range(20).map((value) => ({ value, death: "exit" as const })),
        { onError: "collect" },
      );
      expect((await bad.result).failures).toHaveLength(20);
      expect((await good.result).values).toEqual(range(50_000).map((value) => value + 1));
    });

    withThreads("of a cancelled job is replaced, and the cancel stands", async () => {
      const engine = kit.single();
      const gate = new Gate();
      const handle = engine.run(deadly, [{ value: 1, death: "exit" }, ...range(10).map((value) => ({ value }))]);
      handle.cancel("enough");
      expect(await rejection(handle.result)).toBe("enough");
      await handle.stopped;
      gate.open();
      expect(await engine.map(addOne, [1])).toEqual([2]);
    });

    withThreads("is set up again by the next warm", async () => {
      const engine = kit.single();
      const tally = new Tally(2);
      await engine.warm(counted, { tally: tally.shared });
      await failure(engine.call(deadly, { value: 1, death: "exit" }), "THREAD_LOST");
      await engine.warm(counted, { tally: tally.shared });
      expect(tally.at(0)).toBe(2);
    });
  });

  describe("a thread that is stuck", () => {
    const kit = useKit(subject);

    withThreads("is set aside after the grace, and its slot is filled: no capacity is lost", async () => {
      const engine = kit.single({ graceMs: 60 });
      const gate = new Gate();
      const handle = engine.run(blocking, [{ value: 1, gate: gate.shared }]);
      await gate.arrived();
      const stuck = threadEvent(engine, "stuck");
      handle.cancel();
      expect(handle.state).toBe("cancelled");
      expect(await stuck).toMatchObject({ type: "stuck", slot: 0 });
      await handle.stopped;
      expect(await engine.map(addOne, range(100))).toHaveLength(100);
      expect(engine.stats()).toMatchObject({ threadsStuck: 1, threadsStarted: 2, threadsLost: 0 });
      gate.open();
    });

    withThreads("that comes back is ended, and its late answer is dropped", async () => {
      const engine = kit.single({ graceMs: 60 });
      const gate = new Gate();
      const handle = engine.run(nativeSpinning, [{ value: 1, gate: gate.shared }]);
      await gate.arrived();
      const stuck = threadEvent(engine, "stuck");
      handle.cancel();
      await stuck;
      const returned = threadEvent(engine, "returned");
      gate.open();
      await returned;
      expect(engine.stats().droppedMessages).toBeGreaterThan(0);
      expect(await rejection(handle.result)).toMatchObject({ name: "AbortError" });
      expect(await engine.map(addOne, [1])).toEqual([2]);
    });

    withThreads("in JavaScript is terminated in the end, though it never comes back", async () => {
      const engine = kit.single({ graceMs: 40 });
      const gate = new Gate();
      const handle = engine.run(spinning, [{ value: 1, gate: gate.shared }]);
      await gate.arrived();
      const returned = threadEvent(engine, "returned");
      handle.cancel();
      await returned;
      expect(await engine.map(addOne, [1])).toEqual([2]);
    });

    withThreads("gives back what was behind it: another job's items are run elsewhere", async () => {
      const engine = kit.single({ graceMs: 60 });
      const gate = new Gate();
      const stuck = engine.run(blocking, [{ value: 1, gate: gate.shared }]);
      await gate.arrived();
      const other = engine.run(addOne, range(50));
      stuck.cancel();
      expect((await other.result).values).toHaveLength(50);
      gate.open();
    });

    withThreads("in what nobody waits for any more looks at nothing: what it was given is run elsewhere", async () => {
      const engine = kit.single({ graceMs: 100 });
      const gate = new Gate();
      expect(await engine.call(relapsing, { value: 1, gate: gate.shared })).toBe(1);
      await gate.arrived();
      expect(await engine.map(addOne, range(100))).toHaveLength(100);
      expect(engine.stats()).toMatchObject({ threadsLost: 0 });
      expect(engine.stats().threadsStuck).toBeGreaterThan(0);
      gate.open();
    });

    withThreads("does not keep a warm-up behind it waiting for ever", async () => {
      const engine = kit.single({ graceMs: 60 });
      const gate = new Gate();
      const tally = new Tally(2);
      const handle = engine.run(blocking, [{ value: 1, gate: gate.shared }]);
      await gate.arrived();
      const warm = engine.warm(counted, { tally: tally.shared });
      handle.cancel();
      await warm;
      expect(tally.at(0)).toBe(1);
      gate.open();
    });

    withThreads("beyond what may be set aside costs capacity, with an event, until it comes back", async () => {
      const engine = kit.single({ graceMs: 40 });
      const gates = [new Gate(), new Gate()];
      const lost = threadEvent(engine, "capacity-lost");
      for (const [at, gate] of gates.entries()) {
        const handle = engine.run(nativeSpinning, [{ value: at, gate: gate.shared }]);
        await gate.arrived();
        const stuck = at === 0 ? threadEvent(engine, "stuck") : lost;
        handle.cancel();
        await stuck;
      }
      const waiting = engine.run(addOne, [1]);
      await aWhile();
      expect(waiting.state).toBe("waiting");
      for (const gate of gates) gate.open();
      expect((await waiting.result).values).toEqual([2]);
    });

    withThreads("in native code is left by close, which says so", async () => {
      const engine = kit.single({ graceMs: 60 });
      const gate = new Gate();
      engine.run(nativeSpinning, [{ value: 1, gate: gate.shared }]);
      await gate.arrived();
      const report = await engine.close({ deadlineMs: 0 });
      expect(report.leftBehind).toEqual([0]);
      gate.open();
    });

    withThreads("in JavaScript is ended by close", async () => {
      const engine = kit.single({ graceMs: 60 });
      const gate = new Gate();
      const handle = engine.run(spinning, [{ value: 1, gate: gate.shared }]);
      await gate.arrived();
      const report = await engine.close({ deadlineMs: 0 });
      expect(report.leftBehind).toEqual([]);
      expect(handle.state).toBe("cancelled");
    });

    test("is none while handlers come back in time", async () => {
      const engine = kit.engine();
      await engine.map(addOne, range(10_000));
      expect(engine.stats()).toMatchObject({ threadsStuck: 0, threadsLost: 0 });
    });
  });
}
