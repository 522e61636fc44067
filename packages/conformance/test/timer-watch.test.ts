/** That a timer which is left over would be seen. */
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TimerWatch } from "../src/timer-watch.js";

const before = { setTimeout, setInterval, clearTimeout, clearInterval };
const LATE_MS = 1_000_000;
let watch = new TimerWatch();

beforeEach(() => {
  watch = new TimerWatch();
  watch.begin();
});

afterEach(() => {
  watch.end();
});

test("a timer is left until it is cleared, also one that does not hold the process", () => {
  const timers = [setTimeout(() => undefined, LATE_MS), setTimeout(() => undefined, LATE_MS).unref()];
  const interval = setInterval(() => undefined, LATE_MS);
  expect(watch.left).toHaveLength(3);
  for (const timer of timers) clearTimeout(timer);
  expect(watch.left).toHaveLength(1);
  clearInterval(interval);
  expect(watch.left).toEqual([]);
});

test("a timer is left until it has rung, and is named by where it was set", async () => {
  const rung = new Promise((resolve) => setTimeout(resolve, 1, "rung"));
  expect(watch.left).toEqual([expect.stringContaining("timer-watch.test")]);
  expect(await rung).toBe("rung");
  expect(watch.left).toEqual([]);
});

test("an interval is left though it has rung", async () => {
  let interval: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    interval = setInterval(resolve, 1);
  });
  expect(watch.left).toHaveLength(1);
  clearInterval(interval);
});

test("what else hangs on the functions is still there, and afterwards they are what they were", async () => {
  expect(await promisify(setTimeout)(1, "after a while")).toBe("after a while");
  watch.end();
  expect({ setTimeout, setInterval, clearTimeout, clearInterval }).toEqual(before);
});
