import { describe, expect, it } from "vitest";
import { createRandom } from "../../src/album/random.js";
import { BlockRows } from "../../src/duplicates/block-rows.js";
import { compareBlock, compareBlocks, type AlikePair } from "../../src/duplicates/compare.js";
import { NearGrouping } from "../../src/duplicates/group.js";
import { packVector, vectorTable } from "../../src/duplicates/vectors.js";

/** Random vectors of length 1. */
function vectors(count: number, dimension: number): Float32Array[] {
  const random = createRandom(5);
  return Array.from({ length: count }, () => {
    const vector = Float32Array.from({ length: dimension }, () => random.between(-1, 1));
    const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
    return vector.map((value) => value / length);
  });
}

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
const noCancel = (): void => {};

describe("packVector", () => {
  it("keeps a vector to within about half a step, and its length, in a quarter of the bytes", () => {
    const [vector] = vectors(1, 1152);
    const { bytes, scale } = packVector(vector!);
    expect(bytes.byteLength).toBe(1152);
    bytes.forEach((byte, i) => expect(Math.abs(byte * scale - vector![i]!)).toBeLessThanOrEqual(scale * 0.6));
    expect(Math.sqrt(bytes.reduce((sum, byte) => sum + (byte * scale) ** 2, 0))).toBeCloseTo(1, 6);
  });

  it("packs a vector of zeros", () => {
    expect(packVector(new Float32Array(4))).toEqual({ scale: 0, bytes: new Int8Array(4) });
  });
});

describe("compareBlock", () => {
  it("finds the very pairs that a plain comparison finds, over all blocks", () => {
    const all = vectors(300, 24);
    const table = vectorTable(all.map(packVector));
    const threshold = 0.5;
    const found = [...compareBlocks(all.length, all.length)].flatMap((block) =>
      compareBlock(table, block, threshold, noCancel),
    );
    const name = ({ a, b }: { a: number; b: number }): string => `${a}-${b}`;
    const names = new Set(found.map(name));
    expect(names.size).toBe(found.length);
    const wrong: string[] = [];
    for (let a = 0; a < all.length; a++) {
      for (let b = a + 1; b < all.length; b++) {
        const score = dot(all[a]!, all[b]!);
        // Packing moves a score a little: only what is clear of the threshold is held against it.
        const isClear = Math.abs(score - threshold) > 0.01;
        if (isClear && names.has(name({ a, b })) !== score > threshold) wrong.push(name({ a, b }));
      }
    }
    expect(wrong).toEqual([]);
    expect(found.length).toBeGreaterThan(100);
  });

  it("compares new rows with each other and with the old ones, and not the old ones among themselves", () => {
    const met = [...compareBlocks(150, 400)].flatMap(({ rowFrom, rowTo, columnFrom, columnTo }) => {
      const pairs: string[] = [];
      for (let a = rowFrom; a < rowTo; a++)
        for (let b = Math.max(a + 1, columnFrom); b < columnTo; b++) pairs.push(`${a}-${b}`);
      return pairs;
    });
    expect(new Set(met).size).toBe(met.length);
    expect(met.length).toBe((150 * 149) / 2 + 150 * 250);
  });

  it("looks at the cancel before each row", () => {
    const table = vectorTable(vectors(10, 8).map(packVector));
    let asked = 0;
    const cancel = (): void => {
      if (++asked === 3) throw new Error("enough");
    };
    expect(() => compareBlock(table, { rowFrom: 0, rowTo: 10, columnFrom: 0, columnTo: 10 }, 0.9, cancel)).toThrow(
      "enough",
    );
    expect(asked).toBe(3);
  });
});

describe("BlockRows", () => {
  it("says beforehand how many blocks there are", () => {
    for (const [rows, count] of [
      [0, 0],
      [1, 1],
      [128, 128],
      [129, 129],
      [10, 1000],
      [300, 1000],
    ] as const) {
      expect(new BlockRows(rows, count).total).toBe([...compareBlocks(rows, count)].length);
    }
  });

  it("calls rows certain when they have met all others, in whatever order the blocks end", () => {
    const blocks = [...compareBlocks(300, 500)];
    const rows = new BlockRows(300, 500);
    const certain: number[] = [];
    const done = new Set<number>();
    for (const block of blocks.map((_, i) => (i * 7) % blocks.length)) {
      done.add(block);
      const pair = { a: blocks[block]!.rowFrom, b: blocks[block]!.columnFrom + 1, score: 1 };
      const found = rows.add(block, [pair]);
      for (let row = found?.from ?? 0; row < (found?.to ?? 0); row++) certain.push(row);
      // Every block that a certain row is part of, as a row or as a column, is done.
      const open = blocks.filter((_, i) => !done.has(i));
      const inOpen = (row: number): boolean =>
        open.some(
          (one) =>
            (row >= one.rowFrom && row < one.rowTo) ||
            (row >= one.columnFrom && row < one.columnTo && one.rowFrom < row),
        );
      expect(certain.filter(inOpen)).toEqual([]);
    }
    expect(certain).toEqual(Array.from({ length: 300 }, (_, i) => i));
  });

  it("hands over every pair once", () => {
    const rows = new BlockRows(200, 300);
    const pairs = Array.from({ length: rows.total }, (_, block) => ({ a: block, b: block + 1, score: 1 }));
    const found = pairs.toReversed().flatMap((pair) => rows.add(pair.a, [pair])?.pairs ?? []);
    expect(found.toSorted((x, y) => x.a - y.a)).toEqual(pairs);
  });
});

describe("vectorTable", () => {
  it("refuses vectors of different lengths, which only different models make", () => {
    expect(() => vectorTable([packVector(new Float32Array(4)), packVector(new Float32Array(5))])).toThrow(RangeError);
  });
});

describe("NearGrouping", () => {
  const groups = (...pairs: readonly AlikePair[]): ReturnType<NearGrouping["groups"]> => {
    const grouping = new NearGrouping();
    for (const pair of pairs) grouping.add(pair);
    return grouping.groups();
  };
  const pair = (a: number, b: number, score = 0.995): AlikePair => ({ a, b, score });

  it("gathers around the best picture, the most alike first", () => {
    expect(groups(pair(0, 1, 0.991), pair(0, 2, 0.999))).toEqual([
      {
        best: 0,
        others: [
          { row: 2, score: 0.999 },
          { row: 1, score: 0.991 },
        ],
      },
    ]);
  });

  it("makes no chain: what is only like a member is no member", () => {
    // 0-1, 1-2, 2-3: connected components would make one group of four.
    expect(
      groups(pair(0, 1), pair(1, 2), pair(2, 3)).map(({ best, others }) => [best, ...others.map(({ row }) => row)]),
    ).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  it("puts every picture into one group at the most, whatever the order of the pairs", () => {
    const pairs = [pair(0, 2), pair(1, 2), pair(0, 3), pair(2, 3), pair(1, 4)];
    const expected = groups(...pairs);
    expect(groups(...pairs.toReversed())).toEqual(expected);
    const rows = expected.flatMap(({ best, others }) => [best, ...others.map(({ row }) => row)]);
    expect(new Set(rows).size).toBe(rows.length);
  });

  it("stays small for a time lapse in which everything is like everything", () => {
    const pairs: AlikePair[] = [];
    for (let a = 0; a < 300; a++) for (let b = a + 1; b < 300; b++) pairs.push(pair(a, b));
    const [group, ...others] = groups(...pairs);
    expect(group?.best).toBe(0);
    expect(group?.others).toHaveLength(299);
    expect(others).toEqual([]);
  });
});
