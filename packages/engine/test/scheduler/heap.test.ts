import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Heap } from "../../src/scheduler/heap.js";

interface Member {
  rank: number;
  readonly order: number;
}

/** Ties are broken, so that there is one right answer. */
const isBefore = (a: Member, b: Member): boolean => a.rank < b.rank || (a.rank === b.rank && a.order < b.order);

type Command = { readonly type: "put" | "remove"; readonly which: number; readonly rank: number };

const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.record({
    type: fc.constantFrom("put" as const, "put" as const, "remove" as const),
    which: fc.nat({ max: 12 }),
    rank: fc.nat({ max: 8 }),
  }),
  { size: "large" },
);

describe("a heap", () => {
  it("knows its first, its size and its members, whatever was put in, moved and removed", () => {
    fc.assert(
      fc.property(commands, (list) => {
        const heap = new Heap<Member>(isBefore);
        const members = Array.from({ length: 13 }, (_, order) => ({ rank: 0, order }));
        const model = new Set<Member>();
        for (const { type, which, rank } of list) {
          const member = members[which]!;
          if (type === "put") {
            // As the scheduler does: what a member is ordered by changes, then it is put to its new place.
            member.rank = rank;
            heap.put(member);
            model.add(member);
          } else {
            heap.remove(member);
            model.delete(member);
          }
          const sorted = [...model].toSorted((a, b) => a.rank - b.rank || a.order - b.order);
          expect(heap.first).toBe(sorted[0]);
          expect(heap.size).toBe(model.size);
          expect(members.map((one) => heap.has(one))).toEqual(members.map((one) => model.has(one)));
        }
      }),
    );
  });

  it("gives its members in their order", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 50 })), (ranks) => {
        const heap = new Heap<Member>(isBefore);
        for (const [order, rank] of ranks.entries()) heap.put({ rank, order });
        const out: number[] = [];
        for (let first = heap.first; first !== undefined; first = heap.first) {
          out.push(first.rank);
          heap.remove(first);
        }
        expect(out).toEqual(ranks.toSorted((a, b) => a - b));
      }),
    );
  });
});
