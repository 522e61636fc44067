/** The checker itself: a history that keeps an invariant passes, and each way to break one is named. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkHistory } from "../src/checker.js";
import type { Entry, History, Rules, Seen } from "../src/history.js";
import type { Phase, RunRecord } from "../src/run-log.js";

const rules: Rules = {
  task: "t",
  items: 2,
  attempts: 2,
  onError: "collect",
  collects: true,
  hasTimeout: false,
  maxInFlight: undefined,
};

function ran(index: number, phase: Phase, more: Partial<RunRecord> = {}): RunRecord {
  return { work: 1, index, attempt: 1, phase, thread: 1, ...more };
}

function outcome(index: number, more: Partial<Extract<Seen, { type: "outcome" }>> = {}): Seen {
  const proof = { work: 1, index, attempt: 1 };
  return { type: "outcome", handle: "h1", loop: 1, index, status: "completed", attempt: 1, proof, ...more };
}

function progress(completed: number, more: Partial<Extract<Seen, { type: "progress" }>> = {}): Seen {
  return { type: "progress", handle: "h1", via: "event", state: "running", completed, failed: 0, total: 2, ...more };
}

const cancel: Extract<Seen, { type: "cancel" }> = {
  type: "cancel",
  handle: "h1",
  by: "handle",
  before: "running",
  after: "cancelled",
};
const cancelledResult: Seen = { type: "result", handle: "h1", state: "rejected", code: "AbortError" };
const cancelledSettle: Seen = { type: "settle", handle: "h1", state: "cancelled", code: "AbortError" };
const lost = outcome(1, { status: "failed", code: "THREAD_LOST" });

/** Each record of the run log comes before all that callers see, unless a test says where. */
function history(seen: readonly Seen[], runs: readonly RunRecord[] = good.runs, log = runs.length): History {
  return { entries: seen.map((one): Entry => ({ ...one, log })), runs };
}

/** Two items, read by one loop, and a second caller who joins. */
const good = {
  runs: [ran(0, "begun"), ran(0, "completed"), ran(1, "begun"), ran(1, "completed")],
  seen: [
    { type: "run", handle: "h1", job: "a", work: 1, how: "new", rules },
    { type: "loop", handle: "h1", loop: 1, ordered: false },
    { type: "run", handle: "h2", job: "a", work: 2, how: "joined", rules: { ...rules, items: 9 } },
    { type: "loop", handle: "h2", loop: 2, ordered: true },
    { type: "heard", handle: "h1", event: "start" },
    { type: "heard", handle: "h1", event: "batch" },
    outcome(1),
    progress(1),
    outcome(0, { handle: "h2", loop: 2 }),
    outcome(0),
    outcome(1, { handle: "h2", loop: 2 }),
    progress(2, { state: "completed" }),
    { type: "settle", handle: "h1", state: "completed" },
    { type: "settle", handle: "h2", state: "completed" },
    { type: "result", handle: "h1", state: "resolved", values: 2, failures: [], wrong: [], works: [1] },
    { type: "result", handle: "h2", state: "resolved", values: 2, failures: [], wrong: [], works: [1] },
    { type: "loop-end", handle: "h1", loop: 1, how: "done" },
    { type: "loop-end", handle: "h2", loop: 2, how: "done" },
    { type: "stopped", handle: "h1" },
    { type: "rest", live: [], pending: [] },
  ] as Seen[],
};

/** The good history with these in the place of the first one that is like `where`; or behind it. */
function instead(where: Partial<Seen>, ...others: Seen[]): Seen[] {
  const at = find(where);
  return [...good.seen.slice(0, at), ...others, ...good.seen.slice(at + 1)];
}

function after(where: Partial<Seen>, ...others: Seen[]): Seen[] {
  return instead(where, good.seen[find(where)]!, ...others);
}

function find(where: Partial<Seen>): number {
  const at = good.seen.findIndex((one) =>
    Object.entries(where).every(([name, value]) => one[name as keyof Seen] === value),
  );
  if (at < 0) throw new Error("no such entry in the good history");
  return at;
}

