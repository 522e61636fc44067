/** Draws worlds and commands with fast-check, which makes what fails as small as it can be. */
import fc from "fast-check";
import type { Fate } from "../simulator/index.js";
import {
  type Command,
  type DrawnJob,
  type DrawnTask,
  type DrawnWorld,
  PLAIN_JOB,
  PLAIN_TASK,
  PLAIN_WORLD,
  brief,
} from "./command.js";
import type { Stage } from "./stage.js";

const MOST_TASKS = 2;
const MOST_JOBS = 4;
const MOST_THREADS = 3;

const tasks: fc.Arbitrary<Partial<DrawnTask>> = fc
  .record<DrawnTask>({
    kind: fc.constantFrom("item", "item", "batch", "columns"),
    concurrency: fc.constantFrom(1, 1, 2, 4),
    maxBatchItems: fc.constantFrom(0, 0, 3),
    isSync: fc.boolean(),
    ms: fc.constantFrom(1, 0.1, 20),
    brokenLoads: fc.constantFrom(0, 0, 0, 0, 1),
    crashingLoads: fc.constantFrom(0, 0, 0, 0, 1, 5),
  })
  .map((task) => brief(task, PLAIN_TASK));

export const worlds: fc.Arbitrary<Partial<DrawnWorld>> = fc
  .record<DrawnWorld>({
    threads: fc.integer({ min: 1, max: MOST_THREADS }),
    graceMs: fc.constant(PLAIN_WORLD.graceMs),
    tasks: fc.array(tasks, { minLength: MOST_TASKS, maxLength: MOST_TASKS }),
    failedStarts: fc.oneof(
      { weight: 7, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.uniqueArray(fc.constantFrom("0:0", "0:1", "0:2", "1:1", "1:2"), { maxLength: 5 }) },
    ),
  })
  .map((world) => brief(world, PLAIN_WORLD));

const jobs: fc.Arbitrary<Partial<DrawnJob>> = fc
  .record<DrawnJob>({
    task: fc.nat({ max: MOST_TASKS - 1 }),
    isShared: fc.boolean(),
    items: fc.oneof(fc.nat({ max: 6 }), fc.nat({ max: 60 })),
    faulty: fc.uniqueArray(
      fc.record({
        index: fc.nat({ max: 8 }),
        fate: fc.constantFrom<Fate>("fail", "fail-final", "crash", "hang", "exit-after", { nativeMs: 500 }),
        times: fc.integer({ min: 1, max: 3 }),
      }),
      { maxLength: 2, selector: ({ index }) => index },
    ),
    pulledBy: fc.constantFrom(0, 0, 1, 7),
    throwsAt: fc.constantFrom(-1, -1, -1, 2),
    isThrottled: fc.boolean(),
    isWarmUp: fc.constantFrom(false, false, false, false, false, true),
    weight: fc.constantFrom(1, 1, 3),
    stopsAtFailure: fc.boolean(),
    attempts: fc.integer({ min: 1, max: 3 }),
    timeoutMs: fc.constantFrom(0, 0, 50),
    concurrency: fc.constantFrom(0, 0, 0, 2),
    batchSize: fc.constantFrom(0, 0, 5),
    maxInFlight: fc.constantFrom(0, 0, 2, 10),
  })
  .map((job) => brief(job, PLAIN_JOB));

const job = fc.nat({ max: MOST_JOBS - 1 });
const slot = fc.nat({ max: MOST_THREADS - 1 });

function drawn<Kind extends Command>(arbitrary: fc.Arbitrary<Kind>, weight: number): fc.Arbitrary<StagedCommand>[] {
  const staged = arbitrary.map((command) => new StagedCommand(command));
  return Array.from({ length: weight }, () => staged);
}

/** Fast-check draws each of them as often as any other: what is to come more often is there several times. */
const kinds: fc.Arbitrary<StagedCommand>[] = [
  ...drawn(fc.record({ type: fc.constant("submit" as const), job: jobs }), 4),
  ...drawn(fc.record({ type: fc.constantFrom("cancel" as const, "pause" as const, "resume" as const), job }), 2),
  ...drawn(fc.record({ type: fc.constant("read" as const), job }), 2),
  ...drawn(fc.record({ type: fc.constant("work" as const), slot }), 12),
  ...drawn(fc.record({ type: fc.constant("deliver" as const), which: fc.nat({ max: 3 }) }), 8),
  ...drawn(fc.record({ type: fc.constant("work-aside" as const), which: fc.nat({ max: 1 }) }), 1),
  ...drawn(fc.record({ type: fc.constant("duplicate" as const), which: fc.nat({ max: 2 }) }), 2),
  ...drawn(fc.record({ type: fc.constantFrom("crash" as const, "hang" as const), slot }), 1),
  ...drawn(fc.record({ type: fc.constant("advance" as const), ms: fc.constantFrom(0, 0.5, 5, 10, 50, 150) }), 5),
  ...drawn(fc.record({ type: fc.constant("stall" as const), ms: fc.constantFrom(5, 50, 400) }), 1),
  ...drawn(fc.record({ type: fc.constant("close" as const), deadlineMs: fc.constantFrom(-1, 0, 50) }), 1),
];

export function commandLists(
  maxCommands: number,
  replayPath?: string,
): fc.Arbitrary<Iterable<fc.Command<Stage, Stage>>> {
  return fc.commands<Stage, Stage>(kinds, {
    maxCommands,
    size: "max",
    ...(replayPath === undefined ? {} : { replayPath }),
  });
}

/** A command as fast-check runs it: simulation and model are on the same stage. */
class StagedCommand implements fc.Command<Stage, Stage> {
  readonly command: Command;

  constructor(command: Command) {
    this.command = command;
  }

  check(stage: Readonly<Stage>): boolean {
    return stage.may(this.command);
  }

  run(stage: Stage): void {
    stage.perform(this.command);
  }

  toString(): string {
    return JSON.stringify(this.command);
  }
}
