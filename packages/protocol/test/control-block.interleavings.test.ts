/**
 * The argument in the head of control-block.ts, checked rather than believed: the real code of both sides, in every
 * order of its atomic operations. Sequential consistency is what `Atomics` promises; a test cannot see weaker memory,
 * which is what the two real threads of control-block.threads.test.ts are for.
 */
import { describe, expect, it } from "vitest";
import { ControlBlock, ControlRow } from "../src/control-block.js";
import { type Actor, forEachInterleaving } from "./atomic-steps.js";

const ROW = 0;
const BATCH = 1;

type MainStep = { readonly revoke: number } | "stop";

/** What both sides know at the end. */
interface World {
  /** Positions that the thread has run. */
  ran: number[];
  /** How many positions the thread's answer says it has run. */
  claimed: number;
  /** Positions that the main thread took for its own by revoking. */
  taken: number[];
  /** Where the main thread believes the batch to end. */
  count: number;
  wasStopped: boolean;
}

function start(count: number, plan: readonly MainStep[]): { world: World; actors: readonly [Actor, Actor] } {
  const block = new ControlBlock(1);
  const row = new ControlRow(block.buffer, ROW, false);
  block.open(ROW, 1);
  block.assign(ROW, BATCH, count);
  const world: World = { ran: [], claimed: 0, taken: [], count, wasStopped: false };
  // Both are run again and again from their start, so each builds what it knows anew.
  const thread = (): void => {
    const ran: number[] = [];
    for (let position = 0; position < count && row.claim(BATCH, position); position++) ran.push(position);
    Object.assign(world, { ran, claimed: ran.length });
  };
  const main = (): void => {
    const taken: number[] = [];
    let end = count;
    let wasStopped = false;
    for (const step of plan) {
      if (step === "stop") {
        block.stop(ROW, BATCH);
        wasStopped = true;
        continue;
      }
      // As the scheduler does: what lies from the answer on is its own, and the batch ends there.
      const from = block.revoke(ROW, BATCH, step.revoke);
      for (let position = from; position < end; position++) taken.push(position);
      end = Math.min(end, from);
    }
    Object.assign(world, { taken, count: end, wasStopped });
  };
  return { world, actors: [thread, main] };
}

/** Every position has one owner: the thread that ran it, or the main thread, by revoking or by the answer. */
function expectOneOwnerEach(world: World, count: number, order: string): void {
  const givenBack: number[] = [];
  for (let position = world.claimed; position < world.count; position++) givenBack.push(position);
  const owners = [...world.ran, ...world.taken, ...givenBack].toSorted((a, b) => a - b);
  expect(owners, `order ${order}: ran ${String(world.ran)}; took ${String(world.taken)}`).toEqual(
    Array.from({ length: count }, (_, position) => position),
  );
}

const keeps = [0, 0.5];
const counts = [1, 2, 3];

describe("in every order of their atomic steps", () => {
  describe.each(counts)("a batch of %i", (count) => {
    it.each(keeps)("that is revoked once, keeping %d, has one owner for each position", (keep) => {
      const orders = forEachInterleaving(
        () => start(count, [{ revoke: keep }]),
        (world, order) => expectOneOwnerEach(world, count, order),
      );
      expect(orders).toBeGreaterThan(count);
    });

    it.each(keeps.flatMap((first) => keeps.map((second) => [first, second] as const)))(
      "that is revoked twice, keeping %d and %d, has one owner for each position",
      (first, second) => {
        const orders = forEachInterleaving(
          () => start(count, [{ revoke: first }, { revoke: second }]),
          (world, order) => expectOneOwnerEach(world, count, order),
        );
        expect(orders).toBeGreaterThan(count);
      },
    );

    it.each(keeps)("that is revoked, keeping %d, and then stopped is never run and taken", (keep) => {
      forEachInterleaving(
        () => start(count, [{ revoke: keep }, "stop"]),
        (world) => expect(world.ran.filter((position) => world.taken.includes(position))).toEqual([]),
      );
    });

    it("that is stopped, and revoked all the same, gives nothing away that it runs or does not have", () => {
      forEachInterleaving(
        () => start(count, ["stop", { revoke: 0 }]),
        (world) => {
          expect(world.taken.filter((position) => world.ran.includes(position))).toEqual([]);
          expect(world.taken.filter((position) => position < 0 || position >= count)).toEqual([]);
        },
      );
    });
  });

  it("a stop is seen at the next claim: none succeeds after it", () => {
    forEachInterleaving(
      () => start(3, ["stop"]),
      (world, order) => {
        // The thread is 0, two steps a claim, of which the second decides; the main thread is 1.
        const stepsBeforeStop = order.indexOf("1");
        expect(world.ran.length).toBe(Math.min(Math.floor(stepsBeforeStop / 2), 3));
      },
    );
  });
});
