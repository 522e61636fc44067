/** When a thread is judged: not before all that it has said by then was read, however late that is. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { EngineAtHand, handler, turn } from "./engine-at-hand.js";
import type { PlayedThread } from "./played-threads.js";
import { playTime } from "./played-time.js";

const GRACE_MS = 400;

beforeEach(() => {
  playTime();
});

afterEach(() => {
  vi.useRealTimers();
});

/** A thread with a job that is cancelled in its midst, at the moment in which the timer has rung for its grace. */
async function atTheEndOfItsGrace(): Promise<{ at: EngineAtHand; thread: PlayedThread }> {
  const at = new EngineAtHand({ options: { graceMs: GRACE_MS, progressMs: 1_000_000 } });
  const job = at.engine.run(handler("double"), [1, 2, 3]);
  await turn();
  const thread = at.runner.at(0);
  for (let steps = 0; steps < 4; steps++) thread.step();
  job.cancel();
  vi.advanceTimersByTime(GRACE_MS - 1);
  while (thread.step());
  expect(thread.hasWord).toBe(true);
  vi.advanceTimersToNextTimer();
  return { at, thread };
}

it("a thread whose answer is in its port when its grace is over has come back", async () => {
  const { at, thread } = await atTheEndOfItsGrace();
  // The event loop comes to its ports before it comes to the verdict.
  while (thread.deliver());
  vi.advanceTimersByTime(1);
  expect(at.engine.stats()).toMatchObject({ threadsStuck: 0, threadsStarted: 1 });
});

it("one that has said nothing by then is set aside", async () => {
  const { at } = await atTheEndOfItsGrace();
  vi.advanceTimersByTime(1);
  expect(at.engine.stats()).toMatchObject({ threadsStuck: 1, threadsStarted: 2 });
});
