/**
 * Goal G5: `drain` and `close({ deadlineMs })` come to an end whatever the tasks do, and what a shutdown interrupts is
 * cancelled: it has not failed, and has spent no attempt. By how much a deadline is passed depends on the machine; the
 * long run measures that.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EngineOptions, createEngine } from "@threadmill/engine";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { rejection, thrown } from "../src/assertions.js";
import { addOne, flaky, gated } from "../src/fixtures/index.js";
import { watchLeaks } from "../src/leaks.js";
import { program } from "../src/program.js";
import { throwsAtAbort } from "../src/shutdown/references.js";
import { shutDown, within } from "../src/shutdown/shut-down.js";
import { soakShutdown } from "../src/shutdown/soak.js";
import { type Live, Stage, type Stubborn, stubborn } from "../src/shutdown/stubborn.js";

/** Only a hang comes to these. */
const PATIENCE_MS = 20_000;
const TIMEOUT = { timeout: 3 * PATIENCE_MS };
const GRACE_MS = 100;

const expectWarning = watchLeaks();
// One kind of stubborn work.
beforeEach(() => expectWarning("THREADMILL_LISTENER"));

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "threadmill-shutdown-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const works = Object.entries(stubborn);
const shown = (jobs: readonly Live[], { mayFail = false }: Stubborn): readonly object[] =>
  jobs.map(({ state, progress: { failed } }) => ({ state, failed: mayFail ? 0 : failed }));
const cancelled = (jobs: readonly Live[]): readonly object[] => jobs.map(() => ({ state: "cancelled", failed: 0 }));

