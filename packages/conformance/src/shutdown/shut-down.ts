/** One shutdown of an engine with something stubborn in it, and how long it took. */
import type { CloseOptions, CloseReport, Engine, EngineOptions } from "@threadmill/engine";
import { type Live, Stage, type Stubborn } from "./stubborn.js";

export interface ShutdownReport {
  /** What was live when the shutdown began. */
  readonly live: readonly Live[];
  readonly report: CloseReport;
  /** From the deadline until `close` had resolved; negative if it was sooner. */
  readonly overrunMs: number;
}

export interface ShutdownPlan {
  readonly works: readonly Stubborn[];
  readonly createEngine: (options: EngineOptions) => Engine;
  readonly graceMs: number;
  readonly deadlineMs: number;
  /** For pipes. */
  readonly folder: string;
  /** Called when everything hangs, before the shutdown. */
  readonly onReady?: (engine: Engine, live: readonly Live[]) => void;
}

/** When a shutdown counts as hanging; many times what it may take. */
const PATIENCE_MS = 20_000;

/** @throws {Error} the shutdown hangs, or the work does not get as far as that. */
export async function shutDown(plan: ShutdownPlan): Promise<ShutdownReport> {
  const { works, createEngine, graceMs, deadlineMs, folder, onReady } = plan;
  // A thread for each of them, so that none waits for another one's.
  const engine = createEngine({ threads: works.length + 1, graceMs });
  const stage = new Stage(engine, folder);
  try {
    const live = (await within(PATIENCE_MS, Promise.all(works.map((work) => work.start(stage))))).flat();
    onReady?.(engine, live);
    const startedAt = performance.now();
    const report = await within(PATIENCE_MS, engine.close({ deadlineMs } satisfies CloseOptions));
    return { live, report, overrunMs: performance.now() - startedAt - deadlineMs };
  } finally {
    await stage.release();
    await engine.close({ deadlineMs: 0 });
  }
}

/** @throws {Error} it has not resolved by then. */
export async function within<Value>(patienceMs: number, promise: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`it hangs: not resolved after ${patienceMs} ms`)), patienceMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
