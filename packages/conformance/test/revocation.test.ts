/**
 * Section 6 under stress: items are taken back from threads in the middle of their claims, millions of times, and each
 * is run once. The same code runs for hours in `pnpm test:soak`. A failure prints its seed, though the threads' own
 * timing is not in it.
 */
import { ControlBlock } from "@threadmill/protocol";
import { describe, expect, test } from "vitest";
import { watchLeaks } from "../src/leaks.js";
import { soakEngineRevocation } from "../src/revocation/engine-soak.js";
import { REVOCATION_MODES, type RevocationFigures, soakRevocation } from "../src/revocation/soak.js";

const seed = Number(process.env["THREADMILL_SEED"] ?? Math.floor(Math.random() * 1e9));
const SECONDS = 2;
/** Reached only if a planted bug is not found: most are in the first round. */
const PATIENCE_SECONDS = 20;

watchLeaks();

/** Does not look again after it has lowered the limit. */
class LooksOnce extends ControlBlock {
  override revoke(row: number, batch: number, keep: number, least = 0): number {
    const next = this.cur(row, batch) + 1;
    // The moment between two operations is short: it is made longer, until the thread comes on if it is at work.
    for (let looks = 0; looks < 20_000 && this.cur(row, batch) + 1 === next; looks++);
    const from = super.revoke(row, batch, keep, least);
    return keep === 0 && least === 0 ? Math.min(from, next) : from;
  }
}

/** Takes what lies behind its look, whatever the limit was. */
class LowersNothing extends ControlBlock {
  override revoke(row: number, batch: number): number {
    return this.cur(row, batch) + 1;
  }
}

/** Leaves an item behind that the thread does not have any more. */
class LeavesOne extends ControlBlock {
  override revoke(row: number, batch: number, keep: number, least = 0): number {
    return super.revoke(row, batch, keep, least) - 1;
  }
}

describe.each(REVOCATION_MODES)("revoking from threads that work on %s", (mode) => {
  test(`moves millions of items, runs none twice and loses none (THREADMILL_SEED=${seed})`, async () => {
    const figures = await soakRevocation({ seconds: SECONDS, seed, mode });
    expect(figures, `seed ${seed}`).toMatchObject({ runTwice: 0, lost: 0 });
    // Else nothing has been tried: a round ends only when every item was run, but not every round need meet a claim.
    expect(sometimes(figures), `seed ${seed}`).toEqual({ moved: true, midBatch: true, stopped: true });
  });
});

function sometimes({ moves, revocationsInMidBatch, stops }: RevocationFigures): Record<string, boolean> {
  return { moved: moves > 0, midBatch: revocationsInMidBatch > 0, stopped: stops > 0 };
}

describe("the same stress", () => {
  test.each([
    ["does not look again after it has lowered the limit", LooksOnce, "items"],
    ["does not look again after it has lowered the limit, with lanes", LooksOnce, "lanes"],
    ["looks, and lowers nothing", LowersNothing, "items"],
    ["looks, and lowers nothing, with batch handlers", LowersNothing, "batches"],
    ["takes one that the thread has", LeavesOne, "items"],
  ] as const)("finds a revocation that %s", async (_, Planted, mode) => {
    const createControl = (rows: number): ControlBlock => new Planted(rows);
    const { runTwice, lost } = await soakRevocation({
      seconds: PATIENCE_SECONDS,
      endsWhenFound: true,
      seed,
      mode,
      createControl,
    });
    // Run twice, or answered for twice by a batch that was stopped meanwhile.
    expect(runTwice + lost).toBeGreaterThan(0);
  });
});

describe("revoking as the engine does it", () => {
  test(`between big, small, paused and cancelled jobs runs every item once (THREADMILL_SEED=${seed})`, async () => {
    const figures = await soakEngineRevocation({ seconds: SECONDS, seed });
    expect(figures, `seed ${seed}`).toMatchObject({ runTwice: 0, lost: 0, threadsLost: 0 });
    expect(figures.moves).toBeGreaterThan(0);
    expect(figures.pauses).toBeGreaterThan(0);
    expect(figures.cancelled).toBeGreaterThan(0);
  });
});
