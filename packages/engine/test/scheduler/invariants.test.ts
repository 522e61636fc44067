/**
 * Random jobs among random faults, in simulated time. The simulation itself judges every step (see
 * simulated-threads.ts); here it is asked what is left when the faults are over.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Fate, type JobView, type SimulatedJob, Simulation, type SimulationOptions } from "./simulated-threads.js";

/** A task as it is drawn: plain data, so that a counterexample can be read. */
interface DrawnTask {
  readonly kind: "item" | "batch";
  readonly concurrency: number;
  readonly maxBatchItems: number;
  readonly ms: number;
  readonly loadMs: number;
  readonly brokenLoads: number;
  readonly crashingLoads: number;
}

interface DrawnJob {
  /** Which of the tasks. */
  readonly task: number;
  /** Whether it shares what is known of its task with the other jobs that do. */
  readonly isShared: boolean;
  readonly items: number;
  /** Which items misbehave, how, and how often before they do as they should. */
  readonly faulty: Record<string, { readonly fate: Fate; readonly times: number }>;
  readonly pulledBy: number;
  readonly isThrottled: boolean;
  readonly isWarmUp: boolean;
  readonly weight: number;
  readonly stopsAtFailure: boolean;
  readonly attempts: number;
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly batchSize: number;
  readonly maxInFlight: number;
}

type Command =
  | { readonly type: "submit"; readonly job: DrawnJob }
  | { readonly type: "cancel" | "pause" | "resume" | "read"; readonly which: number }
  | { readonly type: "kill"; readonly slot: number }
  | { readonly type: "wait"; readonly ms: number };

interface World extends Omit<SimulationOptions, "failsToStart"> {
  readonly tasks: readonly DrawnTask[];
  /** Slots and incarnations whose threads cannot be started. */
  readonly failedStarts: readonly string[];
}

const drawnTasks: fc.Arbitrary<DrawnTask> = fc.record({
  kind: fc.constantFrom("item" as const, "item" as const, "batch" as const),
  concurrency: fc.integer({ min: 1, max: 4 }),
  maxBatchItems: fc.constantFrom(0, 0, 3),
  ms: fc.constantFrom(1, 0.1, 20),
  loadMs: fc.constantFrom(0, 30),
  brokenLoads: fc.constantFrom(0, 0, 0, 1),
  crashingLoads: fc.constantFrom(0, 0, 0, 1, 5),
});

const drawnJobs: fc.Arbitrary<DrawnJob> = fc.record({
  task: fc.nat({ max: 2 }),
  isShared: fc.boolean(),
  items: fc.nat({ max: 60 }),
  faulty: fc.dictionary(
    fc.nat({ max: 40 }).map(String),
    fc.record({
      fate: fc.constantFrom<Fate>("fail", "fail-final", "crash", "hang", { nativeMs: 3_000 }),
      times: fc.integer({ min: 1, max: 3 }),
    }),
    { maxKeys: 3 },
  ),
  pulledBy: fc.constantFrom(0, 0, 1, 7),
  isThrottled: fc.boolean(),
  isWarmUp: fc.constantFrom(false, false, false, false, true),
  weight: fc.constantFrom(1, 1, 3),
  stopsAtFailure: fc.boolean(),
  attempts: fc.integer({ min: 1, max: 3 }),
  timeoutMs: fc.constantFrom(0, 50, 50),
  concurrency: fc.constantFrom(0, 0, 0, 2),
  batchSize: fc.constantFrom(0, 0, 5),
  maxInFlight: fc.constantFrom(0, 0, 1, 10),
});

