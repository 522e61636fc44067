import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { drawPlate } from "../../src/album/draw-plate.js";
import { noiseTile } from "../../src/album/noise.js";
import type { PlannedFile, Plate } from "../../src/album/plan.js";
import { createRandom } from "../../src/album/random.js";

const noise = noiseTile(1);
const file: PlannedFile = {
  path: "a.jpg",
  kind: "original",
  format: "jpeg",
  quality: 85,
  scale: 1,
  keep: 1,
  orientation: 1,
  takenAt: undefined,
};
const plate = (...files: [PlannedFile, ...PlannedFile[]]): Plate => ({
  seed: 11,
  scene: "sea",
  width: 240,
  height: 160,
  files,
});
const size = async (bytes: Uint8Array): Promise<[number, number]> => {
  const { autoOrient } = await sharp(bytes).metadata();
  return [autoOrient.width, autoOrient.height];
};

describe("drawPlate", () => {
  it("draws the same bytes for the same seed, and others for another", async () => {
    const [first] = await drawPlate(plate(file), noise);
    const [again] = await drawPlate(plate(file), noise);
    const [other] = await drawPlate({ ...plate(file), seed: 12 }, noise);
    expect(again?.bytes).toEqual(first?.bytes);
    expect(other?.bytes).not.toEqual(first?.bytes);
  });

  it("makes the kinds of files that the plan names", async () => {
    const [original, copy, small, cut, turned] = await drawPlate(
      plate(
        file,
        { ...file, kind: "copy" },
        { ...file, kind: "resized", scale: 0.5 },
        { ...file, kind: "cropped", keep: 0.9 },
        { ...file, kind: "rotated", orientation: 6, takenAt: "2024:05:06 07:08:09" },
      ),
      noise,
    );
    expect(copy?.bytes).toEqual(original?.bytes);
    expect(await size(original!.bytes)).toEqual([240, 160]);
    expect(await size(small!.bytes)).toEqual([120, 80]);
    expect(await size(cut!.bytes)).toEqual([216, 144]);
    // Stored on its side, and shown upright.
    const { orientation, width, height, exif } = await sharp(turned!.bytes).metadata();
    expect({ orientation, width, height }).toEqual({ orientation: 6, width: 160, height: 240 });
    expect(exif?.toString("latin1")).toContain("2024:05:06 07:08:09");
    expect(await size(turned!.bytes)).toEqual([240, 160]);
  });
});

describe("createRandom", () => {
  it("repeats for a seed and keeps to its bounds", () => {
    const one = createRandom(3);
    const two = createRandom(3);
    const numbers = Array.from({ length: 1000 }, () => one.next());
    expect(Array.from({ length: 1000 }, () => two.next())).toEqual(numbers);
    expect(numbers.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(numbers.reduce((sum, value) => sum + value, 0) / 1000).toBeCloseTo(0.5, 1);
    const faces = new Set(Array.from({ length: 200 }, () => one.whole(1, 6)));
    expect([...faces].toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe("noiseTile", () => {
  it("repeats without a seam", () => {
    const at = (x: number, y: number): number => noise[(y & 255) * 256 + (x & 255)] ?? 0;
    let inside = 0;
    let seam = 0;
    for (let y = 0; y < 256; y++) {
      inside += Math.abs(at(100, y) - at(101, y));
      seam += Math.abs(at(255, y) - at(256, y));
    }
    expect(seam).toBeLessThan(inside * 2);
  });
});
