/** A whole engine on threads that a test plays, with a look inside. */
import { vi } from "vitest";
import type { Engine } from "../../src/engine.js";
import type { JobRegistry } from "../../src/jobs/registry.js";
import type { EngineOptions } from "../../src/options.js";
import type { Runner } from "../../src/runners/runner.js";
import { type Handler, PlayedRunner, type PlayedThread } from "./played-threads.js";

const inside = vi.hoisted(() => ({
  runner: undefined as Runner | undefined,
  registry: undefined as JobRegistry | undefined,
}));

// `threads: 0` asks for a runner on the main thread: here it gets the played one, however many threads that has.
vi.mock(import("../../src/runners/inline-runner.js"), () => ({ createInlineRunner: () => inside.runner as Runner }));
vi.mock(import("../../src/jobs/registry.js"), async (original) => {
  const actual = await original();
  return {
    ...actual,
    JobRegistry: class extends actual.JobRegistry {
      constructor(...args: ConstructorParameters<typeof actual.JobRegistry>) {
        super(...args);
        inside.registry = this;
      }
    },
  };
});

const { createEngine } = await import("../../src/engine.js");
const { task } = await import("../../src/task.js");

/** A reference to one of the runner's handlers. */
export function handler<Item = number, Result = number>(name: string): ReturnType<typeof task<(item: Item) => Result>> {
  return task<(item: Item) => Result>(new URL(`data:text/javascript,${name}`), name);
}

export class EngineAtHand {
  readonly engine: Engine;
  readonly runner: PlayedRunner;
  readonly registry: JobRegistry;

  constructor(
    init: {
      readonly threads?: number;
      readonly options?: EngineOptions;
      readonly handlers?: Record<string, Handler>;
      readonly onStart?: (thread: PlayedThread) => void;
    } = {},
  ) {
    const { threads = 1, options, handlers, onStart } = init;
    this.runner = new PlayedRunner(threads, { double: (item) => 2 * (item as number), ...handlers });
    if (onStart !== undefined) this.runner.onStart = onStart;
    inside.runner = this.runner;
    this.engine = createEngine({ graceMs: 1_000, ...options, threads: 0 });
    this.registry = inside.registry as JobRegistry;
  }

  /** What the engine still holds of jobs, batches and deadlines; empty when it is at rest. */
  get remains(): string[] {
    const { state } = this.registry.dispatcher;
    const counts = {
      "live jobs": this.registry.live().length,
      "scheduled jobs": state.jobs.size,
      "lingering jobs": state.lingering,
      "runnable jobs": state.runnable.size,
      "jobs that back off": state.backingOff.size,
      "warm-ups": state.warmUps.size,
      batches: state.slots.filter(({ running, behind }) => running !== undefined || behind !== undefined).length,
      // After work there is one last look whether threads look at what they were given.
      "armed timers": state.armedFor === Infinity || state.armedFor === state.heedCheckAt ? 0 : 1,
      "jobs of recipes": [...state.recipes.values()].reduce((sum, { jobs }) => sum + jobs.size, 0),
    };
    return Object.entries(counts).flatMap(([what, count]) => (count === 0 ? [] : [`${count} ${what}`]));
  }

  /** Lets threads work and promises settle, in turns, until nothing moves any more. */
  async play(): Promise<void> {
    for (let isMoving = true; isMoving;) {
      await turn();
      isMoving = this.runner.playOne();
    }
  }

  /** Plays until the promise has settled; answers it. */
  async playUntil<Value>(promise: Promise<Value>): Promise<Value> {
    let isSettled = false;
    const note = (): void => {
      isSettled = true;
    };
    promise.then(note, note);
    for (let turns = 0; !isSettled; turns++) {
      if (turns > 20_000) throw new Error("it did not settle, however long the threads worked");
      this.runner.playOne();
      await turn();
    }
    return promise;
  }
}

const realImmediate = setImmediate;

/** A turn of the event loop: whatever promises lead to has happened by then. Real, also where time is played. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    realImmediate(resolve);
  });
}