const settled = { type: "settle", handle: "h1" } as const;
const resolved = good.seen[find({ type: "result", handle: "h1" } as const)]!;
const opened = good.seen.slice(0, 2);

const broken: [invariant: string, what: string, history: History][] = [
  ["S1", "an item that a loop gets twice", history(after({ type: "progress" }, outcome(1)))],
  ["S2", "a value before its run has completed", history(good.seen, good.runs, 3)],
  ["S2", "another item's value", history(instead({ type: "outcome" }, outcome(1, { proof: { ...ran(0, "begun") } })))],
  [
    "S2",
    "a value of an attempt that was not made",
    history(instead({ type: "outcome" }, outcome(1, { attempt: 2, proof: { ...ran(1, "begun"), attempt: 2 } }))),
  ],
  ["S2", "a lost thread that the item never harmed", history(instead({ type: "outcome" }, lost))],
  [
    "S2",
    "a value of an item whose runs all failed",
    history(
      good.seen.filter(({ type }) => type !== "outcome"),
      [...good.runs.slice(0, 3), ran(1, "failed")],
    ),
  ],
  ["S3", "an event after the end", history(after(settled, { type: "heard", handle: "h1", event: "detail" }))],
  ["S3", "a batch after the cancel", history([...opened, cancel, { type: "heard", handle: "h1", event: "batch" }])],
  ["S3", "progress after the end", history(after(settled, progress(2, { state: "completed" })))],
  ["S3", "an outcome after its loop has ended", history([...good.seen, outcome(1)])],
  ["S4", "two ends", history(after(settled, good.seen[find(settled)]!))],
  ["S4", "two results", history([...good.seen, resolved])],
  ["S4", "a result that differs from the end", history(instead({ type: "result" }, cancelledResult))],
  ["S4", "another state after the end", history([...good.seen, progress(2, { via: "snapshot", state: "running" })])],
  ["S4", "a cancel after the end", history([...good.seen, { ...cancel, before: "completed" }])],
  ["S5", "progress that falls", history(after({ type: "progress" }, progress(0)))],
  ["S5", "progress beyond the total", history(after({ type: "progress" }, progress(3)))],
  [
    "S5",
    "progress that is short of the items of a completed job",
    history([...good.seen, progress(1, { via: "snapshot", state: "completed", total: 1 })]),
  ],
  ["S6", "a cancel that has not settled when it returns", history([...opened, { ...cancel, after: "running" }])],
  ["S7", "an outcome after the cancel", history([...opened, cancel, outcome(0)])],
  ["S7", "a result after the cancel", history([...opened, cancel, resolved])],
  ["S7", "a cancelled job that completes", history([...opened, cancel, good.seen[find(settled)]!])],
  ["S8", "an item that two threads claim", history(good.seen, [...good.runs, ran(1, "begun", { thread: 2 })])],
  [
    "S8",
    "a retry beside the attempt before it",
    history(good.seen, [ran(0, "begun"), ran(0, "begun", { attempt: 2, thread: 2 }), ...good.runs]),
  ],
  ["S9", "an attempt too many", history(good.seen, [...good.runs, ran(1, "begun", { attempt: 3 })])],
  [
    "S9",
    "a retry event beyond the attempts",
    history(
      after(
        { type: "heard" },
        {
          type: "heard",
          handle: "h1",
          event: "retry",
          index: 0,
          attempt: 3,
        },
      ),
    ),
  ],
  [
    "S9",
    "an item that ends thread after thread",
    history(good.seen, [...good.runs, ...[1, 2, 3, 4].map((thread) => ran(0, "dying", { thread }))]),
  ],
  ["S10", "a bound that is passed", history([...good.seen, { type: "bound", what: "results", size: 3, most: 2 }])],
  [
    "S10",
    "a source that runs ahead",
    history([
      { type: "run", handle: "h1", job: "a", work: 1, how: "new", rules: { ...rules, maxInFlight: 2 } },
      { type: "pulled", work: 1, index: 3, ended: 1 },
    ]),
  ],
  ["S11", "a second run under a live id", history(good.seen, [...good.runs, ran(0, "begun", { work: 2 })])],
  ["S11", "a joined source that is pulled", history(after(settled, { type: "pulled", work: 2, index: 0, ended: 0 }))],
  [
    "S11",
    "values of another job",
    history(
      instead(
        { type: "outcome" },
        outcome(1, {
          proof: { work: 7, index: 1, attempt: 1 },
        }),
      ),
    ),
  ],
  [
    "S12",
    "loops that see two orders",
    history(instead({ type: "loop", handle: "h2" } as const, { type: "loop", handle: "h2", loop: 2, ordered: false })),
  ],
  [
    "S12",
    "an ordered loop out of order",
    history(instead({ type: "loop", handle: "h1" } as const, { type: "loop", handle: "h1", loop: 1, ordered: true })),
  ],
  [
    "S12",
    "a start after the first batch",
    history(after({ type: "progress" }, { type: "heard", handle: "h1", event: "start" })),
  ],
  ["S13", "a wrong call that is accepted", history([refused("none", "x", "x")])],
  ["S13", "a refused call that changes something", history([refused("INVALID_ARGUMENT", "x", "y")])],
  [
    "S13",
    "a refused call whose items are run",
    history([refused("QUEUE_FULL", "x", "x")], [ran(0, "begun", { work: 3 })]),
  ],
  ["L1", "a handle that never settles", history(good.seen.filter(({ type }) => type !== "settle"))],
  ["L1", "a result that never settles", history(good.seen.filter(({ type }) => type !== "result"))],
  ["L1", "a loop that never ends", history(good.seen.filter(({ type }) => type !== "loop-end"))],
  ["L1", "a job that is live at rest", history([{ type: "rest", live: ["a"], pending: [] }])],
  ["L1", "a wait in vain", history([{ type: "rest", live: [], pending: [{ handle: "h1", what: "its end" }] }])],
  [
    "L6",
    "a completed job that lacks an item",
    history(
      good.seen.filter(
        (one) =>
          one !==
          good.seen[
            find({
              type: "outcome",
            })
          ],
      ),
    ),
  ],
  ["L6", "a completed job with an item that was never run", history(good.seen, good.runs.slice(0, 2))],
  [
    "L6",
    "a value that is missing without a failure",
    history(
      instead({ type: "result" }, {
        ...resolved,
        wrong: [1],
      } as Seen),
    ),
  ],
  ["L6", "too few values", history(instead({ type: "result" }, { ...resolved, values: 1 } as Seen))],
  [
    "L6",
    "a loop that ends as if a cancelled job had completed",
    history([
      ...opened,
      cancel,
      cancelledSettle,
      cancelledResult,
      { type: "loop-end", handle: "h1", loop: 1, how: "done" },
    ]),
  ],
];

