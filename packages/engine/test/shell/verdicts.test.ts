/**
 * When a thread is judged: not before all that it has said by then was read, however late that is. And what becomes of
 * the work of one that is set aside.
 */
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

it("one that is set aside begins nothing more of what it held: that is run elsewhere, once", async () => {
  const at = new EngineAtHand({ options: { graceMs: GRACE_MS, progressMs: 1_000_000 } });
  await at.playUntil(at.engine.map(handler("double"), [0]));
  const thread = at.runner.at(0);
  at.runner.runs.length = 0;
  const stuck = at.engine.run(handler("double"), [1]);
  const behind = at.engine.run(handler("double"), [2, 3]);
  await turn();
  while (thread.holds.length < 2) thread.step();
  thread.step();
  // It cannot be ended there, and will come back.
  thread.row.enter("native");
  stuck.cancel();
  for (let passedMs = 0; at.runner.all.length === 1 && passedMs < 2 * GRACE_MS; passedMs++) vi.advanceTimersByTime(1);
  expect(at.engine.stats()).toMatchObject({ threadsStuck: 1, threadsStarted: 2 });
  // It does so before the other one has done anything.
  thread.row.leave("native");
  while (thread.step());
  expect((await at.playUntil(behind.result)).values).toEqual([4, 6]);
  expect(at.runner.runs.map(({ index }) => index)).toEqual([0, 0, 1]);
});
