/**
 * The argument in the head of control-block.ts, checked rather than believed: the real code of both sides, in every
 * order of its atomic operations. Sequential consistency is what `Atomics` promises; a test cannot see weaker memory,
 * which is what the two real threads of control-block.threads.test.ts are for. The loops that a thread really runs
 * are taken apart in the same way in the workers package.
 */
import { describe, expect, it } from "vitest";
import { ControlBlock, ControlRow } from "../src/control-block.js";
import { type Actor, forEachInterleaving, forEachOutcome } from "./atomic-steps.js";

const ROW = 0;

type MainStep = { readonly keep: number; readonly least?: number } | "stop";

/** What both sides know at the end of one batch. */
interface Fate {
  /** Positions that the thread has run. */
  ran: number[];
  /** How many positions the thread's answer says it has run. */
  claimed: number;
  /** Positions that the main thread took for its own by revoking. */
  taken: number[];
  /** Where the main thread believes the batch to end. */
  count: number;
}

/** How the two sides go about it: the real code, or a planted bug. */
interface Ways {
  readonly claim: (row: ControlRow, batch: number, position: number) => boolean;
  readonly revoke: (block: ControlBlock, batch: number, keep: number, least: number) => number;
}

const REAL: Ways = {
  claim: (row, batch, position) => row.claim(batch, position),
  revoke: (block, batch, keep, least) => block.revoke(ROW, batch, keep, least),
};

const unknown = (): Fate => ({ ran: [], claimed: 0, taken: [], count: 0 });

/** The thread's side of one batch: items one by one. */
function runOneByOne(row: ControlRow, batch: number, count: number, ways = REAL): Pick<Fate, "ran" | "claimed"> {
  const ran: number[] = [];
  for (let position = 0; position < count && ways.claim(row, batch, position); position++) ran.push(position);
  return { ran, claimed: ran.length };
}

/** The same for a batch handler. */
function runAllAtOnce(row: ControlRow, batch: number, count: number): Pick<Fate, "ran" | "claimed"> {
  const claimed = row.claimTo(batch, 0, count);
  return { ran: upTo(claimed), claimed };
}

/** The main thread's side. As the scheduler does it: what lies from the answer on is its own, the batch ends there. */
function follow(
  block: ControlBlock,
  batch: number,
  count: number,
  plan: readonly MainStep[],
  ways = REAL,
): Pick<Fate, "taken" | "count"> {
  const taken: number[] = [];
  let end = count;
  for (const step of plan) {
    if (step === "stop") {
      block.stop(ROW, batch);
      continue;
    }
    const from = ways.revoke(block, batch, step.keep, step.least ?? 0);
    for (let position = from; position < end; position++) taken.push(position);
    end = Math.min(end, from);
  }
  return { taken, count: end };
}

interface Scene {
  readonly count: number;
  readonly plan: readonly MainStep[];
  readonly run?: typeof runOneByOne;
  readonly ways?: Ways;
}

function open(): { block: ControlBlock; row: ControlRow } {
  const block = new ControlBlock(1);
  block.open(ROW, 1);
  return { block, row: new ControlRow(block.buffer, ROW, false) };
}

/** One batch, its thread and the main thread. Both are run again and again, so each builds what it knows anew. */
function oneBatch({ count, plan, run = runOneByOne, ways = REAL }: Scene): {
  world: Fate;
  actors: readonly [Actor, Actor];
  memory: readonly Int32Array[];
} {
  const { block, row } = open();
  block.assign(ROW, 1, count);
  const world = unknown();
  const thread = (): void => void Object.assign(world, run(row, 1, count, ways));
  const main = (): void => void Object.assign(world, follow(block, 1, count, plan, ways));
  return { world, actors: [thread, main], memory: [row.words] };
}

/** Who owns each position: the thread that ran it, or the main thread, by revoking or by the answer. */
function owners({ ran, taken, claimed, count }: Fate): number[] {
  const givenBack = upTo(count).slice(claimed);
  return [...ran, ...taken, ...givenBack].toSorted((a, b) => a - b);
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, position) => position);
}

