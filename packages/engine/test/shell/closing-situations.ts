/** The states that an engine can be in when it is closed. */
import type { JobHandle } from "../../src/jobs/handle.js";
import { EngineAtHand, handler, turn } from "./engine-at-hand.js";

/** Longer than the second that a close with a deadline may take. */
export const GRACE_MS = 5_000;

/** An engine in some state, and what lets it go on from there. */
export interface Situation {
  readonly at: EngineAtHand;
  readonly job: JobHandle<number> | undefined;
  /** Whether `job` can end without anybody's help. */
  readonly isPaused?: true;
  readonly release: () => void;
}

export const SITUATIONS: Record<string, () => Promise<Situation>> = {
  "nothing was ever run": async () => {
    const at = new EngineAtHand({ threads: 2, options: { graceMs: GRACE_MS } });
    await turn();
    return { at, job: undefined, release: () => undefined };
  },
  "its threads are starting": () => {
    const at = new EngineAtHand({ threads: 2, options: { graceMs: GRACE_MS }, onStart: () => undefined });
    const release = (): void => {
      for (const thread of at.runner.all) if (thread.phase === "starting") thread.open();
    };
    return Promise.resolve({ at, job: undefined, release });
  },
  "its threads are starting, and a job waits for them": () => {
    const at = new EngineAtHand({ threads: 2, options: { graceMs: GRACE_MS }, onStart: () => undefined });
    const job = at.engine.run(handler("double"), [1, 2, 3], { id: "live" });
    const release = (): void => {
      for (const thread of at.runner.all) if (thread.phase === "starting") thread.open();
    };
    return Promise.resolve({ at, job, release });
  },
  "a job was run in this tick": async () => {
    const at = new EngineAtHand({ threads: 2, options: { graceMs: GRACE_MS } });
    await turn();
    return { at, job: at.engine.run(handler("double"), [1, 2, 3], { id: "live" }), release: () => undefined };
  },
  "a job is in a thread": async () => {
    const at = new EngineAtHand({ threads: 2, options: { graceMs: GRACE_MS } });
    const job = at.engine.run(handler("double"), [1, 2, 3], { id: "live" });
    await turn();
    // Read, described and begun, by the thread; the engine knows nothing of that.
    for (let steps = 0; steps < 4; steps++) at.runner.at(0).step();
    return { at, job, release: () => undefined };
  },
  "a job waits for its source": async () => {
    const at = new EngineAtHand({ threads: 2, options: { graceMs: GRACE_MS } });
    const { promise, resolve } = deferred();
    async function* source(): AsyncGenerator<number> {
      yield 1;
      await promise;
      yield 2;
      yield 3;
    }
    const job = at.engine.run(handler("double"), source(), { id: "live" });
    await at.play();
    return { at, job, release: resolve };
  },
  "a job waits for a retry": async () => {
    let isWell = false;
    const at = new EngineAtHand({
      threads: 2,
      options: { graceMs: GRACE_MS },
      handlers: {
        double(item) {
          if (!isWell) throw new Error("not yet");
          return 2 * (item as number);
        },
      },
    });
    const retry = { attempts: 2, backoffMs: 1_000_000, maxBackoffMs: 1_000_000, jitter: 0 };
    const job = at.engine.run(handler("double"), [1, 2, 3], { id: "live", retry });
    await at.play();
    isWell = true;
    return { at, job, release: () => undefined };
  },
  "a job is paused": async () => {
    const at = new EngineAtHand({ threads: 2, options: { graceMs: GRACE_MS } });
    const job = at.engine.run(handler("double"), [1, 2, 3], { id: "live" });
    const paused = job.pause();
    await at.play();
    await paused;
    return { at, job, isPaused: true, release: () => job.resume() };
  },
  "a task is being warmed up": async () => {
    const at = new EngineAtHand({ threads: 2, options: { graceMs: GRACE_MS } });
    const warm = at.engine.warm(handler("double"));
    warm.catch(() => undefined);
    await turn();
    at.runner.at(0).step();
    return { at, job: undefined, release: () => undefined };
  },
};

function deferred(): { readonly promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve: () => resolve() };
}
