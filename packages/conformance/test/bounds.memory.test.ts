/**
 * N4: memory stays flat. Bounds are generous, since a heap is never quite at rest; a leak of one small object for each
 * job or of one pointer for each item would pass them all the same. `pnpm test:soak` runs the full size.
 */
import { expect, test } from "vitest";
import { soakMemory } from "../src/bounds/memory.js";
import { slopeOf } from "../src/bounds/slope.js";

/** A handle with its job takes some kilobytes. */
const MOST_HEAP_PER_JOB = 1_000;
/** An item that is kept takes 8 bytes where it is only pointed to. */
const MOST_HEAP_PER_ITEM = 4;
/** Two threads with a batch each in hand and one behind, at the largest batch there is. */
const MOST_IN_FLIGHT = 2 * 2 * 4_096;

test("memory is flat over many jobs, and over one job of many items that is read slowly", async () => {
  const figures = await soakMemory({ jobs: 2_000, items: 500_000 });
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  expect(figures.jobs.heapBytesEach).toBeLessThan(MOST_HEAP_PER_JOB);
  expect(figures.items.count).toBe(500_000);
  expect(figures.items.heapBytesEach).toBeLessThan(MOST_HEAP_PER_ITEM);
  expect(figures.items.mostInFlight).toBeLessThanOrEqual(MOST_IN_FLIGHT);
  expect(figures.alive, "what settled jobs still hold").toEqual({ handles: 0, sources: 0 });
});

test("a leak would show", async () => {
  const { jobs, alive, items } = await soakMemory({ jobs: 400, items: 100_000, keepsAll: true });
  expect(jobs.heapBytesEach).toBeGreaterThan(MOST_HEAP_PER_JOB);
  expect(items.heapBytesEach).toBeGreaterThan(MOST_HEAP_PER_ITEM);
  expect(alive.handles).toBe(200);
});

test("a slope is that of the line through its samples", () => {
  expect(slopeOf([0, 1, 2, 3], [5, 7, 9, 11])).toBeCloseTo(2);
  expect(slopeOf([0, 1, 2, 3], [5, 5, 5, 5])).toBe(0);
  expect(slopeOf([0, 10, 20], [0, 50, 40])).toBeCloseTo(2);
});
