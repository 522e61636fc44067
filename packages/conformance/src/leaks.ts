/** What a test must not leave behind: engines, listeners, resources, warnings, rejections that nobody heard. */
import { getEventListeners } from "node:events";
import type { Engine, EngineOptions } from "@threadmill/engine";
import { afterEach, beforeEach, expect } from "vitest";
import type { Subject } from "./subject.js";
import { TimerWatch } from "./timer-watch.js";

/** When resources that have been let go are held to be kept: a busy machine takes a while to end a thread. */
const PATIENCE_MS = 20_000;
/** What an engine holds, but for timers, which are watched where they are set. */
const WATCHED = new Set(["MessagePort", "Worker", "TTYWrap", "PipeWrap", "ProcessWrap"]);

/**
 * To be called inside a `describe`, or for a whole file: checks after each test that the process is as it was before.
 * Answers a function for tests that mean to provoke warnings with this code.
 */
export function watchLeaks(): (expectedWarning: string) => void {
  let allowed = new Set<string>();
  let warnings: Error[] = [];
  let rejections: unknown[] = [];
  let timers = new TimerWatch();
  let before: ReadonlyMap<string, number> | undefined;
  const onWarning = (warning: Error & { code?: string }): void => {
    if (!allowed.has(warning.code ?? "")) warnings.push(warning);
  };
  const onRejection = (reason: unknown): void => {
    rejections.push(reason);
  };

  beforeEach(() => {
    allowed = new Set();
    warnings = [];
    rejections = [];
    before = resources();
    timers = new TimerWatch();
    timers.begin();
    process.on("warning", onWarning);
    process.on("unhandledRejection", onRejection);
  });

  afterEach(async () => {
    // A test that was skipped before it began has none, and has left nothing.
    const held = before;
    before = undefined;
    if (held === undefined) return;
    // Whoever has ended has cleared them; those that would ring before long are left over as well.
    const left = timers.left;
    await until(() => excess(held).length === 0);
    timers.end();
    process.off("warning", onWarning);
    process.off("unhandledRejection", onRejection);
    expect(warnings, "process warnings").toEqual([]);
    expect(rejections, "unhandled rejections").toEqual([]);
    expect(excess(held), "resources that are still active").toEqual([]);
    expect(left, "timers that are still set").toEqual([]);
  });

  return (code) => allowed.add(code);
}

export interface Kit {
  /** An engine that is closed after the test. */
  engine(options?: EngineOptions): Engine;
  /** The same, with one slot only. */
  single(options?: EngineOptions): Engine;
  /** A controller whose signal must have no listeners left after the test. */
  controller(): AbortController;
  /** The test means to provoke warnings with these codes. */
  expectWarnings(code: string): void;
}

/** Where a test does not say otherwise, no thread is taken for stuck because the machine is busy. */
const LONG_GRACE_MS = 10_000;

/** To be called inside a `describe`: engines for its tests, and checks after each of them that nothing is left. */
export function useKit(subject: Subject): Kit {
  let engines: Engine[] = [];
  let signals: AbortSignal[] = [];
  // Before our own hook: those after a test are called in reverse, and engines are closed by then.
  const expectWarnings = watchLeaks();

  beforeEach(() => {
    engines = [];
    signals = [];
  });

  afterEach(async () => {
    for (const engine of engines) await engine.close({ deadlineMs: 0 });
    for (const signal of signals) expect(getEventListeners(signal, "abort"), "listeners on a signal").toEqual([]);
    for (const engine of engines) expect(engine.jobs(), "live jobs after close").toEqual([]);
  });

  function make(options?: EngineOptions): Engine {
    const engine = subject.createEngine({ graceMs: LONG_GRACE_MS, ...options });
    engines.push(engine);
    return engine;
  }

  return {
    engine: make,
    single: (options) => make({ ...options, threads: subject.lacks.ownThreads === undefined ? 1 : 0 }),
    controller() {
      const controller = new AbortController();
      signals.push(controller.signal);
      return controller;
    },
    expectWarnings,
  };
}

function resources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function excess(before: ReadonlyMap<string, number>): string[] {
  return [...resources()]
    .filter(([name, count]) => WATCHED.has(name) && count > (before.get(name) ?? 0))
    .map(([name]) => name);
}

/** Lets the event loop turn until something holds, or nothing is hoped for any more. */
export async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!holds() && performance.now() < end) await new Promise((resolve) => setImmediate(resolve));
}

/** Turns of the event loop in which what must not happen would have happened. */
const TURNS = 2_000;

/** Lets it happen, if it does. */
export async function aWhile(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}
