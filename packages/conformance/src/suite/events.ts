/** Section 4: events of handles and engines, and progress. */
import diagnostics from "node:diagnostics_channel";
import type { JobEvent, Progress } from "@threadmill/engine";
import { describe, expect, test } from "vitest";
import { failure, once, range, rejection } from "../assertions.js";
import { addOne, detailed, failOdd, gated } from "../fixtures/index.js";
import { Gate } from "../gate.js";
import { aWhile, until, useKit } from "../leaks.js";
import type { Subject } from "../subject.js";

export function eventsSuite(subject: Subject): void {
  describe("events of a handle", () => {
    const kit = useKit(subject);

    test("are start, then batches, then the last progress, then settle, and nothing after it", async () => {
      const engine = kit.engine();
      await engine.warm(addOne);
      const handle = engine.run(addOne, range(2_000));
      const seen: string[] = [];
      for (const event of ["start", "progress", "batch", "settle"] as const)
        handle.on(event, () => void seen.push(event));
      await once(handle, "settle");
      await handle.stopped;
      await aWhile();
      expect(seen[0]).toBe("start");
      expect(seen.filter((event) => event === "start")).toHaveLength(1);
      expect(seen).toContain("batch");
      expect(seen.slice(-2)).toEqual(["progress", "settle"]);
    });

    test("are heard by a listener that is added in the tick of run, even if all is over by then", async () => {
      const engine = kit.engine();
      for (const items of [[], range(3)]) {
        const handle = engine.run(addOne, items);
        expect(await once(handle, "settle")).toEqual({ state: "completed" });
      }
      const broken: Iterable<number> = {
        [Symbol.iterator]: () => {
          throw new Error("at once");
        },
      };
      const failing = engine.run(addOne, broken);
      expect(await once(failing, "settle")).toMatchObject({ state: "failed", error: { code: "SOURCE_FAILED" } });
      const cancelled = engine.run(addOne, range(3), { signal: AbortSignal.abort("before") });
      expect(await once(cancelled, "settle")).toEqual({ state: "cancelled", error: "before" });
    });

    test("start comes on an engine that is warm and idle", async () => {
      const engine = kit.engine();
      await engine.map(addOne, [1]);
      const handle = engine.run(addOne, [1]);
      let starts = 0;
      handle.on("start", () => starts++);
      await once(handle, "settle");
      expect(starts).toBe(1);
    });

    test("none comes before run has returned", async () => {
      const engine = kit.engine();
      await engine.map(addOne, [1]);
      let hasReturned = false;
      const early: string[] = [];
      engine.on("job", ({ type }) => {
        if (!hasReturned) early.push(type);
      });
      engine.on("batch", () => {
        if (!hasReturned) early.push("batch");
      });
      for (const items of [[], [1], range(100)]) {
        hasReturned = false;
        const handle = engine.run(addOne, items);
        hasReturned = true;
        await handle.result;
      }
      expect(early).toEqual([]);
    });

    test("batches add up to all items", async () => {
      const handle = kit.engine().run(addOne, range(3_000));
      let items = 0;
      handle.on("batch", (batch) => {
        expect(batch.elapsedMs).toBeGreaterThanOrEqual(0);
        expect(batch.slot).toBeLessThan(subject.slots);
        items += batch.items;
      });
      await once(handle, "settle");
      expect(items).toBe(3_000);
    });

    test("settle says how it ended, once", async () => {
      const engine = kit.engine();
      const failed = engine.run(failOdd, [1]);
      const ends: unknown[] = [];
      failed.on("settle", (end) => ends.push(end));
      const error = await failure(failed.result, "TASK_FAILED");
      await failed.stopped;
      await until(() => ends.length > 0);
      failed.cancel();
      await aWhile();
      expect(ends).toEqual([{ state: "failed", error }]);
    });

    test("a listener that throws harms neither the job nor other listeners", async () => {
      kit.expectWarnings("THREADMILL_LISTENER");
      const engine = kit.engine();
      const handle = engine.run(addOne, range(100));
      const heard: string[] = [];
      for (const event of ["start", "progress", "batch", "settle"] as const) {
        handle.on(event, () => {
          throw new Error(`listener of ${event}`);
        });
        handle.on(event, () => heard.push(event));
      }
      engine.on("job", () => {
        throw new Error("listener of job");
      });
      const warned = once<Error>(process as never, "warning");
      expect((await handle.result).values).toHaveLength(100);
      expect((await warned).message).toContain("listener of");
      await until(() => heard.includes("settle"));
      expect(heard).toContain("batch");
      expect(await engine.map(addOne, [1])).toEqual([2]);
    });

    test("a listener may cancel, run and close, and all of it holds", async () => {
      const engine = kit.engine();
      const handle = engine.run(addOne, range(50_000), { batchSize: 100 });
      const inner = new Promise<number[]>((resolve, reject) => {
        handle.once("batch", () => {
          handle.cancel("from a listener");
          engine.map(addOne, [1]).then(resolve, reject);
        });
      });
      expect(await rejection(handle.result)).toBe("from a listener");
      expect(await inner).toEqual([2]);
    });

    test("a job that a settle listener starts holds the engine: drain waits for it", async () => {
      const engine = kit.engine();
      const gate = new Gate();
      const first = engine.run(addOne, [1]);
      let second: Promise<unknown> | undefined;
      first.on("settle", () => {
        second = engine.run(gated, [{ value: 1, gate: gate.shared }], { id: "second" }).result;
      });
      let isDrained = false;
      const drained = engine.drain().then(() => (isDrained = true));
      await gate.arrived();
      await aWhile();
      expect(isDrained).toBe(false);
      gate.open();
      await drained;
      await second;
    });

    test("a job may be cancelled by a listener of its own submission", async () => {
      const engine = kit.engine();
      engine.on("job", ({ type, jobId }) => {
        if (type === "submitted" && jobId === "unwanted") engine.cancel(jobId, "unwanted");
      });
      const handle = engine.run(addOne, range(1_000), { id: "unwanted" });
      expect(await rejection(handle.result)).toBe("unwanted");
      await handle.stopped;
    });
  });

  describe("events of an engine", () => {
    const kit = useKit(subject);

    test("tell the life of a job, on the emitter and on the diagnostics channel", async () => {
      const engine = kit.engine();
      const emitted: JobEvent[] = [];
      const published: unknown[] = [];
      engine.on("job", (event) => emitted.push(event));
      const listener = (event: unknown): void => void published.push(event);
      diagnostics.subscribe("threadmill:job", listener);
      const handle = engine.run(addOne, range(10), { id: "told" });
      await handle.stopped;
      await until(() => emitted.some(({ type }) => type === "stopped"));
      diagnostics.unsubscribe("threadmill:job", listener);
      expect(emitted.map(({ type }) => type)).toEqual(["submitted", "started", "settled", "stopped"]);
      expect(emitted.every(({ jobId }) => jobId === "told")).toBe(true);
      expect(emitted.at(-1)?.state).toBe("completed");
      expect(published).toEqual(emitted);
    });

    test("tell of every batch and every thread", async () => {
      const engine = kit.engine();
      let ready = 0;
      let items = 0;
      engine.on("thread", ({ type }) => {
        if (type === "ready") ready++;
      });
      engine.on("batch", (batch) => (items += batch.items));
      await engine.warm(addOne);
      await engine.map(addOne, range(500));
      await engine.drain();
      await until(() => items >= 500);
      expect(items).toBe(500);
      expect(ready).toBe(subject.slots);
    });
  });

  describe("progress", () => {
    const kit = useKit(subject);

    test("never falls, never passes the total, and equals it at the end", async () => {
      const handle = kit.engine({ progressMs: 1 }).run(failOdd, range(6_000), { onError: "collect" });
      const snapshots: Progress[] = [];
      handle.on("progress", (progress) => snapshots.push(progress));
      handle.on("batch", () => snapshots.push(handle.progress));
      await once(handle, "settle");
      snapshots.push(handle.progress);
      let before = 0;
      for (const { completed, failed, total } of snapshots) {
        expect(total).toBe(6_000);
        expect(completed + failed).toBeGreaterThanOrEqual(before);
        expect(completed + failed).toBeLessThanOrEqual(6_000);
        before = completed + failed;
      }
      expect(snapshots.at(-1)).toMatchObject({ completed: 3_000, failed: 3_000, total: 6_000, etaMs: 0 });
    });

    test("stands still when the job has ended, and so do its stats, whenever they are asked for", async () => {
      const handle = kit.engine().run(addOne, range(100));
      await handle.stopped;
      const atEnd = handle.progress;
      await aWhile();
      expect(handle.progress).toEqual(atEnd);
      expect((await handle.result).stats.elapsedMs).toBe(atEnd.elapsedMs);
    });

    test("shows what threads have finished before they answer for it", async () => {
      const gate = new Gate();
      const engine = kit.engine();
      await engine.warm(gated);
      const items = range(10).map((value) => (value === 8 ? { value, gate: gate.shared } : { value }));
      const handle = engine.run(gated, items, { batchSize: 10 });
      await gate.arrived();
      // Another thread may have taken some over: what it has answered is on its way.
      await until(() => handle.progress.completed >= 8);
      expect(handle.progress.completed).toBeGreaterThanOrEqual(8);
      expect(handle.progress.completed).toBeLessThan(10);
      gate.open();
      await handle.result;
      expect(handle.progress.completed).toBe(10);
    });

    test("has no total while a source has not said, and has it at the end", async () => {
      const gate = new Gate();
      const items = (function* () {
        yield { value: 0, gate: gate.shared };
        yield { value: 1 };
      })();
      const handle = kit.engine().run(gated, items, { maxInFlight: 1 });
      await gate.arrived();
      expect(handle.progress.total).toBeUndefined();
      expect(handle.progress.etaMs).toBeUndefined();
      gate.open();
      await handle.result;
      expect(handle.progress).toMatchObject({ completed: 2, total: 2, etaMs: 0 });
    });

    test.each([1, 5, 100])("takes a hint of the total (%i of 5), and corrects it", async (total) => {
      const gate = new Gate();
      const items = (function* () {
        for (const value of range(5)) yield { value, gate: gate.shared };
      })();
      const handle = kit.engine().run(gated, items, { total, maxInFlight: 2 });
      await gate.arrived();
      expect(handle.progress.total).toBe(Math.max(total, 2));
      gate.open();
      await handle.result;
      expect(handle.progress.total).toBe(5);
    });

    test("carries the newest detail of a handler, and so do events", async () => {
      const gate = new Gate();
      const engine = kit.single();
      await engine.warm(detailed);
      const items = [{ value: 1 }, { value: 2 }, { value: 3, gate: gate.shared }];
      const handle = engine.run(detailed, items, { batchSize: 3 });
      const details: unknown[] = [];
      handle.on("detail", (detail) => details.push(detail));
      await gate.arrived();
      gate.open();
      await handle.result;
      expect(details.at(-1)).toEqual({ at: 3 });
      expect(handle.progress.detail).toEqual({ at: 3 });
    });

    test("can be read at any time, also of a job that has not begun or has failed", async () => {
      const engine = kit.engine();
      const handle = engine.run(failOdd, [1]);
      expect(handle.progress).toMatchObject({ completed: 0, failed: 0, total: 1, itemsPerSecond: 0 });
      await rejection(handle.result);
      expect(handle.progress).toMatchObject({ failed: 1, total: 1 });
    });
  });
}
