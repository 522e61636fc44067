/**
 * The loops in which a thread really claims, which spell the claim out: in every order of their atomic operations with
 * those of a main thread that revokes. The claims alone are taken apart in the tests of the protocol package.
 */
import { ControlBlock, ControlRow } from "@threadmill/protocol";
import { describe, expect, test } from "vitest";
// oxlint-disable-next-line threadmill/import-direction -- a helper of tests is no public face
import { forEachOutcome } from "../../../protocol/test/atomic-steps.js";
import { callBatch } from "../../src/runner/batch-call.js";
import { BatchRun } from "../../src/runner/batch-run.js";
import { callItems } from "../../src/runner/item-calls.js";
import type { CallEnd, Lanes } from "../../src/runner/lanes.js";
import { Recipe } from "../../src/runner/recipe.js";

const ROW = 0;
const BATCH = 1;

/** Calls that wait until the test lets the oldest go: lanes without promises, so that every step is taken in order. */
class ManualLanes {
  readonly #ends: CallEnd[] = [];

  get inFlight(): number {
    return this.#ends.length;
  }

  hold(_run: unknown, _ctx: unknown, _result: unknown, end: CallEnd): void {
    this.#ends.push(end);
  }

  letOneGo(): boolean {
    const end = this.#ends.shift();
    end?.fulfilled(undefined);
    return end !== undefined;
  }
}

const recipe = new Recipe({
  url: "nowhere",
  exportName: "nothing",
  options: undefined,
  row: undefined as never,
  onImported: () => undefined,
});
const host = { now: () => 0, detail: () => undefined };

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, position) => position);
}

function newRun(row: ControlRow, count: number): BatchRun {
  return new BatchRun(["batch", BATCH, 1, "job", 0, count, upTo(count), undefined, 0, 0], recipe, row);
}

type Loop = (row: ControlRow, count: number) => { ran: number[]; claimed: number };

/** As the runner does it: the loop is entered again whenever a lane is free. */
function items(concurrency: number): Loop {
  return (row, count) => {
    const ran: number[] = [];
    const run = newRun(row, count);
    const lanes = new ManualLanes();
    const handler = (item: unknown): unknown => {
      ran.push(item as number);
      return concurrency === 1 ? item : Promise.resolve();
    };
    do {
      if (!run.exhausted) {
        callItems(run, { item: handler, concurrency }, undefined, lanes as unknown as Lanes, host);
      }
    } while (lanes.letOneGo() || !run.exhausted);
    return { ran, claimed: run.next };
  };
}

const batch: Loop = (row, count) => {
  const ran: number[] = [];
  const run = newRun(row, count);
  const handler = (all: unknown[]): unknown[] => {
    ran.push(...(all as number[]));
    return all;
  };
  callBatch(run, { batch: handler }, undefined, new ManualLanes() as unknown as Lanes, host);
  return { ran, claimed: run.next };
};

const ALL = [0, 0] as const;
const HALF = [0.5, 0] as const;
const ALL_BUT_THE_FIRST = [0, 1] as const;
const each = [ALL, HALF, ALL_BUT_THE_FIRST];
const plans = [...each.map((one) => [one]), ...each.flatMap((one) => each.map((two) => [one, two]))];

describe.each([
  ["items, one at a time", items(1)],
  ["items in two lanes", items(2)],
  ["items in more lanes than there are items", items(8)],
  ["a batch handler", batch],
])("the loop for %s, against a main thread that revokes", (_, loop) => {
  test.each(plans.map((plan) => [JSON.stringify(plan), plan] as const))(
    "leaves each position with one owner, whatever the order: %s",
    (__, plan) => {
      for (const count of [1, 2, 3]) {
        const orders = forEachOutcome(
          () => {
            const control = new ControlBlock(1);
            control.open(ROW, 1);
            control.assign(ROW, BATCH, count);
            const row = new ControlRow(control.buffer, ROW, false);
            const world = { ran: [] as number[], claimed: 0, taken: [] as number[], count };
            const thread = (): void => void Object.assign(world, loop(row, count));
            const main = (): void => {
              const taken: number[] = [];
              let end = count;
              for (const [keep, least] of plan) {
                const from = control.revoke(ROW, BATCH, keep, least);
                taken.push(...upTo(end).slice(from));
                end = Math.min(end, from);
              }
              Object.assign(world, { taken, count: end });
            };
            return { world, actors: [thread, main], memory: [row.words] };
          },
          (world, order) => {
            const givenBack = upTo(world.count).slice(world.claimed);
            const owners = [...world.ran, ...world.taken, ...givenBack].toSorted((a, b) => a - b);
            expect(owners, `order ${order}: ran ${String(world.ran)}; took ${String(world.taken)}`).toEqual(
              upTo(count),
            );
          },
        );
        expect(orders).toBeGreaterThan(1);
      }
    },
  );
});