function expectOneOwnerEach(fate: Fate, count: number, order: string): void {
  expect(owners(fate), `order ${order}: ran ${String(fate.ran)}; took ${String(fate.taken)}`).toEqual(upTo(count));
}

const ALL = { keep: 0 };
const HALF = { keep: 0.5 };
const ALL_BUT_THE_FIRST = { keep: 0, least: 1 };
const revocations = [ALL, HALF, ALL_BUT_THE_FIRST] as const;
const inARow: readonly (readonly MainStep[])[] = [
  ...revocations.map((one) => [one]),
  ...revocations.flatMap((one) => revocations.map((two) => [one, two])),
  [HALF, HALF, HALF],
  [HALF, ALL_BUT_THE_FIRST, ALL],
];
const counts = [1, 2, 3, 4];
const threads = [
  ["whose items are claimed one by one", runOneByOne],
  ["that is claimed all at once", runAllAtOnce],
] as const;

const named = (plan: readonly MainStep[]): string => JSON.stringify(plan);

describe.each(threads)("in every order of their atomic steps, a batch %s", (_, run) => {
  it.each(inARow.map((plan) => [named(plan), plan] as const))(
    "has one owner for each position after %s",
    (__, plan) => {
      for (const count of counts) {
        const orders = forEachOutcome(
          () => oneBatch({ count, plan, run }),
          (fate, order) => expectOneOwnerEach(fate, count, order),
        );
        expect(orders).toBeGreaterThan(1);
      }
    },
  );

  it.each(inARow.map((plan) => [named(plan), plan] as const))(
    "is never run and taken after %s and a stop",
    (__, plan) => {
      for (const count of counts) {
        forEachOutcome(
          () => oneBatch({ count, plan: [...plan, "stop"], run }),
          ({ ran, taken }) => expect(ran.filter((position) => taken.includes(position))).toEqual([]),
        );
      }
    },
  );

  it("that is stopped, and revoked all the same, gives nothing away that it runs or does not have", () => {
    for (const count of counts) {
      forEachOutcome(
        () => oneBatch({ count, plan: ["stop", ALL, HALF], run }),
        ({ ran, taken }) => {
          expect(taken.filter((position) => ran.includes(position))).toEqual([]);
          expect(taken.filter((position) => position < 0 || position >= count)).toEqual([]);
        },
      );
    }
  });
});

