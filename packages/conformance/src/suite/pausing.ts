/** Section 4: pause and resume. */
import { describe, expect, test } from "vitest";
import { failure, once, range, rejection } from "../assertions.js";
import { addOne, gated } from "../fixtures/index.js";
import { Gate } from "../gate.js";
import { aWhile, useKit } from "../leaks.js";
import type { Subject } from "../subject.js";
import { Tally } from "../tally.js";

export function pausingSuite(subject: Subject): void {
  describe("pause", () => {
    const kit = useKit(subject);

    test("resolves when what was begun has been finished; nothing else runs until resume", async () => {
      const engine = kit.engine();
      const gate = new Gate();
      const tally = new Tally(100);
      const items = range(100).map((value) => ({ value, gate: gate.shared, tally: tally.shared }));
      const handle = engine.run(gated, items, { concurrency: 1, batchSize: 10 });
      await gate.arrived();
      const paused = handle.pause();
      expect(handle.state).toBe("paused");
      gate.open();
      await paused;
      const ran = tally.sum;
      expect(ran).toBeLessThan(100);
      await aWhile();
      expect(tally.sum).toBe(ran);
      expect(handle.progress.completed).toBe(ran);
      handle.resume();
      expect(handle.state).toBe("running");
      expect((await handle.result).values).toEqual(range(100));
      expect(tally.all).toEqual(range(100).map(() => 1));
    });

    test("gives the threads to other jobs", async () => {
      const engine = kit.engine();
      const handle = engine.run(addOne, range(100_000));
      await handle.pause();
      expect(await engine.map(addOne, range(100))).toHaveLength(100);
      handle.resume();
      expect((await handle.result).values).toHaveLength(100_000);
    });

    test("stops the source from being pulled", async () => {
      let pulled = 0;
      const items = (function* () {
        for (; pulled < 100_000;) yield pulled++;
      })();
      const handle = kit.engine().run(addOne, items, { maxInFlight: 100 });
      await once(handle, "batch");
      await handle.pause();
      await aWhile();
      const before = pulled;
      await aWhile();
      expect(pulled).toBe(before);
      handle.resume();
      expect((await handle.result).values).toHaveLength(100_000);
    });

    test("before the job has begun works, and so does resume", async () => {
      const handle = kit.engine().run(addOne, range(100));
      await handle.pause();
      expect(handle.state).toBe("paused");
      handle.resume();
      expect((await handle.result).values).toHaveLength(100);
    });

    test("of a job that is paused already resolves", async () => {
      const handle = kit.engine().run(addOne, range(10_000));
      await handle.pause();
      await handle.pause();
      await Promise.all([handle.pause(), handle.pause()]);
      handle.resume();
      expect((await handle.result).values).toHaveLength(10_000);
    });

    test("that is taken back at once resolves too, and nothing is lost or run twice", async () => {
      const tally = new Tally(2_000);
      const items = range(2_000).map((value) => ({ value, tally: tally.shared }));
      const handle = kit.engine().run(gated, items);
      const pauses: Promise<void>[] = [];
      for (let round = 0; round < 20; round++) {
        pauses.push(handle.pause());
        handle.resume();
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect((await handle.result).values).toEqual(range(2_000));
      await Promise.all(pauses);
      expect(tally.all).toEqual(range(2_000).map(() => 1));
    });

    test("of a job that has ended resolves, and changes nothing", async () => {
      const handle = kit.engine().run(addOne, [1]);
      await handle.result;
      await handle.pause();
      handle.resume();
      expect(handle.state).toBe("completed");
    });

    test("does not keep a job from being cancelled, and is then over", async () => {
      const handle = kit.engine().run(addOne, range(10_000));
      await handle.pause();
      handle.cancel("while paused");
      expect(handle.state).toBe("cancelled");
      expect(await rejection(handle.result)).toBe("while paused");
      await handle.stopped;
    });

    test("that waits for a handler is over when the job is cancelled", async () => {
      const gate = new Gate();
      const handle = kit.engine({ graceMs: 100 }).run(gated, [{ value: 1, gate: gate.shared }]);
      await gate.arrived();
      const paused = handle.pause();
      handle.cancel();
      await paused;
      expect(handle.state).toBe("cancelled");
      gate.open();
    });

    test("makes drain and close refuse to wait, by name, and changes nothing", async () => {
      const engine = kit.engine();
      const handle = engine.run(addOne, range(10_000), { id: "sleeper" });
      await handle.pause();
      expect((await failure(engine.drain(), "INVALID_ARGUMENT")).message).toContain('"sleeper"');
      expect((await failure(engine.close(), "INVALID_ARGUMENT")).message).toContain('"sleeper"');
      handle.resume();
      expect((await handle.result).values).toHaveLength(10_000);
      await engine.drain();
    });

    test("is told by stats", async () => {
      const engine = kit.engine();
      const handle = engine.run(addOne, range(10_000));
      await handle.pause();
      expect(engine.stats().jobs).toEqual({ waiting: 0, running: 0, paused: 1 });
      handle.cancel();
      expect(engine.stats().jobs).toEqual({ waiting: 0, running: 0, paused: 0 });
    });
  });
}
