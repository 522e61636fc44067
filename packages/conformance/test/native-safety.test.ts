/**
 * Native safety as a property: whatever the host does while ONNX Runtime, sharp and libsql are at work in its threads,
 * the process never aborts, and ends with exactly the code or the signal that was asked for.
 */
import { describe, expect, test } from "vitest";
import { allowedEnds } from "../src/native-safety/expectation.js";
import { type Ending, type JobPlan, type Plan, drawPlan } from "../src/native-safety/plan.js";
import { runChild } from "../src/native-safety/run-child.js";
import { soakNativeSafety } from "../src/native-safety/soak.js";

/** Only a hang comes to it: each child has a limit of its own. */
const PATIENCE_MS = 300_000;
const CHILDREN = 16;

const inference: JobPlan = {
  form: "setup",
  addon: "onnx",
  callMs: 20,
  items: "endless",
  concurrency: 1,
  isDeaf: false,
  hasTeardown: false,
};
/** Many times the grace of the plans below. */
const longInference: JobPlan = { ...inference, callMs: 400 };

function planOf(ending: Ending, rest: Partial<Plan> = {}): Plan {
  const base = {
    seed: 0,
    isPreloaded: false,
    threads: 2,
    graceMs: 60,
    isEarly: false,
    jobs: [longInference],
    steps: [],
  };
  return { ...base, ending, ...rest };
}

const exit = { kind: "exit", code: 7, from: "timer", atMs: 20 } as const;

describe("plans", () => {
  const plans = Array.from({ length: 3_000 }, (_, seed) => drawPlan(seed));

  test("are the same for the same seed, and survive their way to the child", () => {
    for (const plan of plans.slice(0, 100)) {
      expect(drawPlan(plan.seed)).toEqual(plan);
      expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
    }
  });

  test("come in all kinds", () => {
    const seen = (kinds: readonly string[]): string[] => [...new Set(kinds)].toSorted();
    expect(seen(plans.flatMap(({ jobs }) => jobs.map(({ form }) => form)))).toHaveLength(7);
    expect(seen(plans.flatMap(({ steps }) => steps.map(({ act }) => act)))).toHaveLength(5);
    expect(seen(plans.map(({ ending }) => ending.kind))).toHaveLength(8);
    expect(seen(plans.flatMap(({ ending }) => (ending.kind === "exit" ? [ending.from] : [])))).toHaveLength(7);
    const beyond = plans.filter(({ jobs, graceMs }) => jobs.some(({ callMs }) => callMs > 2 * graceMs));
    expect(beyond.length).toBeGreaterThan(plans.length / 10);
  });

  test("begin with native work, and never ask for an abort", () => {
    expect(plans.filter(({ jobs }) => jobs[0]?.form === "script")).toEqual([]);
    const ends = new Set(plans.flatMap(allowedEnds));
    for (const wrong of [134, 139, "SIGABRT", "SIGSEGV", "SIGBUS", "SIGKILL"]) expect(ends).not.toContain(wrong);
  });
});

describe("a process with native code at work in all its threads", () => {
  test(
    "ends as it was asked to, whatever the host does (random plans)",
    async () => {
      const { violations, children, endedInNativeCode } = await soakNativeSafety({
        seconds: Infinity,
        children: CHILDREN,
        seed: 20,
      });
      expect(violations).toEqual([]);
      expect(children).toBe(CHILDREN);
      expect(endedInNativeCode, "children that ended with native code at work").toBeGreaterThan(0);
    },
    PATIENCE_MS,
  );

  test("would abort without the engine's exit listener, and this would be seen", async () => {
    const { end, violations } = await runChild(planOf(exit, { isUnguarded: true }));
    expect(end).toBe("SIGABRT");
    expect(violations).toHaveLength(1);
  });
});

/** A plan, and how it may end where the plan itself would allow more. */
type Case = readonly [name: string, plan: Plan, ends?: readonly (number | NodeJS.Signals)[]];

function testCases(cases: readonly Case[]): void {
  const named = cases.map(([name, plan, ends]) => ({ name, plan, ends }));
  test.each(named)("$name", { timeout: PATIENCE_MS }, async ({ plan, ends }) => {
    const { violations } = await runChild(plan, ends);
    expect(violations).toEqual([]);
  });
}

describe("native code that takes much longer than graceMs", () => {
  const teardown = { ...inference, hasTeardown: true, callMs: 400 };
  const preloaded = { ...longInference, form: "preloaded" } as const;
  const shutdown = { kind: "shutdown", deadlineMs: 0, isTwice: false, atMs: 20 } as const;
  const close = { kind: "close", deadlineMs: 0, atMs: 20 } as const;

  testCases([
    ["is waited for by process.exit", planOf(exit)],
    ["is waited for by an uncaught exception", planOf({ kind: "uncaught", by: "throw", atMs: 20 })],
    ["is waited for by the natural end of the process", planOf({ kind: "cancelAll", atMs: 20 })],
    ["is waited for when close has left its thread behind, and the process ends by itself", planOf(close)],
    [
      "is waited for when close has left its thread behind, and the host exits",
      planOf({ ...exit, from: "afterClose" }),
    ],
    [
      "is waited for by a process.exit in an exit listener that was there before the engine",
      planOf(exit, { reExit: 41 }),
    ],
    ["lets the first signal end the process by shutdownOnSignals", planOf({ ...shutdown, signal: "SIGTERM" })],
    [
      "survives a suspension of the system, and the cancel after it",
      planOf({ kind: "cancelAll", atMs: 600 }, { suspend: { atMs: 10, forMs: 500 } }),
    ],
    [
      "is not torn apart in a teardown, by a close without patience",
      planOf(close, { jobs: [teardown], graceMs: 5_000 }),
    ],
    [
      "is not torn apart in the setup of a task that says it is native, by a close",
      planOf(close, { jobs: [preloaded], isPreloaded: true }),
    ],
  ]);
});

describe("native code that never returns", () => {
  const jobs = [{ ...inference, form: "endless" }] as const;
  const late = (isHeard: boolean): Partial<Plan> => ({ jobs, lateSignal: { afterMs: 0, signal: "SIGINT", isHeard } });
  const shutdown = { kind: "shutdown", signal: "SIGINT", atMs: 0 } as const;

  testCases([
    ["does not keep a signal from ending a process that exits", planOf(exit, late(false)), ["SIGINT"]],
    [
      "does not keep a signal that the host listens to from ending a process that exits",
      planOf(exit, late(true)),
      ["SIGINT"],
    ],
    [
      "does not keep one signal from ending the process, by shutdownOnSignals",
      planOf({ ...shutdown, deadlineMs: 0, isTwice: false }, { jobs }),
      ["SIGINT"],
    ],
    [
      "does not keep a second signal from ending the process, however long the deadline",
      planOf({ ...shutdown, deadlineMs: 1_000_000, isTwice: true }, { jobs }),
      ["SIGINT"],
    ],
  ]);
});

describe("a process that exits while its threads load their addons", () => {
  const early = { ...longInference, form: "handler", isDeaf: true, arrivesFirst: true } as const;

  testCases([
    ["ends cleanly at the first moment", planOf({ ...exit, atMs: 0 }, { isEarly: true })],
    ["ends cleanly a moment later", planOf({ ...exit, atMs: 100 }, { isEarly: true })],
    ["ends cleanly while they load", planOf({ ...exit, atMs: 0 }, { jobs: [early] })],
    [
      "keeps them from native code for good, however long the host's own exit listeners take",
      planOf({ ...exit, atMs: 0 }, { jobs: [early], exitListenerMs: 700 }),
    ],
  ]);
});
