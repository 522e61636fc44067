/** Section 5: setup once per thread and options, kept warm; teardown; concurrency. */
import { describe, expect, test } from "vitest";
import { failure, range, rejection } from "../assertions.js";
import {
  addOne,
  counted,
  crowd,
  exitsAtImport,
  failingSetup,
  failingTeardown,
  gated,
  gatedSetup,
  missingExport,
  missingModule,
  notATask,
  showOptions,
  throwsAtImport,
} from "../fixtures/index.js";
import { SETUPS, TEARDOWNS } from "../fixtures/setups.js";
import { testWith } from "../assertions.js";
import { Gate } from "../gate.js";
import { until, useKit } from "../leaks.js";
import type { Subject } from "../subject.js";
import { Tally } from "../tally.js";

export function setupsSuite(subject: Subject): void {
  describe("setup", () => {
    const kit = useKit(subject);

    test("runs once per thread, however many jobs and items use it", async () => {
      const engine = kit.engine();
      const tally = new Tally(2);
      for (let round = 0; round < 5; round++) {
        await engine.map(counted, range(200), { options: { tally: tally.shared } });
      }
      expect(tally.at(SETUPS)).toBeLessThanOrEqual(subject.slots);
      expect(tally.at(TEARDOWNS)).toBe(0);
    });

    test("runs anew for other options, and each job gets its own", async () => {
      const engine = kit.single();
      const tally = new Tally(2);
      const run = (mark: number) => engine.map(counted, [1], { options: { tally: tally.shared, mark } });
      const marks = (await Promise.all([run(1), run(2), run(1), run(2)])).map(([value]) => value?.mark);
      expect(marks).toEqual([1, 2, 1, 2]);
      expect(tally.at(SETUPS)).toBe(2);
    });

    test("gets options by content: equal ones share what was set up, and later changes do not reach threads", async () => {
      const engine = kit.engine();
      const options = { name: "first", bytes: new Uint8Array([1, 2]) };
      const handle = engine.run(showOptions, [1], { options });
      options.name = "changed";
      options.bytes.fill(9);
      expect((await handle.result).values).toEqual(["first 1-2"]);
      expect(await engine.map(showOptions, [1], { options })).toEqual(["changed 9-9"]);
    });

    test("by warm happens in every thread, before any item", async () => {
      const engine = kit.engine();
      const tally = new Tally(2);
      await engine.warm(counted, { tally: tally.shared });
      expect(tally.at(SETUPS)).toBe(subject.slots);
      await engine.map(counted, range(500), { options: { tally: tally.shared } });
      expect(tally.at(SETUPS)).toBe(subject.slots);
    });

    test("by warm reaches threads that are busy, behind their work", async () => {
      const engine = kit.engine();
      const tally = new Tally(2);
      const gate = new Gate();
      const busy = engine.run(
        gated,
        range(2 * subject.slots).map((value) => ({ value, gate: gate.shared })),
        { batchSize: 1 },
      );
      await gate.arrived(subject.slots);
      const warm = engine.warm(counted, { tally: tally.shared });
      gate.open();
      await warm;
      expect(tally.at(SETUPS)).toBe(subject.slots);
      await busy.result;
    });

    test("that fails fails the job by name, whatever onError says", async () => {
      const engine = kit.engine();
      const tally = new Tally(1);
      const options = { tally: tally.shared, failures: 1_000 };
      const error = await failure(
        engine.run(failingSetup, [1, 2], { options, onError: "collect" }).result,
        "SETUP_FAILED",
      );
      expect(error).toMatchObject({ index: -1, attempt: 0 });
      expect(error.message).toContain("failingSetup");
      expect(error.message).toContain("no model");
      expect(error.cause).toMatchObject({ cause: { code: "E_MODEL" } });
      await failure(engine.warm(failingSetup, options), "SETUP_FAILED");
      expect(await engine.map(addOne, [1])).toEqual([2]);
    });

    test("that failed is tried again by the next job", async () => {
      const engine = kit.engine();
      const tally = new Tally(1);
      const options = { tally: tally.shared, failures: 1 };
      await failure(engine.map(failingSetup, [1], { options }), "SETUP_FAILED");
      expect(await engine.map(failingSetup, [1], { options })).toEqual([1]);
    });

    test("that takes long does not keep other jobs waiting where there is another thread", async () => {
      const engine = kit.engine();
      const gate = new Gate();
      const slow = engine.run(gatedSetup, [1], { options: { gate: gate.shared } });
      await gate.arrived();
      const isAlone = subject.slots === 1;
      expect(isAlone ? "has to wait" : await engine.map(addOne, [1])).toEqual(isAlone ? "has to wait" : [2]);
      gate.open();
      expect((await slow.result).values).toEqual(["ready 1"]);
    });
  });

  describe("teardown", () => {
    const kit = useKit(subject);

    test("runs for everything that was set up when the engine closes", async () => {
      const engine = kit.engine();
      const tally = new Tally(2);
      for (const mark of range(3)) await engine.warm(counted, { tally: tally.shared, mark });
      await engine.close();
      expect(tally.at(SETUPS)).toBe(3 * subject.slots);
      expect(tally.at(TEARDOWNS)).toBe(3 * subject.slots);
    });

    test("runs for what was used least recently when too much is kept warm", async () => {
      const engine = kit.engine({ keepWarm: 2 });
      const tally = new Tally(2);
      for (const mark of range(5)) await engine.warm(counted, { tally: tally.shared, mark });
      await until(() => tally.at(TEARDOWNS) >= 3 * subject.slots);
      expect(tally.at(SETUPS)).toBe(5 * subject.slots);
      expect(tally.at(TEARDOWNS)).toBe(3 * subject.slots);
      await engine.warm(counted, { tally: tally.shared, mark: 0 });
      expect(tally.at(SETUPS)).toBe(6 * subject.slots);
    });

    test("that fails harms nobody", async () => {
      const engine = kit.engine({ keepWarm: 1 });
      const tally = new Tally(2);
      await engine.warm(failingTeardown, { tally: tally.shared });
      await engine.warm(addOne);
      await until(() => tally.at(TEARDOWNS) >= subject.slots);
      expect(tally.at(TEARDOWNS)).toBe(subject.slots);
      expect(await engine.map(addOne, [1])).toEqual([2]);
      expect(await engine.map(failingTeardown, [1], { options: { tally: tally.shared } })).toEqual([1]);
    });
  });

  describe("a task that cannot be had", () => {
    const kit = useKit(subject);

    test.each([
      ["whose module is missing", missingModule, "TASK_LOAD_FAILED", "missing.js"],
      ["whose module throws at import", throwsAtImport, "TASK_LOAD_FAILED", "broken on purpose"],
      ["that the module does not export", missingExport, "TASK_NOT_FOUND", '"missing"'],
      ["that is no task", notATask, "TASK_NOT_FOUND", '"notATask"'],
    ] as const)("%s fails the job by name, also under collect", async (_, reference, code, named) => {
      const engine = kit.engine();
      const error = await failure(engine.run(reference, range(100), { onError: "collect" }).result, code);
      expect(error.message).toContain(named);
      expect(error.index).toBe(-1);
      await failure(engine.warm(reference), code);
      await failure(engine.call(reference, 1), code);
      expect(engine.jobs()).toEqual([]);
      expect(await engine.map(addOne, [1])).toEqual([2]);
    });

    test("names what the module does export", async () => {
      expect((await failure(kit.engine().call(missingExport, 1), "TASK_NOT_FOUND")).message).toContain('"addOne"');
    });

    testWith(
      subject,
      "ownThreads",
      "whose module ends the thread at import fails the job, after a few threads",
      async () => {
        const engine = kit.engine();
        await failure(engine.run(exitsAtImport, range(10)).result, "THREAD_LOST");
        expect(engine.stats().threadsLost).toBeLessThanOrEqual(3 + subject.slots);
        expect(await engine.map(addOne, [1])).toEqual([2]);
      },
    );
  });

  describe("concurrency", () => {
    const kit = useKit(subject);

    test.each([
      ["as the task says", undefined, 4],
      ["as the run says", 2, 2],
      ["of one", 1, 1],
    ])("is at most %s per thread", async (_, concurrency, most) => {
      const engine = kit.engine();
      const tally = new Tally(2);
      const options = { options: { tally: tally.shared }, ...(concurrency === undefined ? {} : { concurrency }) };
      expect(await engine.map(crowd, range(200), options)).toEqual(range(200));
      expect(tally.at(0)).toBe(0);
      expect(tally.at(1)).toBeLessThanOrEqual(most * subject.slots);
      expect(tally.at(1)).toBeGreaterThan(most > 1 ? 1 : 0);
    });

    test("keeps the lanes full across the border of two batches", async () => {
      const gate = new Gate();
      const engine = kit.single();
      const items = range(12).map((value) => ({ value, gate: gate.shared }));
      const handle = engine.run(gated, items, { concurrency: 4, batchSize: 4 });
      await gate.arrived(4);
      gate.letThrough(1);
      // The fifth comes from the next batch, while three of the first still wait.
      await gate.arrived(5);
      gate.open();
      expect((await handle.result).values).toEqual(range(12));
    });
  });

  test("a job whose thread is being set up can be left by a closed engine", async () => {
    const engine = subject.createEngine({ graceMs: 100 });
    const gate = new Gate();
    const handle = engine.run(gatedSetup, [1], { options: { gate: gate.shared } });
    await gate.arrived();
    await engine.close({ deadlineMs: 0 });
    expect(await rejection(handle.result)).toMatchObject({ name: "AbortError" });
    gate.open();
  });
}