describe("in every order of their atomic steps", () => {
  it("a stop is seen at the next claim: none succeeds after it", () => {
    forEachInterleaving(
      () => oneBatch({ count: 3, plan: ["stop"] }),
      (fate, order) => {
        // The thread is 0, two steps a claim, of which the second decides; the main thread is 1.
        const stepsBeforeStop = order.indexOf("1");
        expect(fate.ran.length).toBe(Math.min(Math.floor(stepsBeforeStop / 2), 3));
      },
    );
  });

  it("a position may be left to the answer, by a thread whose claim has failed after it was seen", () => {
    const left = new Set<boolean>();
    forEachOutcome(
      () => oneBatch({ count: 2, plan: [ALL] }),
      ({ claimed, count }) => left.add(claimed < count),
    );
    expect(left).toEqual(new Set([false, true]));
  });

  it.each(
    ["one by one", "in turn, as lanes do it at the border of two batches"].flatMap((how) =>
      [
        [ALL, ALL],
        [HALF, ALL_BUT_THE_FIRST],
      ].map((plans) => [how, named(plans), plans] as const),
    ),
  )("both batches of a slot, run %s, keep apart: %s", (how, _, [first, second]) => {
    const size = 2;
    const outcomes = forEachOutcome(
      () => {
        const { block, row } = open();
        block.assign(ROW, 1, size);
        block.assign(ROW, 2, size);
        const world = { 1: unknown(), 2: unknown() };
        const thread = (): void => {
          const ran: Record<1 | 2, number[]> = { 1: [], 2: [] };
          const exhausted = new Set<1 | 2>();
          const claimNext = (batch: 1 | 2): void => {
            const next = ran[batch].length;
            if (next < size && row.claim(batch, next)) ran[batch].push(next);
            else exhausted.add(batch);
          };
          if (how === "one by one") {
            for (const batch of [1, 2] as const) while (!exhausted.has(batch)) claimNext(batch);
          } else {
            // The lanes that the first batch leaves free are filled from the second, while the first is still open.
            while (exhausted.size < 2) for (const batch of [1, 2] as const) if (!exhausted.has(batch)) claimNext(batch);
          }
          for (const batch of [1, 2] as const) {
            Object.assign(world[batch], { ran: ran[batch], claimed: ran[batch].length });
          }
        };
        const main = (): void => {
          // As giving way does it: what lies behind first.
          const behind = follow(block, 2, size, [second!]);
          Object.assign(world[1], follow(block, 1, size, [first!]));
          Object.assign(world[2], behind);
        };
        return { world, actors: [thread, main], memory: [row.words] };
      },
      (world, order) => {
        expectOneOwnerEach(world[1], size, `${order}, first batch`);
        expectOneOwnerEach(world[2], size, `${order}, second batch`);
      },
    );
    expect(outcomes).toBeGreaterThan(1);
  });

  it.each(
    [[ALL], [HALF], ["stop" as const], [ALL, "stop" as const]].flatMap((before) =>
      [[ALL], [HALF, ALL]].map((after) => [named(before), named(after), before, after] as const),
    ),
  )("the next batch with the same words has one owner for each position: %s, then %s", (_, __, before, after) => {
    const size = 2;
    const reached = new Set<boolean>();
    forEachOutcome(
      () => {
        const { block, row } = open();
        block.assign(ROW, 1, size);
        // Stands for the port: word 0 is the answer to the first batch, word 1 the message of the next one.
        const post = new Int32Array(new SharedArrayBuffer(8));
        const world = { ...unknown(), wasRun: false };
        const thread = (): void => {
          runOneByOne(row, 1, size);
          Atomics.store(post, 0, 1);
          // Not there yet: then this order is about something else.
          if (Atomics.load(post, 1) === 0) return;
          Object.assign(world, runOneByOne(row, 3, size), { wasRun: true });
        };
        const main = (): void => {
          Object.assign(world, { wasRun: false, ran: [], claimed: 0 });
          follow(block, 1, size, before);
          Object.assign(world, { taken: [], count: 0 });
          if (Atomics.load(post, 0) === 0) return;
          block.assign(ROW, 3, size);
          Atomics.store(post, 1, 1);
          Object.assign(world, follow(block, 3, size, after));
        };
        // The main thread is played back first, so that the thread's word on what it has run comes last.
        return { world, actors: [main, thread], memory: [row.words, post] };
      },
      (world, order) => {
        reached.add(world.wasRun);
        if (world.wasRun) expectOneOwnerEach(world, size, order);
      },
    );
    expect(reached).toContain(true);
  });
});

describe("a planted bug is found", () => {
  const planted: readonly (readonly [string, Ways])[] = [
    [
      "a claim that looks at the limit first",
      {
        ...REAL,
        claim: (row, batch, position) => {
          const isMine = position < Atomics.load(row.words, row.limitAt(batch));
          Atomics.store(row.words, row.curAt(batch), position);
          return isMine;
        },
      },
    ],
    [
      "a claim that does not say which",
      { ...REAL, claim: (row, batch, position) => position < Atomics.load(row.words, row.limitAt(batch)) },
    ],
    [
      "a revocation that does not look again",
      {
        ...REAL,
        revoke: (block, batch, keep, least) => {
          const next = block.cur(ROW, batch) + 1;
          const from = block.revoke(ROW, batch, keep, least);
          return keep === 0 && least === 0 ? Math.min(from, next) : from;
        },
      },
    ],
    ["a revocation that looks, and lowers nothing", { ...REAL, revoke: (block, batch) => block.cur(ROW, batch) + 1 }],
  ];

  it.each(planted)("%s", (_, ways) => {
    const count = 2;
    let wrong = 0;
    forEachOutcome(
      () => oneBatch({ count, plan: [ALL], ways }),
      (fate) => {
        if (String(owners(fate)) !== String(upTo(count))) wrong++;
      },
    );
    expect(wrong).toBeGreaterThan(0);
  });
});
