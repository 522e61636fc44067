import { describe, expect, it } from "vitest";
import { manifestOf, scoreFindings } from "../../src/album/manifest.js";
import { planSample } from "../../src/album/plan.js";

describe("the plan of the sample album", () => {
  const plan = planSample();
  const files = plan.plates.flatMap((plate) => plate.files);
  const all = [...files.map(({ path }) => path), ...plan.broken.map(({ path }) => path), ...plan.others];

  it("is the same every time, and another one for another seed", () => {
    expect(planSample()).toEqual(plan);
    expect(planSample({ seed: 1 })).not.toEqual(plan);
  });

  it("has about 240 files, no two of one name, none with a name that Windows refuses", () => {
    expect(all.length).toBeGreaterThan(230);
    expect(all.length).toBeLessThan(255);
    expect(new Set(all.map((path) => path.toLowerCase())).size).toBe(all.length);
    for (const path of all) expect(path).not.toMatch(/[<>:"\\|?*]|[. ]$/);
  });

  it("plants every kind of duplicate and of broken file, and the names that collide when flattened", () => {
    expect(new Set(files.map(({ kind }) => kind))).toEqual(
      new Set(["original", "copy", "reencoded", "resized", "cropped", "rotated"]),
    );
    expect(new Set(plan.broken.map(({ fault }) => fault))).toEqual(
      new Set(["truncated", "empty", "text", "heic", "bmp"]),
    );
    expect(all).toEqual(expect.arrayContaining(["a/b.jpg", "a_b.jpg", "cat.jpg", "cat.png"]));
  });

  it("can be had small, for tests, with every kind still in it", () => {
    const small = planSample({ plates: 20 });
    expect(small.plates).toHaveLength(20);
    const manifest = manifestOf(small);
    expect(manifest.exact.length).toBeGreaterThan(0);
    expect(manifest.near.length).toBeGreaterThan(3);
  });
});

describe("scoreFindings", () => {
  const truth = { version: 1, seed: 1, pictures: 5, exact: [["a", "b"]], near: [["c", "d"]], broken: ["x"] };

  it("counts what was found, and names what was missed or invented", () => {
    expect(scoreFindings(truth, { exact: [["b", "a"]], near: [["d", "c", "e"]], broken: [] })).toEqual({
      exact: { planted: 1, found: 1, missed: [], wrong: [] },
      near: { planted: 1, found: 1, missed: [], wrong: ["c = e", "d = e"] },
      broken: { planted: 1, found: 0, missed: ["x"], wrong: [] },
    });
  });
});
