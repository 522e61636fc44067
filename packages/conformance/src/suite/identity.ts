/** Section 4, identity: the handles of one id share one job, and a completed job is remembered. */
import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { collect, failure, range, rejection, thrown } from "../assertions.js";
import { addOne, failOdd, flaky, gated, gatedToo } from "../fixtures/index.js";
import { Gate } from "../gate.js";
import { useKit } from "../leaks.js";
import type { Subject } from "../subject.js";
import { Tally } from "../tally.js";

export function identitySuite(subject: Subject): void {
  describe("an id", () => {
    const kit = useKit(subject);

    test("of a live job joins it: the work is done once, for two handles", async () => {
      const engine = kit.engine();
      const gate = new Gate();
      const tally = new Tally(10);
      const items = range(10).map((value) => ({ value, gate: gate.shared, tally: tally.shared }));
      const first = engine.run(gated, items, { id: "album" });
      const second = engine.run(gated, items, { id: "album" });
      expect(second).not.toBe(first);
      expect(engine.jobs().map(({ id }) => id)).toEqual(["album"]);
      gate.open();
      expect((await first.result).values).toEqual(range(10));
      expect((await second.result).values).toEqual(range(10));
      expect(tally.all).toEqual(range(10).map(() => 1));
      expect(second.fromCache).toBe(false);
    });

    test("that is joined does not touch the joiner's items", async () => {
      const engine = kit.engine();
      const gate = new Gate();
      const first = engine.run(gated, [{ value: 1, gate: gate.shared }], { id: "album" });
      let pulled = 0;
      const items = (function* () {
        pulled++;
        yield { value: 2 };
      })();
      const second = engine.run(gated, items, { id: "album" });
      gate.open();
      expect((await second.result).values).toEqual([1]);
      expect(pulled).toBe(0);
      await first.result;
    });

    test("that is joined gives each handle its own loops, in its own order", async () => {
      const engine = kit.engine();
      const first = engine.run(addOne, range(500), { id: "album" });
      const second = engine.run(addOne, [], { id: "album", ordered: true });
      const [one, two] = await Promise.all([collect(first), collect(second)]);
      expect(one).toHaveLength(500);
      expect(two.map(({ index }) => index)).toEqual(range(500));
    });

    test("of a live job with another task, or for collect: false, is a conflict that changes nothing", async () => {
      const engine = kit.engine();
      const gate = new Gate();
      const first = engine.run(gated, [{ value: 1, gate: gate.shared }], { id: "album" });
      const other = thrown(() => engine.run(gatedToo, [{ value: 1 }], { id: "album" }));
      expect(other).toMatchObject({ code: "JOB_ID_CONFLICT", jobId: "album" });
      expect(other.message).toContain('"album"');
      expect(thrown(() => engine.run(gated, [{ value: 1 }], { id: "album", collect: false })).code).toBe(
        "JOB_ID_CONFLICT",
      );
      expect(engine.jobs()).toHaveLength(1);
      gate.open();
      expect((await first.result).values).toEqual([1]);
    });

    test("of a live job that does not collect is a conflict too", async () => {
      const engine = kit.engine();
      const gate = new Gate();
      const first = engine.run(gated, [{ value: 1, gate: gate.shared }], { id: "album", collect: false });
      expect(thrown(() => engine.run(gated, [{ value: 1 }], { id: "album" })).code).toBe("JOB_ID_CONFLICT");
      gate.open();
      await first.result;
    });

    test("of a completed job answers from the cache, and touches no thread", async () => {
      const engine = kit.engine();
      const first = await engine.run(addOne, range(100), { id: "album" }).result;
      const { batches } = engine.stats();
      const again = engine.run(addOne, range(5), { id: "album" });
      expect(again.fromCache).toBe(true);
      expect(again.state).toBe("completed");
      expect((await again.result).values).toEqual(first.values);
      expect((await again.result).values[0]).toBe(first.values[0]);
      expect((await again.result).jobId).toBe("album");
      expect(await collect(again)).toHaveLength(100);
      expect(await collect(again.values())).toEqual(first.values);
      expect(again.progress).toMatchObject({ completed: 100, failed: 0, total: 100 });
      await again.stopped;
      expect(engine.stats().batches).toBe(batches);
      expect(engine.results.stats.hits).toBe(1);
    });

    test("of a completed job gets its result, without a task, which is a hit", async () => {
      const engine = kit.engine();
      const result = await engine.run(addOne, range(100), { id: "album" }).result;
      expect(engine.results.get("album")).toEqual(result);
      expect(engine.results.stats).toMatchObject({ entries: 1, hits: 1, misses: 1 });
      expect(engine.results.delete("album")).toBe(true);
      expect(engine.results.get("album")).toBeUndefined();
      expect(engine.run(addOne, [], { id: "album" }).fromCache).toBe(false);
    });

    test("that is unknown, live, failed or cancelled has no result, rather than an empty one", async () => {
      const engine = kit.engine();
      const gate = new Gate();
      await rejection(engine.run(failOdd, [1], { id: "failed" }).result);
      const live = engine.run(gated, [{ value: 1, gate: gate.shared }], { id: "live" });
      const cancelled = engine.run(addOne, [1], { id: "cancelled" });
      cancelled.cancel();
      const known = ["unknown", "live", "failed", "cancelled"].filter((id) => engine.results.get(id) !== undefined);
      expect(known).toEqual([]);
      gate.open();
      await live.result;
      expect(engine.results.get("live")).toMatchObject({ jobId: "live", values: [1], failures: [] });
    });

    test("of a completed job still says how many attempts its items took", async () => {
      const engine = kit.engine();
      const items = [1, 2, 3].map((succeedsAt) => ({ succeedsAt, value: succeedsAt }));
      const options = { id: "flaky", retry: { attempts: 3, backoffMs: 1 } };
      await engine.run(flaky, items, options).result;
      const again = engine.run(flaky, [], options);
      expect(again.fromCache).toBe(true);
      expect((await collect(again)).map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    });

    test("with fresh runs again, and the new result is kept", async () => {
      const engine = kit.engine();
      await engine.run(addOne, [1], { id: "album" }).result;
      const again = engine.run(addOne, [2], { id: "album", fresh: true });
      expect(again.fromCache).toBe(false);
      expect((await again.result).values).toEqual([3]);
      expect((await engine.run(addOne, [9], { id: "album" }).result).values).toEqual([3]);
    });

    test("of a completed job with another task is no hit", async () => {
      const engine = kit.engine();
      await engine.run(addOne, [1], { id: "album" }).result;
      const other = engine.run(failOdd, [2], { id: "album" });
      expect(other.fromCache).toBe(false);
      expect((await other.result).values).toEqual([2]);
    });

    test("is looked up once, which the figures of the results show: a miss, then a hit; without one nothing is", async () => {
      const engine = kit.engine();
      const counted = (): unknown => {
        const { hits, misses, hitRate } = engine.results.stats;
        return { hits, misses, hitRate };
      };
      await engine.run(addOne, [1]).result;
      expect(counted()).toEqual({ hits: 0, misses: 0, hitRate: 0 });
      await engine.run(addOne, [1], { id: "album" }).result;
      expect(counted()).toEqual({ hits: 0, misses: 1, hitRate: 0 });
      await engine.run(addOne, [1], { id: "album" }).result;
      expect(counted()).toEqual({ hits: 1, misses: 1, hitRate: 0.5 });
    });

    test("that was not given is never kept", async () => {
      const engine = kit.engine();
      await engine.run(addOne, [1]).result;
      expect(engine.results.stats.entries).toBe(0);
    });

    test.each([
      ["failed", { onError: "fail" }],
      ["has failures", { onError: "collect" }],
    ] as const)("of a job that %s is not kept", async (_, options) => {
      const engine = kit.engine();
      await engine.run(failOdd, [1], { ...options, id: "bad" }).result.catch(() => undefined);
      expect(engine.results.has("bad")).toBe(false);
      expect(engine.run(addOne, [1], { id: "bad" }).fromCache).toBe(false);
    });

    test("of a cancelled or streaming job is not kept", async () => {
      const engine = kit.engine();
      engine.run(addOne, range(10), { id: "cancelled" }).cancel();
      await engine.run(addOne, range(10), { id: "streaming", collect: false }).result;
      expect(engine.results.has("cancelled")).toBe(false);
      expect(engine.results.has("streaming")).toBe(false);
    });

    test("falls out of the cache, least recently used first, and runs again", async () => {
      const engine = kit.engine({ results: { maxEntries: 2 } });
      for (const id of ["a", "b"]) await engine.run(addOne, [1], { id }).result;
      expect(engine.run(addOne, [1], { id: "a" }).fromCache).toBe(true);
      await engine.run(addOne, [1], { id: "c" }).result;
      expect(engine.results.has("b")).toBe(false);
      expect(engine.run(addOne, [1], { id: "a" }).fromCache).toBe(true);
      const again = engine.run(addOne, [1], { id: "b" });
      expect(again.fromCache).toBe(false);
      await again.result;
    });

    test("is not kept where the result is larger than the cache", async () => {
      const engine = kit.engine({ results: { maxBytes: 1_000 } });
      expect((await engine.run(addOne, range(10_000), { id: "large" }).result).values).toHaveLength(10_000);
      expect(engine.results.has("large")).toBe(false);
    });

    test("is looked up: live, settled with state, error and stats, or undefined", async () => {
      const engine = kit.engine();
      const gate = new Gate();
      const live = engine.run(gated, [{ value: 1, gate: gate.shared }], { id: "live" });
      expect(engine.job("live")).toMatchObject({ id: "live" });
      expect(["waiting", "running"]).toContain(engine.job("live")?.state);
      gate.open();
      await live.result;
      expect(engine.job("live")).toMatchObject({ id: "live", state: "completed", stats: { items: 1, completed: 1 } });
      const failed = engine.run(failOdd, [1], { id: "failed" });
      const error = await rejection(failed.result);
      expect(engine.job("failed")).toMatchObject({ state: "failed", error });
      expect(engine.job("nobody")).toBeUndefined();
    });

    test("is remembered for the last 256 jobs that settled, and unknown after that: never an empty success", async () => {
      const engine = kit.engine();
      for (const at of range(257)) await engine.run(addOne, [], { id: `job ${at}`, collect: false }).result;
      expect(engine.job("job 0")).toBeUndefined();
      expect(engine.job("job 1")).toMatchObject({ state: "completed" });
      expect(engine.job("job 256")).toMatchObject({ state: "completed" });
    });

    test("that failed may be used again at once", async () => {
      const engine = kit.engine();
      await failure(engine.run(failOdd, [1], { id: "again" }).result, "TASK_FAILED");
      expect((await engine.run(failOdd, [2], { id: "again" }).result).values).toEqual([2]);
    });

    test("that was cancelled may be used again in the same tick", async () => {
      const engine = kit.engine();
      const first = engine.run(addOne, range(1_000), { id: "again" });
      first.cancel();
      const second = engine.run(addOne, [1], { id: "again" });
      expect((await second.result).values).toEqual([2]);
      expect(first.state).toBe("cancelled");
    });
  });

  describe("a signal of one of several handles", () => {
    const kit = useKit(subject);

    test("settles that handle only; the work goes on for the others", async () => {
      const engine = kit.engine();
      const gate = new Gate();
      const controller = kit.controller();
      const items = [{ value: 1, gate: gate.shared }];
      const leaving = engine.run(gated, items, { id: "album", signal: controller.signal });
      const staying = engine.run(gated, items, { id: "album" });
      await gate.arrived();
      controller.abort("leaving");
      expect(leaving.state).toBe("cancelled");
      expect(staying.state).toBe("running");
      expect(await rejection(leaving.result)).toBe("leaving");
      expect(await rejection(leaving[Symbol.asyncIterator]().next())).toBe("leaving");
      gate.open();
      expect((await staying.result).values).toEqual([1]);
    });

    test("cancels the work when it was the last handle", async () => {
      const engine = kit.engine();
      const gate = new Gate();
      const [one, two] = [kit.controller(), kit.controller()];
      const items = [{ value: 1, gate: gate.shared }];
      const first = engine.run(gated, items, { id: "album", signal: one.signal });
      const second = engine.run(gated, items, { id: "album", signal: two.signal });
      await gate.arrived();
      one.abort("one");
      expect(engine.jobs()).toHaveLength(1);
      two.abort("two");
      expect(engine.jobs()).toHaveLength(0);
      expect(await rejection(first.result)).toBe("one");
      expect(await rejection(second.result)).toBe("two");
      gate.open();
      await second.stopped;
    });

    test("does not keep the work alive for those who only look", async () => {
      const engine = kit.engine();
      const gate = new Gate();
      const controller = kit.controller();
      const handle = engine.run(gated, [{ value: 1, gate: gate.shared }], { id: "album", signal: controller.signal });
      const observer = engine.jobs()[0];
      await gate.arrived();
      controller.abort("gone");
      expect(handle.state).toBe("cancelled");
      expect(observer?.state).toBe("cancelled");
      gate.open();
      await handle.stopped;
    });

    test("has no listener left on it when its own handle has settled", async () => {
      const engine = kit.engine();
      const gate = new Gate();
      const controller = kit.controller();
      const first = engine.run(gated, [{ value: 1, gate: gate.shared }], { id: "album" });
      const second = engine.run(gated, [], { id: "album", signal: controller.signal });
      gate.open();
      await Promise.all([first.result, second.result]);
      expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    });

    test("that is aborted already gives a cancelled handle and leaves the live job alone", async () => {
      const engine = kit.engine();
      const gate = new Gate();
      const first = engine.run(gated, [{ value: 1, gate: gate.shared }], { id: "album" });
      const second = engine.run(gated, [], { id: "album", signal: AbortSignal.abort("before") });
      expect(await rejection(second.result)).toBe("before");
      expect(engine.jobs()).toHaveLength(1);
      gate.open();
      expect((await first.result).values).toEqual([1]);
    });

    test("cancel by any handle ends them all", async () => {
      const engine = kit.engine();
      const gate = new Gate();
      const first = engine.run(gated, [{ value: 1, gate: gate.shared }], { id: "album" });
      const second = engine.run(gated, [], { id: "album" });
      await gate.arrived();
      second.cancel("for all");
      expect([first.state, second.state]).toEqual(["cancelled", "cancelled"]);
      expect(await rejection(first.result)).toBe("for all");
      gate.open();
      await first.stopped;
    });
  });
}
