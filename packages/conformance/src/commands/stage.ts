/** A simulation that is driven by hand and the model beside it: both get each command, and then must agree. */
import { SteadyChance } from "../simulator/chance.js";
import { type JobView, type SchedulerUnderTest, type SimulatedJobSpec, Simulation } from "../simulator/index.js";
import {
  type Command,
  type CommandHistory,
  type DrawnJob,
  type DrawnTask,
  type DrawnWorld,
  PLAIN_JOB,
  PLAIN_TASK,
  PLAIN_WORLD,
} from "./command.js";
import { type FateOf, Model } from "./model.js";

/** Nothing is left to chance, and jitter shows. */
class StageChance extends SteadyChance {
  override luck(): number {
    return 0.5;
  }
}

export class Stage {
  readonly simulation: Simulation;
  readonly #world: DrawnWorld;
  readonly #model = new Model();
  /** All that was performed, for a list that is to be kept. */
  readonly played: Command[] = [];

  constructor(world: Partial<DrawnWorld>, scheduler: SchedulerUnderTest, isRecorded = false) {
    this.#world = { ...PLAIN_WORLD, ...world };
    const { threads, graceMs, failedStarts } = this.#world;
    this.simulation = new Simulation({
      scheduler,
      threads,
      graceMs,
      isByHand: true,
      isRecorded,
      chance: new StageChance({
        failsToStart: (slot, incarnation) => failedStarts.includes(`${slot}:${incarnation}`),
      }),
    });
    const hasDeadlyLoad = this.#world.tasks.some(({ crashingLoads = 0 }) => crashingLoads > 0);
    this.#model.mayLoseThreads = failedStarts.length > 0 || hasDeadlyLoad;
  }

  /** Whether the command makes sense now; one that does not is left out. */
  may(command: Command): boolean {
    const { jobs, isClosed } = this.#model;
    switch (command.type) {
      case "submit":
        return !isClosed;
      case "close":
        return !isClosed;
      case "cancel":
      case "pause":
        return jobs[command.job]?.view.isSettled === false;
      case "resume":
        return jobs[command.job]?.isPaused === true;
      case "read":
        return (jobs[command.job]?.view.unread ?? 0) > 0;
      case "deliver":
        return command.which < this.simulation.pending().length;
      case "work":
      case "crash":
        return command.slot < this.#world.threads;
      case "hang":
        return command.slot < this.#world.threads && !this.#isInNativeCode(command.slot);
      default:
        return true;
    }
  }

  perform(command: Command): void {
    this.played.push(command);
    this.#act(command);
    this.#check();
  }

  /** The end of each run: without it, nothing says that what was begun ever ends. */
  settle(): void {
    // What computes for ever is cancelled by its caller, and sources without an end have one.
    this.#model.isClosed = true;
    for (const job of this.#model.jobs) this.#model.resumed(job);
    const leftovers = this.simulation.settle();
    this.#check();
    this.#model.checkRest(leftovers);
  }

  #check(): void {
    if (this.simulation.state.slots.some(({ incarnation }) => incarnation > 0)) this.#model.hasLostThreads = true;
    this.#model.check();
  }

