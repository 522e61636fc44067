/** Work that does not end by itself, of every kind that we know: what a shutdown must cope with. */
import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Engine, JobHandle } from "@threadmill/engine";
import { addOne, blocking, endless, gated, nativeSpinning, spinning } from "../fixtures/index.js";
import { Gate } from "../gate.js";
import * as tasks from "./references.js";

/** What can be asked of any handle. */
export type Live = Pick<JobHandle<unknown>, "id" | "state" | "progress" | "stopped"> & {
  readonly result: Promise<unknown>;
};

/** An engine with something stubborn in it, and what will let that go in the end. */
export class Stage {
  readonly engine: Engine;
  readonly #folder: string;
  readonly #releases: (() => void | Promise<void>)[] = [];

  /** `folder`: for pipes. The caller removes it. */
  constructor(engine: Engine, folder: string) {
    this.engine = engine;
    this.#folder = folder;
  }

  gate(): Gate {
    const gate = new Gate();
    this.#releases.push(() => gate.open());
    return gate;
  }

  /** A pipe that nobody writes to. */
  pipe(): string {
    const path = join(this.#folder, `pipe-${this.#releases.length}`);
    execFileSync("mkfifo", [path]);
    this.#releases.push(async () => {
      // Opened for both, it does not block; whoever waits in `open` goes on, and reads to the end when it is closed.
      const end = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
      await setTimeout(RELEASE_MS);
      closeSync(end);
    });
    return path;
  }

  onRelease(release: () => void): void {
    this.#releases.push(release);
  }

  /** Lets everything go that gates and pipes still hold, so that no thread is left. */
  async release(): Promise<void> {
    await Promise.all(this.#releases.map(async (release) => release()));
  }
}

/** A reader that was waiting has opened its end by then; if it has not, the thread ends with the process. */
const RELEASE_MS = 100;

export interface Stubborn {
  /** Resolves when it has come to the point where it hangs; answers what is live. */
  start(stage: Stage): Promise<readonly Live[]>;
  /** It holds its thread in such a way that it cannot be ended. */
  readonly holdsThread?: boolean;
  /** It needs all threads of its engine to itself. */
  readonly isAlone?: boolean;
  /** Items of it may have failed before the engine is closed, for reasons of their own. */
  readonly mayFail?: boolean;
}

/** A job whose only handler call hangs. */
function hangsIn(reference: typeof spinning): Stubborn["start"] {
  return async (stage) => {
    const gate = stage.gate();
    const job = stage.engine.run(reference, [{ value: 0, gate: gate.shared }]);
    await gate.arrived();
    return [job];
  };
}

const IN_AN_HOUR = { attempts: 2, backoffMs: 3_600_000, maxBackoffMs: 3_600_000, jitter: 0 };

