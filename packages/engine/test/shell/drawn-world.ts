/** What callers do to an engine, drawn at random as plain data, so that a counterexample can be read. */
import fc from "fast-check";
import type { DrawnSource } from "./played-source.js";
import type { DrawnLoop } from "./watched-handle.js";

export type TaskName = "fine" | "flaky" | "bad";

/** What a listener does when it is called. All but `throw` may be the last straw for its own job, or for another. */
export type Deed = "throw" | "cancel" | "abort" | "pause" | "resume" | "run" | "read" | "close" | "drain" | "look";

export interface DrawnJob {
  readonly task: TaskName;
  /** Jobs of one name meet: they join, get what is kept, or conflict. */
  readonly id: "a" | "b" | undefined;
  /** The values of another job that is live, where there is one, are its items. */
  readonly isChained: boolean;
  readonly source: DrawnSource;
  readonly signal: 0 | 1 | undefined;
  readonly collect: boolean;
  readonly ordered: boolean;
  readonly onError: "fail" | "collect";
  readonly attempts: 1 | 2;
  readonly batchSize: number | undefined;
  readonly maxInFlight: number | undefined;
  readonly isAwaited: boolean;
  /** Opened in the tick of `run`. */
  readonly loops: readonly DrawnLoop[];
  readonly listeners: readonly { readonly on: ListenedEvent; readonly does: Deed }[];
}

const EVENTS = ["start", "progress", "batch", "retry", "settle"] as const;
export type ListenedEvent = (typeof EVENTS)[number];

export type Command =
  | { readonly type: "run"; readonly job: DrawnJob }
  | { readonly type: "cancel" | "pause" | "resume" | "look" | "await" | "observe"; readonly which: number }
  | { readonly type: "read"; readonly which: number; readonly loop: DrawnLoop }
  | { readonly type: "abort"; readonly signal: 0 | 1 }
  | { readonly type: "kill"; readonly slot: 0 | 1 }
  | { readonly type: "wait"; readonly ms: number }
  | { readonly type: "warm"; readonly task: TaskName }
  | { readonly type: "drain" }
  | { readonly type: "close"; readonly deadlineMs: number | undefined };

export interface DrawnWorld {
  readonly threads: 1 | 2;
  readonly commands: readonly Command[];
}

const loops: fc.Arbitrary<DrawnLoop> = fc.record({
  by: fc.constantFrom("outcomes" as const, "batches" as const, "values" as const),
  leaveAfter: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined, freq: 3 }),
  isSlow: fc.boolean(),
});

function jobs(isCalm: boolean): fc.Arbitrary<DrawnJob> {
  const deeds: Deed[] = isCalm
    ? ["throw", "look", "read"]
    : ["throw", "throw", "cancel", "abort", "pause", "resume", "run", "read", "close", "drain", "look"];
  const drawn: fc.Arbitrary<DrawnJob & { readonly mayConflict: boolean }> = fc.record({
    mayConflict: fc.constantFrom(false, false, false, false, true),
    task: fc.constantFrom<TaskName[]>("fine", "fine", "flaky", "bad"),
    id: fc.constantFrom("a", "a", "b", undefined, undefined),
    isChained: fc.boolean(),
    source: fc.record({
      kind: fc.constantFrom("array" as const, "iterable" as const, "async" as const),
      count: fc.integer({ min: 0, max: 7 }),
      fault: fc.constantFrom<DrawnSource["fault"][]>(
        ...(["none", "none", "none", "close throws", "close rejects", "close hangs", "throws"] as const),
        ...(isCalm ? [] : (["never answers"] as const)),
      ),
      at: fc.integer({ min: 0, max: 5 }),
    }),
    signal: fc.constantFrom(0, 1, undefined),
    collect: fc.constantFrom(true, true, false),
    ordered: fc.boolean(),
    onError: fc.constantFrom("fail" as const, "collect" as const),
    attempts: fc.constantFrom(1, 2),
    batchSize: fc.constantFrom(undefined, undefined, 1, 3),
    maxInFlight: fc.constantFrom(undefined, undefined, 1, 3),
    isAwaited: fc.boolean(),
    loops: fc.array(loops, { maxLength: 2 }),
    listeners: fc.array(fc.record({ on: fc.constantFrom(...EVENTS), does: fc.constantFrom(...deeds) }), {
      maxLength: 2,
    }),
  });
  // Jobs of one name mostly do the same, or else few would ever meet.
  return drawn.map(({ mayConflict, ...job }) =>
    mayConflict || job.id === undefined
      ? job
      : { ...job, task: job.id === "a" ? ("fine" as const) : ("flaky" as const), collect: true },
  );
}

function commands(isCalm: boolean): fc.Arbitrary<Command> {
  const which = fc.nat({ max: 7 });
  const run: fc.Arbitrary<Command> = fc.record({ type: fc.constant("run" as const), job: jobs(isCalm) });
  const harmless: fc.Arbitrary<Command>[] = [
    fc.record({ type: fc.constantFrom("look" as const, "await" as const, "observe" as const), which }),
    fc.record({ type: fc.constantFrom("pause" as const, "resume" as const), which }),
    fc.record({ type: fc.constant("read" as const), which, loop: loops }),
    fc.record({ type: fc.constant("wait" as const), ms: fc.constantFrom(1, 30, 300) }),
    fc.record({ type: fc.constant("warm" as const), task: fc.constantFrom<TaskName[]>("fine", "flaky") }),
    fc.record({ type: fc.constant("drain" as const) }),
  ];
  const kill: fc.Arbitrary<Command> = fc.record({ type: fc.constant("kill" as const), slot: fc.constantFrom(0, 1) });
  const harmful: fc.Arbitrary<Command>[] = [
    fc.record({ type: fc.constant("cancel" as const), which }),
    fc.record({ type: fc.constant("abort" as const), signal: fc.constantFrom(0, 1) }),
    kill,
    kill,
    fc.record({ type: fc.constant("close" as const), deadlineMs: fc.constantFrom(undefined, 0, 50) }),
  ];
  return fc.oneof(run, run, run, ...harmless, ...(isCalm ? [] : harmful));
}

/** Callers who all want the same job, and leave it by their signals. */
function visits(): fc.Arbitrary<Command> {
  const which = fc.nat({ max: 7 });
  const visit: fc.Arbitrary<Command> = jobs(true).map((job) => ({
    type: "run",
    job: { ...job, id: "a", task: "fine", collect: true, isChained: false },
  }));
  return fc.oneof(
    visit,
    visit,
    visit,
    fc.record({ type: fc.constant("abort" as const), signal: fc.constantFrom(0, 1) }),
    fc.record({ type: fc.constant("read" as const), which, loop: loops }),
    fc.record({ type: fc.constantFrom("look" as const, "await" as const, "observe" as const), which }),
    fc.record({ type: fc.constantFrom("pause" as const, "resume" as const), which }),
  );
}

/**
 * `calm`: nobody cancels, aborts, kills or closes, so that what only a cancel would tidy up shows. `wild`: all of them
 * do. `shared`: all callers want the same job.
 */
export function worlds(kind: "calm" | "wild" | "shared"): fc.Arbitrary<DrawnWorld> {
  return fc.record({
    threads: fc.constantFrom(1, 2),
    commands: fc.array(kind === "shared" ? visits() : commands(kind === "calm"), { minLength: 1, maxLength: 9 }),
  });
}
