/** One signal that cancels a hundred thousand items: how long that holds the main thread, at once and afterwards. */
import { type Engine, createEngine } from "@threadmill/engine";
import { slow } from "./references.js";

/** How the items are spread: over one job, over jobs of a hundred, over a call for each. */
export const CANCEL_SHAPES = ["job", "jobs", "calls"] as const;
export type CancelShape = (typeof CANCEL_SHAPES)[number];

export interface CancelFigures {
  readonly shape: CancelShape;
  readonly items: number;
  /** Of `controller.abort()` itself. */
  readonly abortMs: number;
  /** From its return to the next turn of the event loop: what it has left for microtasks. */
  readonly afterMs: number;
  /** The longest turn after that, until the threads have let go. */
  readonly longestTurnMs: number;
  /** Handles that had settled when the next turn came. */
  readonly settledInTick: number;
  readonly handles: number;
}

const ITEMS_PER_JOB = 100;

/** Submits, lets the first items run, aborts. */
export async function soakCancel(options: {
  readonly shape: CancelShape;
  readonly items: number;
  /** Called right before and right after the abort. */
  readonly onAbort?: (signal: AbortSignal, when: "before" | "after") => void;
}): Promise<CancelFigures> {
  const { shape, items, onAbort } = options;
  const engine = createEngine({ threads: 2 });
  try {
    await engine.warm(slow);
    const controller = new AbortController();
    const { signal } = controller;
    const settled: Promise<unknown>[] = submit(engine, shape, items, signal);
    let settledCount = 0;
    for (const one of settled) void one.then(() => settledCount++);
    await new Promise<void>((resolve) => engine.once("batch", () => resolve()));
    const completedBefore = settledCount;
    onAbort?.(signal, "before");
    const start = performance.now();
    controller.abort(new Error("enough"));
    const abortMs = performance.now() - start;
    onAbort?.(signal, "after");
    await new Promise((resolve) => setImmediate(resolve));
    const afterMs = performance.now() - start - abortMs;
    const settledInTick = settledCount;
    let isIdle = false;
    const idle = engine.drain().then(() => {
      isIdle = true;
    });
    let longestTurnMs = 0;
    for (let at = performance.now(); !isIdle;) {
      await new Promise((resolve) => setImmediate(resolve));
      longestTurnMs = Math.max(longestTurnMs, performance.now() - at);
      at = performance.now();
    }
    await idle;
    if (completedBefore === settled.length) throw new Error("there was nothing left to cancel");
    return { shape, items, abortMs, afterMs, longestTurnMs, settledInTick, handles: settled.length };
  } finally {
    await engine.close({ deadlineMs: 0 });
  }
}

/** One promise per handle, which resolves when it has settled, however. */
function submit(engine: Engine, shape: CancelShape, items: number, signal: AbortSignal): Promise<unknown>[] {
  const numbers = Array.from({ length: items }, (_, index) => index);
  const settled = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => undefined,
      () => undefined,
    );
  switch (shape) {
    case "job":
      return [settled(engine.run(slow, numbers, { signal }).result)];
    case "jobs":
      return Array.from({ length: items / ITEMS_PER_JOB }, (_, job) => {
        const own = numbers.slice(job * ITEMS_PER_JOB, (job + 1) * ITEMS_PER_JOB);
        return settled(engine.run(slow, own, { signal }).result);
      });
    case "calls":
      return numbers.map((value) => settled(engine.call(slow, value, { signal })));
    default:
      return shape satisfies never;
  }
}
