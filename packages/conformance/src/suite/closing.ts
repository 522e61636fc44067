/** Section 4: drain, close, disposal. */
import { describe, expect, test } from "vitest";
import { failure, range, rejection, thrown } from "../assertions.js";
import { addOne, counted, gated } from "../fixtures/index.js";
import { TEARDOWNS } from "../fixtures/setups.js";
import { Gate } from "../gate.js";
import { aWhile, useKit } from "../leaks.js";
import type { Subject } from "../subject.js";
import { Tally } from "../tally.js";

export function closingSuite(subject: Subject): void {
  describe("drain", () => {
    const kit = useKit(subject);

    test("resolves at once when nothing is live", async () => {
      const engine = kit.engine();
      await engine.drain();
      expect(engine.jobs()).toEqual([]);
    });

    test("waits for all live jobs, also those that fail, and the engine works on", async () => {
      const engine = kit.engine();
      const gate = new Gate();
      const first = engine.run(gated, [{ value: 1, gate: gate.shared }]);
      const second = engine.run(addOne, range(5_000));
      let isDrained = false;
      const drained = engine.drain().then(() => (isDrained = true));
      await gate.arrived();
      // One slot is held by the first job; where there is another one, the second job must not wait for it.
      if (subject.slots > 1) await second.result;
      await aWhile();
      expect(isDrained).toBe(false);
      gate.open();
      await drained;
      expect(first.state).toBe("completed");
      expect(engine.jobs()).toEqual([]);
      expect(await engine.map(addOne, [1])).toEqual([2]);
    });
  });

  describe("close", () => {
    const kit = useKit(subject);

    test("waits for live jobs, and takes no more", async () => {
      const engine = kit.engine();
      const gate = new Gate();
      const handle = engine.run(gated, [{ value: 1, gate: gate.shared }], { id: "live" });
      await gate.arrived();
      const closing = engine.close();
      const error = thrown(() => engine.run(addOne, [1]));
      expect(error.code).toBe("ENGINE_CLOSED");
      await failure(engine.call(addOne, 1), "ENGINE_CLOSED");
      await failure(engine.map(addOne, [1]), "ENGINE_CLOSED");
      await failure(engine.warm(addOne), "ENGINE_CLOSED");
      expect(thrown(() => engine.run(gated, [], { id: "live" })).code).toBe("ENGINE_CLOSED");
      gate.open();
      expect(await closing).toEqual({ leftBehind: [], cancelledJobs: [] });
      expect((await handle.result).values).toEqual([1]);
      expect(thrown(() => engine.run(addOne, [1])).code).toBe("ENGINE_CLOSED");
      expect(engine.job("live")).toMatchObject({ state: "completed" });
    });

    test("with deadline 0 cancels what is live, in the same tick, and says what", async () => {
      const engine = kit.engine({ graceMs: 200 });
      const gate = new Gate();
      const handle = engine.run(gated, [{ value: 1, gate: gate.shared }], { id: "live" });
      await gate.arrived();
      const closing = engine.close({ deadlineMs: 0 });
      expect(handle.state).toBe("cancelled");
      gate.open();
      expect(await closing).toEqual({ leftBehind: [], cancelledJobs: ["live"] });
      expect(await rejection(handle.result)).toMatchObject({ name: "AbortError" });
      await handle.stopped;
    });

    test("with a deadline lets jobs end that are done by then", async () => {
      const engine = kit.engine();
      const handle = engine.run(addOne, range(1_000));
      expect(await engine.close({ deadlineMs: 60_000 })).toEqual({ leftBehind: [], cancelledJobs: [] });
      expect((await handle.result).values).toHaveLength(1_000);
    });

    test("with a deadline cancels what is not done by then", async () => {
      const engine = kit.engine({ graceMs: 200 });
      const gate = new Gate();
      const handle = engine.run(gated, [{ value: 1, gate: gate.shared }], { id: "slow" });
      await gate.arrived();
      expect(await engine.close({ deadlineMs: 20 })).toEqual({ leftBehind: [], cancelledJobs: ["slow"] });
      expect(handle.state).toBe("cancelled");
      gate.open();
    });

    test("with a shorter deadline holds though a longer close has begun", async () => {
      const engine = kit.engine({ graceMs: 200 });
      const gate = new Gate();
      const handle = engine.run(gated, [{ value: 1, gate: gate.shared }]);
      await gate.arrived();
      const patient = engine.close();
      const hasty = engine.close({ deadlineMs: 0 });
      expect(await hasty).toEqual(await patient);
      expect(handle.state).toBe("cancelled");
      gate.open();
    });

    test("cancels paused jobs where there is a deadline", async () => {
      const engine = kit.engine();
      const handle = engine.run(addOne, range(10_000), { id: "sleeper" });
      await handle.pause();
      expect((await engine.close({ deadlineMs: 0 })).cancelledJobs).toEqual(["sleeper"]);
      expect(handle.state).toBe("cancelled");
    });

    test("answers the same when it is called again", async () => {
      const engine = kit.engine();
      const [first, second] = await Promise.all([engine.close(), engine.close()]);
      expect(second).toEqual(first);
      expect(await engine.close({ deadlineMs: 0 })).toEqual(first);
    });

    test("in the tick of createEngine leaves nothing behind", async () => {
      const engine = kit.engine();
      expect(await engine.close()).toEqual({ leftBehind: [], cancelledJobs: [] });
    });

    test("in the tick of run settles the job", async () => {
      const engine = kit.engine();
      const handle = engine.run(addOne, range(1_000));
      const closing = engine.close({ deadlineMs: 0 });
      expect(await rejection(handle.result)).toMatchObject({ name: "AbortError" });
      await closing;
    });

    test.each([
      ["deadlineMs", -1],
      ["deadlineMs", Number.NaN],
      ["deadlineMs", "soon"],
      ["deadline", 5],
    ])("refuses { %s: %j }, and changes nothing", async (name, value) => {
      const engine = kit.engine();
      expect((await failure(engine.close({ [name]: value }), "INVALID_ARGUMENT")).message).toContain(name);
      expect(await engine.map(addOne, [1])).toEqual([2]);
    });

    test("by disposal cancels, tears down and closes", async () => {
      const tally = new Tally(2);
      const engine = kit.engine();
      await engine.warm(counted, { tally: tally.shared });
      const handle = engine.run(addOne, range(1_000_000));
      await engine[Symbol.asyncDispose]();
      expect(handle.state).toBe("cancelled");
      expect(tally.at(TEARDOWNS)).toBe(subject.slots);
      expect(new Set(engine.stats().threads.map(({ state }) => state))).toEqual(new Set(["ended"]));
      expect(thrown(() => engine.run(addOne, [1])).code).toBe("ENGINE_CLOSED");
    });

    test("leaves what was read readable: results and records stay", async () => {
      const engine = kit.engine();
      const handle = engine.run(addOne, [1], { id: "kept" });
      await engine.close();
      expect((await handle.result).values).toEqual([2]);
      expect(engine.job("kept")).toMatchObject({ state: "completed" });
      expect(engine.jobs()).toEqual([]);
      expect(engine.cancel("kept")).toBe(false);
    });
  });
}
