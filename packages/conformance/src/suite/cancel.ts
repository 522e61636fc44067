/** Section 8: cancel by signal, by handle and by id, at any moment, in the same tick. */
import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { collect, range, rejection, threadEvent } from "../assertions.js";
import { addOne, attentive, blocking, endless, gated, gatedSetup, listening } from "../fixtures/index.js";
import { Gate } from "../gate.js";
import { useKit } from "../leaks.js";
import { testWith } from "../assertions.js";
import type { Subject } from "../subject.js";
import { Tally } from "../tally.js";

export function cancelSuite(subject: Subject): void {
  describe("cancel", () => {
    const kit = useKit(subject);

    test.each(["signal", "handle", "id"] as const)(
      "by %s settles in the same tick, for the reason given",
      async (by) => {
        const engine = kit.engine();
        const gate = new Gate();
        const controller = kit.controller();
        const handle = engine.run(gated, [{ value: 1, gate: gate.shared }], { id: "one", signal: controller.signal });
        const settled: unknown[] = [];
        handle.result.catch((error: unknown) => settled.push(error));
        await gate.arrived();
        const reason = { why: by };
        const cancels = {
          signal: () => controller.abort(reason),
          handle: () => handle.cancel(reason),
          id: () => engine.cancel("one", reason),
        };
        expect(cancels[by]()).toBe(by === "id" ? true : undefined);
        expect(handle.state).toBe("cancelled");
        expect(engine.jobs()).toEqual([]);
        expect(engine.job("one")).toMatchObject({ state: "cancelled", error: reason });
        await Promise.resolve();
        expect(settled).toEqual([reason]);
        gate.open();
        await handle.stopped;
      },
    );

    test("without a reason is an AbortError", async () => {
      const engine = kit.engine();
      const controller = kit.controller();
      const bySignal = engine.run(addOne, range(10), { signal: controller.signal });
      const byHandle = engine.run(addOne, range(10));
      controller.abort();
      byHandle.cancel();
      expect(await rejection(bySignal.result)).toBe(controller.signal.reason);
      expect(await rejection(byHandle.result)).toMatchObject({ name: "AbortError" });
    });

    test.each([null, 0, "", false])("by a signal that was aborted with %j rejects with just that", async (reason) => {
      const controller = kit.controller();
      const handle = kit.engine().run(addOne, range(10), { signal: controller.signal });
      controller.abort(reason);
      expect(await rejection(handle.result)).toBe(reason);
    });

    test("of an id that no live job has does nothing", async () => {
      const engine = kit.engine();
      expect(engine.cancel("nobody")).toBe(false);
      await engine.run(addOne, [1], { id: "done" }).result;
      expect(engine.cancel("done")).toBe(false);
    });

    test("in the tick of run runs nothing at all", async () => {
      const tally = new Tally(100);
      const handle = kit.engine().run(
        gated,
        range(100).map((value) => ({ value, tally: tally.shared })),
      );
      handle.cancel("at once");
      expect(handle.state).toBe("cancelled");
      expect(await rejection(handle.result)).toBe("at once");
      await handle.stopped;
      expect(tally.sum).toBeLessThanOrEqual(subject.slots);
    });

    test("after the end does nothing", async () => {
      const controller = kit.controller();
      const handle = kit.engine().run(addOne, [1], { signal: controller.signal });
      const { values } = await handle.result;
      handle.cancel("too late");
      controller.abort("too late");
      expect(handle.state).toBe("completed");
      expect((await handle.result).values).toBe(values);
    });

    test("twice counts once: the first reason holds", async () => {
      const handle = kit.engine().run(addOne, range(100));
      handle.cancel("first");
      handle.cancel("second");
      expect(await rejection(handle.result)).toBe("first");
    });

    test("with a signal that is aborted already gives a cancelled handle, and no work", async () => {
      const engine = kit.engine();
      const tally = new Tally(1);
      const signal = AbortSignal.abort("before");
      const handle = engine.run(gated, [{ value: 0, tally: tally.shared }], { signal, id: "unborn" });
      expect(handle.state).toBe("cancelled");
      expect(engine.jobs()).toEqual([]);
      expect(await rejection(handle.result)).toBe("before");
      await handle.stopped;
      expect(await rejection(handle[Symbol.asyncIterator]().next())).toBe("before");
      expect(getEventListeners(signal, "abort")).toEqual([]);
      expect(tally.sum).toBe(0);
    });

    test("with a signal that is aborted already does not pull the source", async () => {
      let pulled = 0;
      const items = (function* () {
        for (;;) yield pulled++;
      })();
      const handle = kit.engine().run(addOne, items, { signal: AbortSignal.abort() });
      await rejection(handle.result);
      expect(pulled).toBe(0);
    });

    test("has one listener per signal, however many jobs it is for, and none when they have ended", async () => {
      const engine = kit.engine();
      const controller = kit.controller();
      const gate = new Gate();
      const handles = range(50).map((value) =>
        engine.run(gated, [{ value, gate: gate.shared }], { signal: controller.signal }),
      );
      expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
      gate.open();
      await Promise.all(handles.map((handle) => handle.result));
      expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
    });

    test("of many jobs by one signal settles all of them in the same tick", async () => {
      const engine = kit.engine();
      const controller = kit.controller();
      const handles = range(200).map(() => engine.run(addOne, range(100), { signal: controller.signal }));
      controller.abort("all");
      expect(handles.map(({ state }) => state)).toEqual(handles.map(() => "cancelled"));
      expect(engine.jobs()).toEqual([]);
      for (const handle of handles) expect(await rejection(handle.result)).toBe("all");
    });

    test("fires the handler's signal, with an AbortError", async () => {
      const gate = new Gate();
      const tally = new Tally(2);
      const engine = kit.engine();
      const handle = engine.run(listening, [{ value: 1, gate: gate.shared, tally: tally.shared }]);
      await gate.arrived();
      handle.cancel();
      await handle.stopped;
      expect(tally.all).toEqual([1, 0]);
      expect(engine.stats()).toMatchObject({ threadsLost: 0, threadsStuck: 0 });
      gate.open();
    });

    testWith(subject, "ownThreads", "is seen by a handler that computes and looks at ctx.cancelled", async () => {
      const gate = new Gate();
      const engine = kit.engine();
      const handle = engine.run(attentive, [{ value: 1, gate: gate.shared }]);
      await gate.arrived();
      gate.open();
      handle.cancel();
      await handle.stopped;
      expect(engine.stats()).toMatchObject({ threadsLost: 0, threadsStuck: 0, threadsStarted: subject.slots });
    });

    testWith(
      subject,
      "ownThreads",
      "reaches a thread in the middle of a batch: the rest of it is not run",
      async () => {
        const gate = new Gate();
        const tally = new Tally(200);
        const engine = kit.single();
        const items = range(200).map((value) => ({
          value,
          tally: tally.shared,
          ...(value === 3 ? { gate: gate.shared } : {}),
        }));
        const handle = engine.run(blocking, items, { batchSize: 100 });
        await gate.arrived();
        handle.cancel();
        gate.open();
        await handle.stopped;
        expect(tally.all.slice(0, 4)).toEqual([1, 1, 1, 1]);
        expect(tally.sum).toBe(4);
        expect(await engine.map(addOne, [1])).toEqual([2]);
        expect(engine.stats()).toMatchObject({ threadsStarted: 1, threadsLost: 0 });
      },
    );

    test("leaves a handler behind that awaits for ever, and its thread stays warm", async () => {
      const gate = new Gate();
      // The thread has the last part of this to say that it lets go, however busy the machine is.
      const engine = kit.engine({ graceMs: 2_000 });
      const handle = engine.run(endless, [{ value: 1, gate: gate.shared }]);
      await gate.arrived();
      handle.cancel();
      await handle.stopped;
      expect(await engine.map(addOne, range(100))).toHaveLength(100);
      expect(engine.stats()).toMatchObject({ threadsStarted: subject.slots, threadsLost: 0, threadsStuck: 0 });
      gate.open();
    });

    test("does not wait for a setup that hangs", async () => {
      const gate = new Gate();
      const engine = kit.engine();
      const handle = engine.run(gatedSetup, [1], { options: { gate: gate.shared } });
      await gate.arrived();
      handle.cancel();
      await handle.stopped;
      expect(await engine.map(addOne, [1])).toEqual([2]);
      gate.open();
      expect(await engine.map(gatedSetup, [2], { options: { gate: gate.shared } })).toEqual(["ready 2"]);
    });

    test("drops what was finished and not yet delivered", async () => {
      const gate = new Gate();
      const engine = kit.engine();
      const handle = engine.run(gated, [{ value: 0 }, { value: 1, gate: gate.shared }], { batchSize: 2 });
      const outcomes: unknown[] = [];
      const reading = rejection(
        (async () => {
          for await (const outcome of handle) outcomes.push(outcome);
        })(),
      );
      await gate.arrived();
      const before = outcomes.length;
      handle.cancel("drop it");
      gate.open();
      expect(await reading).toBe("drop it");
      await handle.stopped;
      expect(outcomes).toHaveLength(before);
    });

    test("is no failure: nothing is retried, and no error is recorded but the reason", async () => {
      const engine = kit.engine();
      const gate = new Gate();
      const retries: unknown[] = [];
      const handle = engine.run(gated, [{ value: 1, gate: gate.shared }], { id: "calm", retry: { attempts: 5 } });
      handle.on("retry", (retry) => retries.push(retry));
      await gate.arrived();
      handle.cancel("calm down");
      gate.open();
      await handle.stopped;
      expect(retries).toEqual([]);
      expect(engine.job("calm")).toMatchObject({ state: "cancelled", error: "calm down", stats: { failed: 0 } });
    });

    test("a thousand times in a row costs no thread", async () => {
      const engine = kit.engine();
      for (let round = 0; round < 1_000; round++) {
        const handle = engine.run(addOne, range(50));
        if (round % 3 === 0) await Promise.resolve();
        if (round % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
        handle.cancel(round);
      }
      expect(await engine.map(addOne, range(10))).toEqual(range(10).map((value) => value + 1));
      expect(engine.stats()).toMatchObject({ threadsStarted: subject.slots, threadsLost: 0, threadsStuck: 0 });
    });

    test("from inside a loop over the job ends that loop", async () => {
      const handle = kit.engine().run(addOne, range(10_000));
      let seen = 0;
      const error = await rejection(
        (async () => {
          for await (const _ of handle) {
            seen++;
            handle.cancel("from inside");
          }
        })(),
      );
      expect(error).toBe("from inside");
      expect(seen).toBe(1);
    });

    test("from inside the source is heard", async () => {
      const engine = kit.engine();
      const items = (function* () {
        for (let value = 0; ; value++) {
          if (value === 100) engine.cancel("self", "from the source");
          yield value;
        }
      })();
      const handle = engine.run(addOne, items, { id: "self", maxInFlight: 10 });
      expect(await rejection(handle.result)).toBe("from the source");
      await handle.stopped;
    });

    test("an outcome that was read stays read: cancel takes nothing back", async () => {
      const engine = kit.engine();
      const gate = new Gate();
      const items = [{ value: 1 }, { value: 2, gate: gate.shared }];
      const handle = engine.run(gated, items, { batchSize: 1, concurrency: 1 });
      const loop = handle[Symbol.asyncIterator]();
      const first = await loop.next();
      expect(first.value).toMatchObject({ index: 0, value: 1 });
      handle.cancel();
      gate.open();
      expect(handle.progress.completed).toBeGreaterThanOrEqual(1);
      await rejection(collect(handle));
      await handle.stopped;
    });

    test("tells of no thread event when everybody comes back in time", async () => {
      const engine = kit.engine();
      const seen: string[] = [];
      engine.on("thread", ({ type }) => {
        if (type !== "ready") seen.push(type);
      });
      void threadEvent(engine, "never");
      const handle = engine.run(addOne, range(100_000));
      handle.cancel();
      await handle.stopped;
      expect(seen).toEqual([]);
    });
  });
}
