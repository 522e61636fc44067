/**
 * Random callers of a whole engine in random orders of all that happens: see world.ts. A counterexample names its seed
 * and path, and replays as it was, since time is played too.
 */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type DrawnWorld, worlds } from "./drawn-world.js";
import { playTime } from "./played-time.js";
import { World } from "./world.js";

/** More of them by hand: SHELL_RUNS=100000 SHELL_SEED=1 vitest run --project engine shell/interleavings */
const RUNS = Number(process.env["SHELL_RUNS"] ?? 300);
const seed = process.env["SHELL_SEED"] === undefined ? {} : { seed: Number(process.env["SHELL_SEED"]) };
const PATIENCE_MS = 60_000 + RUNS * 200;

const sightings = new Map<string, number>();

beforeEach(() => {
  playTime();
  vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function holds(drawn: DrawnWorld, scheduler: fc.Scheduler): Promise<void> {
  vi.clearAllTimers();
  const world = new World(drawn, scheduler);
  await world.play(drawn);
  for (const [what, count] of world.sightings) sightings.set(what, (sightings.get(what) ?? 0) + count);
  expect(world.violations).toEqual([]);
}

describe("whatever the order of things", () => {
  it(
    "a calm world ends well: nobody cancels, and nothing is left",
    async () => {
      await fc.assert(fc.asyncProperty(worlds("calm"), fc.scheduler(), holds), { numRuns: RUNS, ...seed });
    },
    PATIENCE_MS,
  );

  it(
    "a wild world ends well: callers cancel, abort and close, threads die",
    async () => {
      await fc.assert(fc.asyncProperty(worlds("wild"), fc.scheduler(), holds), { numRuns: RUNS, ...seed });
    },
    PATIENCE_MS,
  );

  it(
    "a shared world ends well: all want the same job, and leave it one by one",
    async () => {
      await fc.assert(fc.asyncProperty(worlds("shared"), fc.scheduler(), holds), { numRuns: RUNS, ...seed });
    },
    PATIENCE_MS,
  );

  it("all that makes such worlds worth their time has happened in some of them", ({ skip }) => {
    if (RUNS < 300) skip("too few runs to say");
    const wanted = [
      "a job feeds another",
      "a run joins",
      "a run is answered from the cache",
      "run is refused: JOB_ID_CONFLICT",
      "run is refused: ENGINE_CLOSED",
      "a live job is cancelled",
      "a signal ends handles",
      "a signal leaves the handles of others alone",
      "a busy thread dies",
      "a close while jobs may be live",
      "a loop is left",
      "a loop is refused",
      "a job completed",
      "a job failed",
      "a job was cancelled",
      "an item goes again",
      "a source throws",
    ];
    expect(wanted.filter((what) => !sightings.has(what))).toEqual([]);
  });
});