  /** What never comes back from native code is left alone for ever, by design: no run would come to rest. */
  #isInNativeCode(slot: number): boolean {
    const thread = this.simulation.shell.threads.at(slot);
    return thread?.calls.running.some(({ fate }) => typeof fate === "object") === true;
  }

  #act(command: Command): void {
    const { simulation } = this;
    const model = this.#model;
    switch (command.type) {
      case "submit": {
        const { spec, fateOf, isDeadly } = specOf(this.#world, { ...PLAIN_JOB, ...command.job });
        if (isDeadly) model.mayLoseThreads = true;
        model.submitted(simulation.submit(spec), fateOf);
        return;
      }
      case "work":
        simulation.work(command.slot);
        return;
      case "work-aside":
        simulation.workAside(command.which);
        return;
      case "deliver":
        simulation.deliver(command.which);
        return;
      case "duplicate":
        simulation.duplicate(command.which);
        return;
      case "crash":
        model.mayLoseThreads = true;
        simulation.crash(command.slot);
        return;
      case "hang":
        model.mayLoseThreads = true;
        simulation.hang(command.slot);
        return;
      case "advance":
        simulation.advance(command.ms);
        return;
      case "stall":
        // What is due meanwhile is late by as much, and nobody's fault.
        simulation.shell.slackMs += command.ms;
        simulation.stall(command.ms);
        return;
      case "close":
        model.isClosed = true;
        simulation.close(command.deadlineMs < 0 ? undefined : command.deadlineMs);
        return;
      default:
        this.#actOnJob(command);
    }
  }

  #actOnJob({ type, job }: Extract<Command, { readonly job: number }>): void {
    const { simulation } = this;
    const model = this.#model;
    const modelJob = model.jobs[job];
    if (modelJob === undefined) return;
    const view: JobView = modelJob.view;
    switch (type) {
      case "cancel":
        model.cancelled(modelJob);
        simulation.cancel(view);
        break;
      case "pause":
        model.paused(modelJob);
        simulation.pause(view);
        break;
      case "resume":
        model.resumed(modelJob);
        simulation.resume(view);
        break;
      case "read":
        simulation.read(view);
        break;
    }
  }
}

/** What a run of commands has shown, when nothing was wrong. */
export interface Played {
  readonly traceHash: number;
  readonly steps: number;
  readonly script: readonly string[];
}

/** Plays a list to its end, and lets everything come to rest; throws what goes wrong. */
export function play(history: CommandHistory, scheduler: SchedulerUnderTest, isRecorded = false): Played {
  const stage = new Stage(history.world, scheduler, isRecorded);
  for (const command of history.commands) if (stage.may(command)) stage.perform(command);
  stage.settle();
  const { traceHash, steps, script } = stage.simulation;
  return { traceHash, steps, script };
}

interface Staged {
  readonly spec: SimulatedJobSpec;
  readonly fateOf: FateOf;
  /** Some of its items kill their threads, or hold them for ever. */
  readonly isDeadly: boolean;
}

function specOf(world: DrawnWorld, drawn: DrawnJob): Staged {
  const { isWarmUp, pulledBy, throwsAt, faulty } = drawn;
  const task: DrawnTask = { ...PLAIN_TASK, ...world.tasks[drawn.task] };
  const hasLanes = task.kind === "item";
  const fateOf: FateOf = (index, runsBefore) => {
    const item = faulty.find((one) => one.index === index);
    return item === undefined || runsBefore >= item.times ? "ok" : item.fate;
  };
  const hasSource = pulledBy > 0 && !isWarmUp;
  const spec: SimulatedJobSpec = {
    task: {
      kind: task.kind,
      concurrency: hasLanes ? task.concurrency : 1,
      maxBatchItems: task.maxBatchItems,
      isSync: task.isSync,
      ms: task.ms,
      fate: ({ index, runsBefore }) => fateOf(index, runsBefore),
      ...(task.crashingLoads + task.brokenLoads > 0
        ? {
            import: (before: number) => {
              if (before < task.crashingLoads) return "crash";
              return before < task.brokenLoads ? "broken" : "ok";
            },
          }
        : {}),
    },
    ...(drawn.isShared ? { recipe: drawn.task + 1 } : {}),
    items: isWarmUp ? 0 : drawn.items,
    ...(hasSource ? { pulledBy: { chunk: pulledBy, ...(throwsAt < 0 ? {} : { throwsAt }) } } : {}),
    isThrottled: drawn.isThrottled && !isWarmUp,
    isWarmUp,
    rules: {
      weight: drawn.weight,
      stopsAtFailure: drawn.stopsAtFailure,
      retry: { attempts: drawn.attempts, backoffMs: 10, maxBackoffMs: 15, jitter: 0.5 },
      timeoutMs: isWarmUp ? 0 : drawn.timeoutMs,
      concurrency: hasLanes ? drawn.concurrency : 0,
      batchSize: drawn.batchSize,
      maxInFlight: drawn.maxInFlight,
    },
  };
  const isDeadly = faulty.some(({ fate }) => fate === "crash" || fate === "exit-after" || fate === "hang");
  return { spec, fateOf, isDeadly };
}
