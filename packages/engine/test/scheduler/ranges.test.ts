import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Ranges } from "../../src/scheduler/ranges.js";

/** Indices go in once, in pieces of any order, as batches give them back. */
const pieces = fc
  .tuple(fc.uniqueArray(fc.nat({ max: 60 }), { size: "max", maxLength: 60 }), fc.infiniteStream(fc.nat({ max: 5 })))
  .map(([indices, lengths]) => {
    const list: { start: number; count: number }[] = [];
    const free = new Set(indices);
    for (const start of indices) {
      if (!free.has(start)) continue;
      let count = 0;
      const most = 1 + (lengths.next().value as number);
      while (count < most && free.delete(start + count)) count++;
      list.push({ start, count });
    }
    return { indices: indices.toSorted((a, b) => a - b), list };
  });

describe("ranges that were given back", () => {
  it("hold every index once, and give the lowest first", () => {
    fc.assert(
      fc.property(pieces, fc.integer({ min: 1, max: 7 }), ({ indices, list }, most) => {
        const ranges = new Ranges();
        for (const { start, count } of list) ranges.add(start, count);
        expect(ranges.size).toBe(indices.length);
        const out: number[] = [];
        for (let taken = ranges.take(most); taken !== undefined; taken = ranges.take(most)) {
          expect(taken.count).toBeGreaterThan(0);
          expect(taken.count).toBeLessThanOrEqual(most);
          for (let at = 0; at < taken.count; at++) out.push(taken.start + at);
          expect(ranges.size).toBe(indices.length - out.length);
        }
        expect(out).toEqual(indices);
      }),
    );
  });

  it("are joined where they touch, so that they travel together again", () => {
    fc.assert(
      fc.property(pieces, ({ indices, list }) => {
        const ranges = new Ranges();
        for (const { start, count } of list) ranges.add(start, count);
        const runs = indices.filter((index) => !indices.includes(index - 1)).length;
        let taken = 0;
        while (ranges.take(Infinity) !== undefined) taken++;
        expect(taken).toBe(runs);
      }),
    );
  });

  it("can be taken from and added to in turn", () => {
    const ranges = new Ranges();
    ranges.add(4, 4);
    expect(ranges.take(2)).toEqual({ start: 4, count: 2 });
    ranges.add(2, 2);
    ranges.add(4, 2);
    expect(ranges.take(10)).toEqual({ start: 2, count: 6 });
    expect(ranges.take(1)).toBeUndefined();
  });

  it("are not changed by nothing", () => {
    const ranges = new Ranges();
    ranges.add(3, 0);
    expect([ranges.size, ranges.take(1)]).toEqual([0, undefined]);
  });
});