export const stubborn: Readonly<Record<string, Stubborn>> = {
  "a busy loop": { start: hangsIn(spinning) },
  "Atomics.wait": { start: hangsIn(blocking) },
  "native code": { start: hangsIn(nativeSpinning), holdsThread: true },
  "a promise that nobody settles": { start: hangsIn(endless) },
  "a system call": {
    holdsThread: true,
    start: async (stage) => {
      const gate = stage.gate();
      const job = stage.engine.run(tasks.inSystemCall, [{ gate: gate.shared, pipe: stage.pipe() }]);
      await gate.arrived();
      return [job];
    },
  },
  "a busy loop in every thread, and more work behind": {
    isAlone: true,
    start: async (stage) => {
      const gate = stage.gate();
      const { threads } = stage.engine.stats();
      const items = Array.from({ length: 4 * threads.length }, () => ({ value: 0, gate: gate.shared }));
      const job = stage.engine.run(spinning, items, { batchSize: 1 });
      await gate.arrived(threads.length);
      return [job, stage.engine.run(addOne, [1])];
    },
  },
  "a setup that waits for ever": {
    start: async (stage) => {
      const gate = stage.gate();
      const job = stage.engine.run(tasks.hangingSetup, [0], { options: { gate: gate.shared } });
      await gate.arrived();
      return [job];
    },
  },
  "a setup that computes for ever": {
    start: async (stage) => {
      const gate = stage.gate();
      const job = stage.engine.run(tasks.spinningSetup, [0], { options: { gate: gate.shared } });
      await gate.arrived();
      return [job];
    },
  },
  "a module that is never done loading": {
    start: async (stage) => [stage.engine.run(tasks.hangingImport, [0])],
  },
  "a source that never answers": {
    start: async ({ engine }) => {
      let onPulled: () => void = () => undefined;
      const pulled = new Promise<void>((resolve) => {
        onPulled = resolve;
      });
      const source: AsyncIterable<number> = {
        [Symbol.asyncIterator]: () => ({
          next: () => {
            onPulled();
            return new Promise(() => undefined);
          },
          return: () => new Promise(() => undefined),
        }),
      };
      const job = engine.run(addOne, source);
      await pulled;
      return [job];
    },
  },
  "a reader that stops reading": {
    start: async ({ engine }) => {
      const job = engine.run(addOne, endlessly(), { collect: false, maxInFlight: 16 });
      // A loop that would throw when it goes on, but never does.
      await job[Symbol.asyncIterator]().next();
      return [job];
    },
  },
  "a job that is paused": {
    start: async ({ engine }) => {
      const job = engine.run(addOne, endlessly(), { collect: false });
      await job.pause();
      return [job];
    },
  },
  "a job that is asked to pause in a busy loop": {
    start: async (stage) => {
      const [job] = (await hangsIn(spinning)(stage)) as [JobHandle<number>];
      // It cannot be answered while the loop goes on.
      job.pause().catch(() => undefined);
      return [job];
    },
  },
  "a retry in an hour": {
    start: async (stage) => {
      const gate = stage.gate();
      const job = stage.engine.run(tasks.failing, [{ gate: gate.shared }], { retry: IN_AN_HOUR });
      await new Promise<void>((resolve) => job.once("retry", () => resolve()));
      return [job];
    },
  },
  "a teardown that waits for ever": {
    isAlone: true,
    start: async (stage) => {
      await stage.engine.warm(tasks.hangingTeardown, { gate: stage.gate().shared });
      return [];
    },
  },
  "a teardown that computes for ever": {
    isAlone: true,
    start: async (stage) => {
      await stage.engine.warm(tasks.spinningTeardown, { gate: stage.gate().shared });
      return [];
    },
  },
  "listeners that throw": {
    start: async (stage) => {
      const gate = stage.gate();
      const controller = new AbortController();
      const job = stage.engine.run(gated, [{ value: 0, gate: gate.shared }], { signal: controller.signal });
      const fail = (): never => {
        throw new Error("a listener fails, as planned");
      };
      job.on("settle", fail);
      stage.engine.on("job", fail);
      stage.engine.on("thread", fail);
      await gate.arrived();
      return [job];
    },
  },
  "a handler that throws when it is told to stop": {
    start: async (stage) => {
      const gate = stage.gate();
      const retry = { attempts: 3, backoffMs: 0 };
      const job = stage.engine.run(tasks.throwsAtAbort, [{ gate: gate.shared }], { retry, onError: "collect" });
      await gate.arrived();
      return [job];
    },
  },
  "a thread that has been set aside": {
    holdsThread: true,
    start: async (stage) => {
      const [job] = await hangsIn(nativeSpinning)(stage);
      const isAside = new Promise<void>((resolve) => {
        stage.engine.on("thread", ({ type }) => {
          if (type === "stuck") resolve();
        });
      });
      stage.engine.cancel((job as Live).id);
      await isAside;
      return [];
    },
  },
  "items that kill their threads": {
    isAlone: true,
    mayFail: true,
    start: async (stage) => {
      const gate = stage.gate();
      const items = Array.from({ length: 1_000 }, () => ({ gate: gate.shared }));
      const job = stage.engine.run(tasks.deadly, items, { onError: "collect" });
      await gate.arrived();
      return [job];
    },
  },
  "a job that starts another one when it settles": {
    start: async (stage) => {
      const gate = stage.gate();
      const job = stage.engine.run(gated, [{ value: 0, gate: gate.shared }]);
      job.on("settle", () => {
        try {
          stage.engine.run(addOne, [1, 2, 3]);
        } catch {
          // The engine takes no more, as it should.
        }
      });
      await gate.arrived();
      return [job];
    },
  },
};

function* endlessly(): Generator<number> {
  for (let value = 0; ; value++) yield value;
}
