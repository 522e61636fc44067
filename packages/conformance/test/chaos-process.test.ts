/** What a thread cannot contain, and what is done to the process as a whole: each in a process of its own, which ends. */
import { describe, expect, test } from "vitest";
import { lastWord, runStopping, startChild } from "../src/chaos/child.js";
import {
  nonsenseOnAllPorts,
  oneItem,
  pauseAfterCancel,
  stall,
  stallInJob,
  stopInJobs,
} from "../src/chaos/processes.js";

const THREADS = 2;
const GRACE_MS = 150;
/** Longer than the grace. */
const STOPPED_MS = 400;
/** No item comes near it by itself. */
const TIMEOUT_MS = 1_000;
const ITEMS = 400;
const options = { threads: THREADS, graceMs: GRACE_MS };
const untouched = { threadsStarted: THREADS, threadsLost: 0, threadsStuck: 0, events: [] };

/** A thread that does not get the processor while the main thread stands still is set aside, and replaced. */
function hasAllThreads(word: unknown): boolean {
  const { delivered, threadsStarted, threadsLost, threadsStuck } = word as Record<string, number>;
  return delivered === ITEMS && threadsLost === 0 && (threadsStarted ?? 0) - (threadsStuck ?? 0) === THREADS;
}

describe("a process whose thread", () => {
  test("calls process.abort, which Node does not allow there, goes on", async () => {
    const ended = await startChild(options, oneItem("aborts")).ended;
    expect(ended).toMatchObject({ code: 0, signal: null });
    expect(lastWord(ended)).toEqual({
      delivered: 9,
      failures: [[3, "TASK_FAILED", "ERR_WORKER_UNSUPPORTED_OPERATION"]],
    });
  });

  test("raises SIGABRT ends by it", async () => {
    expect(await startChild(options, oneItem("raisesAbort")).ended).toMatchObject({ code: null, signal: "SIGABRT" });
  });

  // V8 contains the first nearly always, and the second now and then; it promises neither.
  test.each([
    ["many small allocations", "exhaustsMemory"],
    ["a single large allocation", "exhaustsByOneMap"],
  ])("runs out of memory in %s loses the thread, or ends by SIGABRT, but does not hang", async (_, deed) => {
    const limited = { ...options, resourceLimits: { maxOldGenerationSizeMb: 32 } };
    const ended = await startChild(limited, oneItem(deed)).ended;
    const contained = { delivered: 9, failures: [[3, "THREAD_LOST", "ERR_WORKER_OUT_OF_MEMORY"]] };
    const word = ended.signal === null ? lastWord(ended) : ended.signal;
    expect([contained, "SIGABRT"]).toContainEqual(word);
  });

  test("says nonsense on all of its ports goes on", async () => {
    const ended = await startChild(options, nonsenseOnAllPorts).ended;
    expect(ended).toMatchObject({ code: 0, signal: null, output: "[1,2,3]" });
  });

  // How much of it is seen is up to Node, which lets a process end with output of threads still on its way.
  test("floods both of its streams completes its job, and ends", async () => {
    const ended = await startChild(options, `${oneItem("floodsConsole")} await engine.close();`).ended;
    expect(ended).toMatchObject({ code: 0, signal: null });
    expect(ended.output).toContain('{"delivered":10,"failures":[]}');
  });
});

// Side by side: they stand still most of the time.
describe.concurrent("a process that", () => {
  test("is killed ends by SIGKILL", async () => {
    const { ended } = startChild(options, `console.log("ready"); ${oneItem("awaits")}`, (line, child) => {
      if (line === "ready") child.kill("SIGKILL");
    });
    expect(await ended).toMatchObject({ code: null, signal: "SIGKILL", output: "ready" });
  });

  test.skipIf(process.platform === "win32")(
    "is stopped and continued in the middle of jobs completes them exactly (skipped on Windows: it has no SIGSTOP)",
    async () => {
      const rounds = 3;
      const ended = await runStopping(options, stopInJobs(rounds), STOPPED_MS);
      expect(ended).toMatchObject({ code: 0, signal: null });
      expect(lastWord(ended)).toEqual({ delivered: rounds * ITEMS, codes: [], ...untouched });
    },
  );

  test.skipIf(process.platform === "win32")(
    "is stopped for longer than a time limit fails at most the items in flight (skipped on Windows: it has no SIGSTOP)",
    async () => {
      const rounds = 1;
      const ended = await runStopping(options, stopInJobs(rounds, TIMEOUT_MS), TIMEOUT_MS + STOPPED_MS);
      expect(ended).toMatchObject({ code: 0, signal: null });
      const { delivered, codes, threadsLost } = lastWord(ended) as Record<string, number> & { codes: string[] };
      expect(codes.filter((code) => code !== "TASK_TIMEOUT")).toEqual([]);
      // One in each thread, and one that was claimed in the same moment.
      expect(codes.length).toBeLessThanOrEqual(2 * THREADS * rounds);
      expect({ ended: (delivered ?? 0) + codes.length, threadsLost }).toEqual({
        ended: rounds * ITEMS,
        threadsLost: 0,
      });
    },
  );

  test.skipIf(process.platform === "win32")(
    "is stopped in the tick of a cancel loses no thread (skipped on Windows: it has no SIGSTOP)",
    async () => {
      const ended = await runStopping(options, pauseAfterCancel(3, "stop()"), STOPPED_MS);
      expect(ended).toMatchObject({ code: 0, signal: null });
      expect(lastWord(ended)).toSatisfy(hasAllThreads);
    },
  );

  test("stands still on its main thread in the tick of a cancel loses no thread", async () => {
    const ended = await startChild(options, pauseAfterCancel(3, stall(STOPPED_MS))).ended;
    expect(ended).toMatchObject({ code: 0, signal: null });
    expect(lastWord(ended)).toSatisfy(hasAllThreads);
  });

  test("stands still on its main thread for seconds in the middle of a job completes it exactly", async () => {
    const ended = await startChild(options, stallInJob(3, 700)).ended;
    expect(ended).toMatchObject({ code: 0, signal: null });
    expect(lastWord(ended)).toEqual({ delivered: ITEMS, ...untouched });
  });
});
