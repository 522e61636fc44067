import { describe, expect, it } from "vitest";
import { brokenText, summaryText } from "../../src/cli/summary.js";
import { emptyTally } from "../../src/files/walk.js";
import type { RunReport } from "../../src/report/report.js";

const report: RunReport = {
  album: "/photos",
  index: "/index",
  catalog: "/index/catalog.sqlite",
  indexJson: "/index/index.json",
  contactSheet: "/index/contact-sheet.html",
  model: "gabor",
  elapsedMs: 12_345,
  readingMs: 10_000,
  photosPerSecond: 101.2,
  photos: 1200,
  distinctContents: 1100,
  counts: { unchanged: 100, recognised: 88, described: 1012, broken: 2 },
  labels: { computed: 1000, fromCache: 100 },
  passedOver: { ...emptyTally(), otherFiles: 3, links: 1 },
  exactDuplicates: { groups: 4, extraFiles: 5, extraBytes: 5_000_000 },
  nearDuplicates: { groups: 1, extraFiles: 1 },
  broken: [
    { path: "a/half.jpg", code: "IMAGE_CORRUPT", reason: "damaged or cut short", remembered: false },
    { path: "evil\u001b[31m.jpg", code: "NOT_AN_IMAGE", reason: "is not an image", remembered: true },
  ],
};

describe("the summary", () => {
  const text = summaryText(report);

  it("says what was found, how fast, and where it lies", () => {
    for (const part of [
      "1,200 in the index",
      "1,012 read and described",
      "100 unchanged",
      "101 photos a second",
      "4 groups of exact",
      "5 files (5.0 MB)",
      "1 group of near",
      "3 other files, 1 symbolic link",
      "/index/contact-sheet.html",
      "Indexed /photos in 12 s",
    ]) {
      expect(text).toContain(part);
    }
  });

  it("lists broken files by reason and name, and cannot be steered by a name", () => {
    expect(text).toContain("Damaged or cut short (1)\n    a/half.jpg: damaged or cut short\n");
    expect(text).toContain("evil\\x1b[31m.jpg");
    expect(text).toContain("1 known from before");
    expect(text).not.toContain("\u001b");
  });

  it("says nothing about speed when nothing was read, nor about broken files when there are none", () => {
    const idle = summaryText({
      ...report,
      counts: { unchanged: 1200, recognised: 0, described: 0, broken: 0 },
      broken: [],
    });
    expect(idle).not.toContain("Speed");
    expect(idle).toContain("Broken         none");
    expect(brokenText([])).toBe("");
  });
});