function refused(code: string, before: string, later: string): Seen {
  return { type: "refused", job: "b", work: 3, code, before, after: later };
}

describe("the checker", () => {
  test.each(broken)("%s: rejects %s", (invariant, _, bad) => {
    const violations = checkHistory(bad);
    expect(violations.map((one) => one.slice(0, one.indexOf(":")))).toContain(invariant);
  });

  test.each<[what: string, history: History]>([
    ["what callers of one job see", history(good.seen)],
    [
      "a cancel at once",
      history([
        ...opened,
        outcome(0),
        cancel,
        progress(1, { state: "cancelled" }),
        cancelledSettle,
        cancelledResult,
        { type: "loop-end", handle: "h1", loop: 1, how: "thrown" },
      ]),
    ],
    [
      "items that go again, since their thread has died",
      history(good.seen, [
        ran(1, "begun"),
        ran(0, "begun"),
        ran(0, "dying"),
        ...good.runs.map((one) => ({ ...one, thread: 2 })),
      ]),
    ],
    [
      "a batch that was spoilt, and is run again in parts",
      history(good.seen, [ran(0, "begun"), ran(1, "begun"), ran(0, "spoilt"), ran(1, "spoilt"), ...good.runs]),
    ],
    [
      "a retry",
      history(
        instead({ type: "outcome" }, outcome(1, { attempt: 2, proof: { work: 1, index: 1, attempt: 2 } })).filter(
          (one) => !("handle" in one && one.handle === "h2"),
        ),
        [
          ...good.runs.slice(0, 3),
          ran(1, "failed"),
          ran(1, "begun", { attempt: 2 }),
          ran(1, "completed", { attempt: 2 }),
        ],
      ),
    ],
    ["a refused call without effect", history([...good.seen, refused("JOB_ID_CONFLICT", "x", "x")])],
    [
      "a result from the cache",
      history([
        ...good.seen,
        { type: "run", handle: "h3", job: "a", work: 4, how: "cached", rules },
        { type: "loop", handle: "h3", loop: 3, ordered: false },
        { type: "settle", handle: "h3", state: "completed" },
        { ...resolved, handle: "h3" } as Seen,
        outcome(0, { handle: "h3", loop: 3 }),
        outcome(1, { handle: "h3", loop: 3 }),
        { type: "loop-end", handle: "h3", loop: 3, how: "done" },
      ]),
    ],
    [
      "a call in a listener of the end, which gets the result from the cache before anybody has seen it",
      history(
        after(
          { type: "settle", handle: "h2" },
          { type: "run", handle: "h3", job: "a", work: 4, how: "cached", rules: { ...rules, items: 9 } },
          { type: "loop", handle: "h3", loop: 3, ordered: false },
          { type: "settle", handle: "h3", state: "completed" },
          { ...resolved, handle: "h3" } as Seen,
          outcome(0, { handle: "h3", loop: 3 }),
          outcome(1, { handle: "h3", loop: 3 }),
          { type: "loop-end", handle: "h3", loop: 3, how: "done" },
        ),
      ),
    ],
    [
      "items that fail after all, since their values never came",
      history(
        after({ type: "progress" }, progress(0, { failed: 1 })).filter(
          (one) => one.type !== "progress" || one.state !== "completed",
        ),
      ),
    ],
  ])("accepts %s", (_, accepted) => {
    expect(checkHistory(accepted)).toEqual([]);
  });

  test("names the job, the item and what happened around it", () => {
    const [message = ""] = checkHistory(history(after({ type: "progress" }, outcome(1))));
    expect(message).toContain('S1: job "a", item 1: was delivered twice to loop 1 of h1');
    expect(message).toContain("> #8 (4 runs logged) outcome handle=h1 loop=1 index=1");
    expect(message).toContain("run 3: attempt 1 completed in thread 1");
  });

  test("says little about a history in which everything is wrong", () => {
    const seen = [...opened, ...Array.from({ length: 1_000 }, () => outcome(0))];
    expect(checkHistory(history(seen)).length).toBeLessThan(50);
  });

  test("accepts any order in which items end, and rejects it when any one of them comes twice", () => {
    const orders = fc.integer({ min: 1, max: 30 }).chain((count) =>
      fc.shuffledSubarray(
        Array.from({ length: count }, (_, index) => index),
        { minLength: count },
      ),
    );
    fc.assert(
      fc.property(orders, fc.nat(), (order, pick) => {
        const items = order.length;
        const seen: Seen[] = [
          { type: "run", handle: "h1", job: "a", work: 1, how: "new", rules: { ...rules, items } },
          { type: "loop", handle: "h1", loop: 1, ordered: false },
          ...order.map((index) => outcome(index)),
          { type: "settle", handle: "h1", state: "completed" },
          { type: "result", handle: "h1", state: "resolved", values: items, failures: [], wrong: [], works: [1] },
          { type: "loop-end", handle: "h1", loop: 1, how: "done" },
        ];
        const runs = order.flatMap((index) => [ran(index, "begun"), ran(index, "completed")]);
        expect(checkHistory(history(seen, runs))).toEqual([]);
        const twice = order[pick % items]!;
        const bad = [...seen.slice(0, -3), outcome(twice), ...seen.slice(-3)];
        expect(checkHistory(history(bad, runs))).toEqual([expect.stringContaining(`S1: job "a", item ${twice}`)]);
      }),
      { numRuns: 200 },
    );
  });
});