describe("close with a deadline", () => {
  test.each(works)("comes to an end beside %s", TIMEOUT, async (_name, work) => {
    const { live, report } = await shutDown({
      works: [work],
      createEngine,
      graceMs: GRACE_MS,
      deadlineMs: 20,
      folder: await mkdtemp(join(folder, "close-")),
    });
    expect(shown(live, work)).toEqual(cancelled(live));
    expect(report.cancelledJobs).toEqual(live.map(({ id }) => id));
    // On a busy machine any thread may take longer to end than a close may wait.
    expect(report.leftBehind.length).toBeGreaterThanOrEqual(work.holdsThread === true ? 1 : 0);
    for (const { result } of live) {
      expect(await rejection(result)).toMatchObject({ name: "AbortError", message: "the engine was closed" });
    }
  });

  test.each([
    ["that was given at once", false],
    ["that is given when it has already begun", true],
  ])("holds for teardowns too, however long graceMs is: a deadline %s", TIMEOUT, async (_name, hasBegun) => {
    const work = stubborn["a teardown that waits for ever"] as Stubborn;
    await beside(work, { graceMs: 1_000_000 }, async ({ engine }) => {
      if (hasBegun) {
        void engine.close();
        // No job is live: by then it is tearing down.
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(await within(PATIENCE_MS, engine.close({ deadlineMs: 20 }))).toMatchObject({ cancelledJobs: [] });
    });
  });
});

/** Runs with an engine that has this work in it; whatever happens, it is let go and closed. */
async function beside(
  work: Stubborn,
  options: EngineOptions,
  body: (stage: Stage, live: readonly Live[]) => Promise<void>,
): Promise<void> {
  const engine = createEngine({ threads: 2, graceMs: GRACE_MS, ...options });
  const stage = new Stage(engine, await mkdtemp(join(folder, "drain-")));
  try {
    await body(stage, await work.start(stage));
  } finally {
    await stage.release();
    await engine.close({ deadlineMs: 0 });
  }
}

describe("drain", () => {
  test.each(works)("comes to an end when everything is cancelled, beside %s", TIMEOUT, async (_name, work) => {
    await beside(work, {}, async ({ engine }, live) => {
      for (const { id } of live) engine.cancel(id);
      await within(PATIENCE_MS, engine.drain());
      await within(PATIENCE_MS, Promise.all(live.map(({ stopped }) => stopped)));
      expect(engine.jobs()).toEqual([]);
      expect(shown(live, work)).toEqual(cancelled(live));
    });
  });

  test("is refused while a job is paused, and so is a close that would wait for it", async () => {
    await beside(stubborn["a job that is paused"] as Stubborn, {}, async ({ engine }, [paused]) => {
      for (const promise of [engine.drain(), engine.close()]) {
        expect(await rejection(promise)).toMatchObject({ code: "INVALID_ARGUMENT" });
      }
      expect(paused?.state).toBe("paused");
      expect(await engine.map(addOne, [1])).toEqual([2]);
    });
  });
});

describe("work that a shutdown interrupts", () => {
  test("has not failed, is not tried again, and is shown to nobody", async () => {
    const engine = createEngine({ threads: 2, graceMs: GRACE_MS });
    const stage = new Stage(engine, folder);
    const gate = stage.gate();
    const seen: unknown[] = [];
    const items = Array.from({ length: 8 }, () => ({ gate: gate.shared }));
    const job = engine.run(throwsAtAbort, items, {
      id: "interrupted",
      onError: "collect",
      concurrency: 4,
      retry: { attempts: 5, backoffMs: 0 },
    });
    job.on("retry", (event) => seen.push(event));
    job.on("batch", (event) => seen.push(event));
    const reading = rejection(
      (async () => {
        for await (const outcome of job) seen.push(outcome);
      })(),
    );
    await gate.arrived(4);
    const report = await within(PATIENCE_MS, engine.close({ deadlineMs: 0 }));
    expect(report).toEqual({ leftBehind: [], cancelledJobs: ["interrupted"] });
    const error = await rejection(job.result);
    expect(error).toMatchObject({ name: "AbortError" });
    expect(await reading).toBe(error);
    expect(seen).toEqual([]);
    expect(engine.job("interrupted")).toMatchObject({ state: "cancelled", stats: { failed: 0, retries: 0 } });
  });

  test("begins with its first attempt in the next engine", async () => {
    const items = [{ value: 1, succeedsAt: 2 }];
    const first = createEngine({ threads: 1, graceMs: GRACE_MS });
    const hourly = { attempts: 2, backoffMs: 3_600_000, maxBackoffMs: 3_600_000, jitter: 0 };
    const interrupted = first.run(flaky, items, { id: "again", retry: hourly });
    await new Promise<void>((resolve) => interrupted.once("retry", () => resolve()));
    await within(PATIENCE_MS, first.close({ deadlineMs: 0 }));
    expect(interrupted.state).toBe("cancelled");
    const second = createEngine({ threads: 1 });
    const outcomes = [];
    for await (const outcome of second.run(flaky, items, { id: "again", retry: { attempts: 2, backoffMs: 0 } })) {
      outcomes.push(outcome);
    }
    await second.close();
    expect(outcomes).toMatchObject([{ index: 0, status: "completed", attempt: 2 }]);
  });

  test("keeps what was delivered before", async () => {
    const engine = createEngine({ threads: 1, graceMs: GRACE_MS });
    const stage = new Stage(engine, folder);
    const gate = stage.gate();
    const job = engine.run(gated, [{ value: 1 }, { value: 2, gate: gate.shared }], { batchSize: 1 });
    const outcomes: unknown[] = [];
    const reading = rejection(
      (async () => {
        for await (const outcome of job) {
          outcomes.push(outcome);
          // The second is held in its handler.
          await gate.arrived();
          void engine.close({ deadlineMs: 0 });
        }
      })(),
    );
    expect(await within(PATIENCE_MS, reading)).toMatchObject({ name: "AbortError" });
    await stage.release();
    await engine.close();
    expect(outcomes).toMatchObject([{ index: 0, status: "completed", value: 1 }]);
    expect(job.progress).toMatchObject({ completed: 1, failed: 0 });
  });

  test("is not reported as failed when a signal ends the application, with native code at work", async () => {
    const ended = await program(
      { threads: 2, graceMs: 5_000 },
      `
      shutdownOnSignals(engine);
      const gate = new Gate();
      const items = [1, 2].map((value) => ({ value, gate: gate.shared }));
      const job = engine.run(tasks.nativeSpinning, items, { batchSize: 1, retry: { attempts: 3 } });
      job.on("retry", () => console.log("retry"));
      job.on("settle", ({ state, error }) => {
        console.log(state, error.name);
        // Native code comes back in the midst of the shutdown.
        gate.open();
      });
      await gate.arrived(2);
      process.kill(process.pid, "SIGTERM");`,
    );
    expect(ended).toEqual({ code: 143, signal: null, output: "cancelled AbortError" });
  });
});

test("an engine that closes takes no more work, and answers every close alike", async () => {
  await beside(stubborn["native code"] as Stubborn, {}, async ({ engine }) => {
    const first = engine.close({ deadlineMs: 50 });
    const second = engine.close({ deadlineMs: 0 });
    expect(thrown(() => engine.run(addOne, [1]))).toMatchObject({ code: "ENGINE_CLOSED" });
    const reports = await within(PATIENCE_MS, Promise.all([first, second]));
    expect(reports[0]).toEqual(reports[1]);
    expect(await engine.close()).toEqual(reports[0]);
    expect(engine.jobs()).toEqual([]);
  });
});

test("random shutdowns come to an end", TIMEOUT, async () => {
  // How late they were is for the long run to judge.
  const { shutdowns, violations } = await soakShutdown({ seconds: 3, seed: 7 });
  expect(violations).toEqual([]);
  expect(shutdowns).toBeGreaterThan(0);
});
