/** Section 4: one job feeds another through `values()`. */
import { describe, expect, test } from "vitest";
import { collect, failure, range, rejection } from "../assertions.js";
import { addOne, failOdd, gated } from "../fixtures/index.js";
import { Gate } from "../gate.js";
import { until, useKit } from "../leaks.js";
import type { Subject } from "../subject.js";

export function pipelinesSuite(subject: Subject): void {
  describe("a pipeline", () => {
    const kit = useKit(subject);

    test("passes values on in order, through as many jobs as one likes", async () => {
      const engine = kit.engine();
      const first = engine.run(addOne, range(3_000), { collect: false });
      const second = engine.run(addOne, first.values(), { collect: false });
      const third = engine.run(addOne, second.values());
      expect((await third.result).values).toEqual(range(3_000).map((value) => value + 3));
    });

    test("throttles the first job by the reader of the last", async () => {
      const engine = kit.engine();
      let pulled = 0;
      const items = (function* () {
        for (;;) yield pulled++;
      })();
      const first = engine.run(addOne, items, { collect: false, maxInFlight: 10 });
      const second = engine.run(addOne, first.values(), { collect: false, maxInFlight: 10 });
      const loop = second.values()[Symbol.asyncIterator]();
      for (let read = 0; read < 50; read++) expect(await loop.next()).toEqual({ done: false, value: read + 2 });
      expect(pulled).toBeLessThanOrEqual(50 + 20);
      await loop.return?.();
      expect(second.state).toBe("cancelled");
      await first.stopped;
      expect(first.state).toBe("cancelled");
    });

    test("upstream's failure fails downstream: SOURCE_FAILED, with upstream's error as the cause", async () => {
      const engine = kit.engine();
      const first = engine.run(failOdd, [0, 2, 3], { id: "first" });
      const second = engine.run(addOne, first.values());
      const error = await failure(second.result, "SOURCE_FAILED");
      expect(error.cause).toBe(await rejection(first.result));
      expect(error.cause).toMatchObject({ code: "TASK_FAILED", index: 2, jobId: "first" });
    });

    test("upstream's failed item under collect does the same", async () => {
      const engine = kit.engine();
      const second = engine.run(
        addOne,
        engine.run(failOdd, [0, 1], { onError: "collect" }).values() as AsyncIterable<number>,
      );
      expect((await failure(second.result, "SOURCE_FAILED")).cause).toMatchObject({ code: "TASK_FAILED", index: 1 });
    });

    test("upstream's cancel cancels downstream, for the same reason", async () => {
      const engine = kit.engine();
      const gate = new Gate();
      const first = engine.run(gated, [{ value: 1 }, { value: 2, gate: gate.shared }]);
      const second = engine.run(addOne, first.values());
      await gate.arrived();
      const reason = new Error("stop it all");
      first.cancel(reason);
      expect(await rejection(second.result)).toBe(reason);
      expect(second.state).toBe("cancelled");
      gate.open();
    });

    test("downstream's early end leaves a collecting upstream alone", async () => {
      const engine = kit.engine();
      const gate = new Gate();
      const first = engine.run(gated, [{ value: 1 }, { value: 2, gate: gate.shared }]);
      const second = engine.run(addOne, first.values());
      await gate.arrived();
      second.cancel();
      gate.open();
      expect((await first.result).values).toEqual([1, 2]);
    });

    test("downstream's early end ends a streaming upstream", async () => {
      const engine = kit.engine();
      const first = engine.run(addOne, range(100_000), { collect: false });
      const second = engine.run(failOdd, first.values());
      await failure(second.result, "TASK_FAILED");
      await first.stopped;
      expect(first.state).toBe("cancelled");
    });

    test.each([
      ["is cancelled in the tick of run", undefined],
      ["has a signal that was aborted before", AbortSignal.abort("too late")],
    ])("downstream that %s ends a streaming upstream too, though it never pulled", async (_, signal) => {
      const engine = kit.engine();
      const first = engine.run(addOne, range(100_000), { collect: false });
      const second = engine.run(addOne, first.values(), signal === undefined ? {} : { signal });
      second.cancel();
      await until(() => first.state === "cancelled");
      expect(first.state).toBe("cancelled");
    });

    test("two downstream jobs may read one collecting upstream", async () => {
      const engine = kit.engine();
      const first = engine.run(addOne, range(200));
      const [left, right] = await Promise.all([
        engine.map(addOne, first.values()),
        collect(engine.run(addOne, first.values()).values()),
      ]);
      expect(left).toEqual(range(200).map((value) => value + 2));
      expect(right).toEqual(left);
    });
  });
}
