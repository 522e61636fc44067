/** Section 7: jobs share the threads, by weight; batches adapt, and none of that loses an item. */
import { describe, expect, test } from "vitest";
import { byIndex, collect, range, testWith } from "../assertions.js";
import { addOne, blocking, gated } from "../fixtures/index.js";
import { Gate } from "../gate.js";
import { until, useKit } from "../leaks.js";
import type { Subject } from "../subject.js";
import { Tally } from "../tally.js";

export function sharingSuite(subject: Subject): void {
  describe("sharing", () => {
    const kit = useKit(subject);

    test("a small job beside a large one is done long before it", async () => {
      const engine = kit.engine();
      const large = engine.run(addOne, range(1_000_000), { onError: "collect" });
      await new Promise((resolve) => large.once("batch", resolve));
      expect(await engine.map(addOne, range(10))).toHaveLength(10);
      expect(large.progress.completed).toBeLessThan(1_000_000);
      large.cancel();
      await large.stopped;
    });

    test("a newcomer gets a thread though all are busy with the batches of another", async () => {
      const engine = kit.engine();
      const gate = new Gate();
      const items = range(1_000).map((value) => ({ value, gate: gate.shared }));
      const large = engine.run(gated, items, { batchSize: 500, concurrency: 1 });
      await gate.arrived(subject.slots);
      const small = engine.run(addOne, [1]);
      const letOn = setInterval(() => gate.letThrough(1), 1);
      expect((await small.result).values).toEqual([2]);
      clearInterval(letOn);
      expect(gate.arrivals).toBeLessThan(1_000);
      large.cancel();
      gate.open();
      await large.stopped;
    });

    test("many small jobs are all done beside a large one", async () => {
      const engine = kit.engine();
      const large = engine.run(addOne, range(300_000));
      const small = await Promise.all(range(50).map((at) => engine.map(addOne, [at])));
      expect(small.flat()).toEqual(range(50).map((at) => at + 1));
      expect((await large.result).values).toHaveLength(300_000);
    });

    test("is by weight: the heavier job is served more", async () => {
      const engine = kit.engine();
      const tallies = [new Tally(1), new Tally(1)];
      const spin = (tally: Tally) => range(400).map(() => ({ value: 0, tally: tally.shared }));
      await engine.warm(gated);
      const light = engine.run(gated, spin(tallies[0] as Tally), { weight: 1, batchSize: 4 });
      const heavy = engine.run(gated, spin(tallies[1] as Tally), { weight: 20, batchSize: 4 });
      await heavy.result;
      expect(light.state).toBe("running");
      await light.result;
    });

    testWith(subject, "ownThreads", "takes work back from a thread that holds it, for one that has none", async () => {
      const engine = kit.engine({ threads: 2 });
      await engine.warm(blocking);
      const gate = new Gate();
      const tally = new Tally(100);
      const items = range(100).map((value) => ({
        value,
        tally: tally.shared,
        ...(value === 0 ? { gate: gate.shared } : {}),
      }));
      // The first batch holds them all: item 0 blocks its thread, and the other thread takes the rest.
      const handle = engine.run(blocking, items, { batchSize: 100 });
      await gate.arrived();
      // On a busy machine the others may all have been run before it.
      await until(() => tally.sum === 100);
      gate.open();
      expect((await handle.result).values).toEqual(range(100));
      expect(tally.all).toEqual(range(100).map(() => 1));
      expect(engine.stats().revokedItems).toBeGreaterThan(0);
    });

    test("every item is run exactly once while batches grow, shrink and are taken back", async () => {
      const engine = kit.engine();
      const tally = new Tally(3_000);
      const items = range(3_000).map((value) => ({ value, tally: tally.shared }));
      const handle = engine.run(gated, items);
      const noise = range(20).map((at) => engine.map(addOne, range(100 * at)));
      expect(byIndex(await collect(handle)).map(({ index }) => index)).toEqual(range(3_000));
      await Promise.all(noise);
      expect(tally.all).toEqual(range(3_000).map(() => 1));
    });

    test("batches are bounded by maxBatchItems and batchSize", async () => {
      const engine = kit.engine({ maxBatchItems: 50 });
      const sizes: number[] = [];
      engine.on("batch", ({ items }) => sizes.push(items));
      await engine.map(addOne, range(2_000));
      await engine.map(addOne, range(2_000), { batchSize: 500 });
      await engine.drain();
      expect(Math.max(...sizes)).toBeLessThanOrEqual(50);
    });
  });
}