function jobOf({ tasks }: World, drawn: DrawnJob): SimulatedJob {
  const { weight, stopsAtFailure, batchSize, maxInFlight, isWarmUp, concurrency } = drawn;
  const task = tasks[drawn.task]!;
  return {
    task: {
      kind: task.kind,
      concurrency: task.kind === "batch" ? 1 : task.concurrency,
      maxBatchItems: task.maxBatchItems,
      ms: task.ms,
      loadMs: task.loadMs,
      fate: ({ index, runsBefore }) => {
        const faulty = drawn.faulty[String(index)];
        return faulty === undefined || runsBefore >= faulty.times ? "ok" : faulty.fate;
      },
      load: (before) => (before < task.crashingLoads ? "crash" : before < task.brokenLoads ? "broken" : "ok"),
    },
    ...(drawn.isShared ? { recipe: drawn.task } : {}),
    items: isWarmUp ? 0 : drawn.items,
    ...(drawn.pulledBy === 0 || isWarmUp ? {} : { pulledBy: drawn.pulledBy }),
    isThrottled: drawn.isThrottled,
    isWarmUp,
    rules: {
      weight,
      stopsAtFailure,
      retry: { attempts: drawn.attempts, backoffMs: 10, maxBackoffMs: 100, jitter: 0 },
      timeoutMs: isWarmUp ? 0 : drawn.timeoutMs,
      concurrency: task.kind === "batch" ? 0 : concurrency,
      batchSize,
      maxInFlight,
    },
  };
}

const commands: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant("submit" as const), job: drawnJobs }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constantFrom("cancel" as const, "pause" as const, "resume" as const, "read" as const),
      which: fc.nat({ max: 7 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("kill" as const), slot: fc.nat({ max: 3 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant("wait" as const), ms: fc.constantFrom(0, 0.5, 5, 40, 400, 1_500) }),
  },
);

const worlds: fc.Arbitrary<World> = fc.record({
  threads: fc.integer({ min: 1, max: 4 }),
  graceMs: fc.constant(100),
  duplicates: fc.boolean(),
  latencyMs: fc.constantFrom(0, 0, 2),
  tasks: fc.array(drawnTasks, { minLength: 3, maxLength: 3 }),
  failedStarts: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(fc.constantFrom("0:0", "0:1", "0:2", "1:1", "1:2", "1:3"), { maxLength: 6 }) },
  ),
});

/** Plays the commands, then lets everything come to rest: paused jobs go on, readers read. */
function play(world: World, list: readonly Command[]): Simulation {
  const failsToStart = (slot: number, life: number): boolean => world.failedStarts.includes(`${slot}:${life}`);
  const simulation = new Simulation({ ...world, failsToStart });
  const submitted: JobView[] = [];
  for (const command of list) {
    if (command.type === "submit") submitted.push(simulation.submit(jobOf(world, command.job)));
    else if (command.type === "wait") simulation.advance(command.ms);
    else if (command.type === "kill") simulation.kill(command.slot);
    else {
      const job = submitted[command.which];
      if (job === undefined) continue;
      if (command.type !== "read") simulation[command.type](job);
      else if (job.unread > 0 && job.settledAt === undefined) simulation.read(job, job.unread);
    }
  }
  for (const job of submitted) simulation.resume(job);
  simulation.run();
  for (;;) {
    const live = submitted.filter((job) => job.settledAt === undefined);
    const unread = live.filter((job) => job.unread > 0);
    // Without a time limit nothing ends an item that computes for ever, and nothing should but its caller.
    const hung = live.filter((job) => job.hangs && job.spec.rules?.timeoutMs === 0);
    if (unread.length === 0 && hung.length === 0) break;
    for (const job of unread) simulation.read(job, job.unread);
    for (const job of hung) simulation.cancel(job);
    simulation.run();
  }
  return simulation;
}

const histories = fc.tuple(worlds, fc.array(commands, { maxLength: 25, size: "max" }));

describe("whatever happens", () => {
  it("every job settles, every thread is let go, and nothing is left over", () => {
    fc.assert(
      fc.property(histories, ([world, list]) => {
        const simulation = play(world, list);
        expect(simulation.leftovers()).toEqual([]);
      }),
      { numRuns: 6_000 },
    );
  });

  it("a completed job has every item delivered once, done or failed by name", () => {
    fc.assert(
      fc.property(histories, ([world, list]) => {
        for (const job of play(world, list).jobs.values()) {
          if (job.state !== "completed") continue;
          const all = Array.from({ length: job.spec.items ?? 0 }, (_, index) => index);
          expect(job.delivered.toSorted((a, b) => a - b)).toEqual(all);
          const mayFail = job.spec.rules?.stopsAtFailure === false;
          expect(mayFail || job.failed.size === 0).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("the same events have the same effects", () => {
    fc.assert(
      fc.property(histories, ([world, list]) => {
        expect(play(world, list).trace).toEqual(play(world, list).trace);
      }),
      { numRuns: 300 },
    );
  });
});
