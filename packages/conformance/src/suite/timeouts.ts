/** Section 8: `timeoutMs` bounds one handler call. */
import { describe, expect, test } from "vitest";
import { failure, range, testWith, threadEvent } from "../assertions.js";
import { addOne, busy, punctual, slowOnce, spinning, waiting } from "../fixtures/index.js";
import { Gate } from "../gate.js";
import { useKit } from "../leaks.js";
import type { Subject } from "../subject.js";
import { Tally } from "../tally.js";

export function timeoutsSuite(subject: Subject): void {
  describe("a time limit", () => {
    const kit = useKit(subject);

    test("fails an item that awaits for longer, fires its signal, and leaves its neighbours alone", async () => {
      const tally = new Tally(1);
      const engine = kit.engine();
      const items = range(10).map((value) => ({ isSlow: value === 4, tally: tally.shared }));
      const handle = engine.run(waiting, items, { timeoutMs: 40, onError: "collect", batchSize: 10 });
      const { values, failures } = await handle.result;
      expect(values).toEqual(range(10).map((value) => (value === 4 ? undefined : true)));
      expect(failures.map(({ index, error }) => [index, error.code])).toEqual([[4, "TASK_TIMEOUT"]]);
      expect(failures[0]?.error.message).toContain("40 ms");
      expect(tally.at(0)).toBe(1);
      expect(engine.stats()).toMatchObject({ threadsStarted: subject.slots, threadsStuck: 0 });
    });

    test("fails an item that computes for longer, though it returns", async () => {
      const engine = kit.engine();
      const { values, failures } = await engine.run(busy, [0, 60, 0], {
        timeoutMs: 30,
        onError: "collect",
        batchSize: 3,
      }).result;
      expect(values).toEqual([false, undefined, false]);
      expect(failures.map(({ index, error }) => [index, error.code])).toEqual([[1, "TASK_TIMEOUT"]]);
    });

    test("is seen by a handler that computes and looks", async () => {
      const { failures } = await kit.engine().run(punctual, [{ isSlow: false }, { isSlow: true }, { isSlow: false }], {
        timeoutMs: 30,
        onError: "collect",
      }).result;
      expect(failures.map(({ index }) => index)).toEqual([1]);
    });

    test("costs an attempt, and is retried", async () => {
      const handle = kit.engine().run(slowOnce, range(4), {
        timeoutMs: 30,
        retry: { attempts: 2, backoffMs: 1, jitter: 0 },
      });
      const { values, stats } = await handle.result;
      expect(values).toEqual(range(4).map((value) => `${value} at attempt 2`));
      expect(stats.retries).toBe(4);
    });

    test("that is not reached changes nothing", async () => {
      expect(await kit.engine().map(addOne, range(2_000), { timeoutMs: 60_000 })).toHaveLength(2_000);
    });

    test("under fail ends the job, and names the item", async () => {
      const error = await failure(
        kit.engine().run(waiting, [{ isSlow: false }, { isSlow: true }], { timeoutMs: 30 }).result,
        "TASK_TIMEOUT",
      );
      expect(error).toMatchObject({ index: 1, attempt: 1 });
    });

    testWith(subject, "ownThreads", "that a handler ignores costs the thread, not its neighbours", async () => {
      const engine = kit.single({ graceMs: 300 });
      const gate = new Gate();
      const items = range(20).map((value) => (value === 5 ? { value, gate: gate.shared } : { value }));
      const stuck = threadEvent(engine, "stuck");
      const handle = engine.run(spinning, items, { timeoutMs: 300, onError: "collect", batchSize: 20 });
      const { values, failures } = await handle.result;
      await stuck;
      expect(values).toEqual(range(20).map((value) => (value === 5 ? undefined : value)));
      expect(failures.map(({ index, attempt, error }) => [index, attempt, error.code])).toEqual([
        [5, 1, "TASK_TIMEOUT"],
      ]);
      expect(engine.stats()).toMatchObject({ threadsStarted: 2, threadsStuck: 1 });
      gate.open();
    });

    testWith(
      subject,
      "ownThreads",
      "that a handler ignores costs an attempt each time, and the last one is named",
      async () => {
        const engine = kit.engine({ threads: 2, graceMs: 40 });
        const gate = new Gate();
        const { failures } = await engine.run(spinning, [{ value: 0, gate: gate.shared }], {
          timeoutMs: 30,
          onError: "collect",
          retry: { attempts: 2, backoffMs: 1, jitter: 0 },
        }).result;
        expect(failures.map(({ index, attempt, error }) => [index, attempt, error.code])).toEqual([
          [0, 2, "TASK_TIMEOUT"],
        ]);
        gate.open();
      },
    );
  });
}
