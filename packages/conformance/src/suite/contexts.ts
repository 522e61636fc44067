/** Section 5: what `ctx` gives, and what travels how. */
import { describe, expect, test } from "vitest";
import { failure, range } from "../assertions.js";
import {
  badDetail,
  bytesBehind,
  handOver,
  handOverPooled,
  handOverTwice,
  nativeResult,
  nativeThrow,
  show,
  smallView,
} from "../fixtures/index.js";
import { useKit } from "../leaks.js";
import type { Subject } from "../subject.js";

export function contextsSuite(subject: Subject): void {
  describe("ctx", () => {
    const kit = useKit(subject);

    test("tells index, attempt, job and options", async () => {
      const values = await kit.engine().map(show, ["a", "b", "c"], { id: "shown" });
      expect(values).toEqual(
        ["a", "b", "c"].map((value, index) => ({
          value,
          index,
          attempt: 1,
          jobId: "shown",
          options: undefined,
          resource: undefined,
          cancelled: false,
          aborted: false,
        })),
      );
    });

    test("detail that cannot travel is the handler's own error", async () => {
      expect(await failure(kit.engine().call(badDetail, 1), "TASK_FAILED")).toMatchObject({ index: 0 });
    });

    test("transfer hands a buffer over: the result is right, and has the buffer to itself", async () => {
      const values = await kit.engine().map(
        handOver,
        range(20).map((at) => at + 1),
      );
      expect(values.map(({ byteLength }) => byteLength)).toEqual(range(20).map((at) => at + 1));
      expect(values.every((bytes) => bytes.every((byte) => byte === 7))).toBe(true);
      expect(values[9]?.buffer.byteLength).toBe(10);
    });

    test("transfer of the same buffer by two items harms neither the batch nor the thread", async () => {
      const engine = kit.engine();
      const { values, failures } = await engine.run(handOverTwice, range(4), { batchSize: 4, onError: "collect" })
        .result;
      expect(values).toHaveLength(4);
      expect(failures.length).toBeLessThan(4);
      expect(engine.stats().threadsLost).toBe(0);
    });

    test("transfer of a pooled Buffer takes no other down with it", async () => {
      const values = await kit.engine().map(handOverPooled, ["one", "two", "three"], { batchSize: 3 });
      expect(values.map((bytes) => Buffer.from(bytes).toString())).toEqual(["one", "two", "three"]);
      expect(values.every(({ buffer }) => buffer.byteLength <= 5)).toBe(true);
    });

    test("native gives what the function gives, synchronous or not, and throws what it throws", async () => {
      const engine = kit.engine();
      expect(await engine.call(nativeResult, 1)).toBe(3);
      const { cause } = await failure(engine.call(nativeThrow, 1), "TASK_FAILED");
      expect(cause).toMatchObject({ name: "RangeError", message: "thrown in native code" });
    });
  });

  describe("a small view of a large buffer", () => {
    const kit = useKit(subject);

    test("does not carry the buffer along, as an item", async () => {
      const large = new Uint8Array(1_000_000);
      const engine = kit.engine();
      expect(await engine.call(bytesBehind, large.subarray(10, 20))).toBe(10);
      expect(
        await engine.map(
          bytesBehind,
          range(5).map((at) => large.subarray(at, at + 3)),
        ),
      ).toEqual([3, 3, 3, 3, 3]);
      expect(await engine.call(bytesBehind, Buffer.from("pooled"))).toBe(6);
      expect(large.byteLength).toBe(1_000_000);
    });

    test("does not carry it along when other items of the batch are no views", async () => {
      const large = new Uint8Array(1_000_000);
      expect(await kit.engine().map(bytesBehind, [null, large.subarray(0, 3)], { batchSize: 2 })).toEqual([0, 3]);
    });

    test("does not carry it along as a result", async () => {
      const [view] = await kit.engine().map(smallView, [3]);
      expect([...(view as Uint8Array)]).toEqual([3, 3, 3, 3]);
      expect(view?.buffer.byteLength).toBe(4);
    });
  });
}
