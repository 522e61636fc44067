import { describe, expect, it } from "vitest";
import type { PublishedPhoto } from "../../src/catalog/records.js";
import { escapeHtml, renderContactSheet, urlOfPath } from "../../src/report/contact-sheet.js";
import { formatBytes, formatDuration, plural, printable } from "../../src/report/format.js";
import {
  photosOfIndexJson,
  renderIndexJson,
  runOfIndexJson,
  type IndexContent,
  type IndexedPhoto,
} from "../../src/report/index-json.js";

function photo(path: string, contentId: number): PublishedPhoto {
  const sha256 = String(contentId).padStart(64, "0");
  return {
    path,
    contentId,
    sha256,
    sizeBytes: 1234,
    width: 40,
    height: 30,
    format: "jpeg",
    takenAt: undefined,
    camera: undefined,
    thumbnail: `thumbs/00/00/${sha256}_256q80.webp`,
  };
}

const EVIL = `</li><script>alert("1")</script> 'x' & #1 100%.jpg`;
const content: IndexContent = {
  runId: 7,
  album: "/photos/<b>",
  model: "gabor",
  finishedAt: "2025-01-01T00:00:00.000Z",
  photos: () => [photo("a/b.jpg", 1), photo("a_b.jpg", 1), photo(EVIL, 2), photo("c.png", 3)],
  labels: new Map([[3, ["red", "dark"]]]),
  groups: [
    [
      { contentId: 3, score: 1 },
      { contentId: 2, score: 0.99512 },
    ],
  ],
  broken: [{ path: "<broken>.jpg", code: "IMAGE_CORRUPT", reason: "cut <short>", remembered: false }],
};

/** The photos of a text that comes in pieces of this size. */
async function readBack(text: string, size: number): Promise<IndexedPhoto[]> {
  const photos: IndexedPhoto[] = [];
  for await (const one of photosOfIndexJson(pieces(text, size))) photos.push(one);
  return photos;
}
async function* pieces(text: string, size: number): AsyncGenerator<string, void, undefined> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

describe("index.json", () => {
  const text = [...renderIndexJson(content)].join("");

  it("is never taken for a whole one where it is cut short, damaged, of another version or something else", async () => {
    const refused = { code: "INDEX_DAMAGED" };
    for (let length = 0; length < text.indexOf('"exactDuplicates"'); length += 10)
      await expect(readBack(text.slice(0, length), 64)).rejects.toMatchObject(refused);
    await expect(readBack(text.replace('"format":1,', '"format":2,'), 64)).rejects.toMatchObject(refused);
    await expect(readBack(text.replace('"sizeBytes":', '"sizeBytes";'), 64)).rejects.toMatchObject(refused);
    await expect(readBack('{"photos":[]}\n', 64)).rejects.toMatchObject(refused);
  });

  it("holds photos, duplicates and broken files", () => {
    const index: unknown = JSON.parse(text);
    expect(index).toMatchObject({
      run: 7,
      photos: [
        { path: "a/b.jpg" },
        { path: "a_b.jpg" },
        { path: EVIL, labels: [] },
        { path: "c.png", labels: ["red", "dark"] },
      ],
      exactDuplicates: [["a/b.jpg", "a_b.jpg"]],
      nearDuplicates: [
        [
          { score: 1, files: ["c.png"] },
          { score: 0.9951, files: [EVIL] },
        ],
      ],
      broken: [{ path: "<broken>.jpg", code: "IMAGE_CORRUPT", reason: "cut <short>" }],
    });
  });

  it("gives its photos back, whatever is in their names and wherever its text is cut, and no broken file", async () => {
    const strange = `line\u2028\u2029\r\n"} ],\n{"path":.jpg`;
    const photos = [...content.photos(), photo(strange, 4)];
    const whole = [...renderIndexJson({ ...content, photos: () => photos })].join("");
    const shown = photos.map(({ contentId, ...rest }) => ({ ...rest, labels: content.labels.get(contentId) ?? [] }));
    for (const size of [1, 7, whole.length]) expect(await readBack(whole, size)).toEqual(shown);
  });

  it("without labels, as it was once written, has photos without labels", async () => {
    const old = text.replaceAll(/,"labels":\[[^\]]*\]/g, "");
    expect(old).not.toContain("labels");
    expect((await readBack(old, 100)).map(({ labels }) => labels)).toEqual([[], [], [], []]);
  });

  it("tells by its first bytes which run it shows", () => {
    expect(runOfIndexJson(text.slice(0, 64))).toBe(7);
    expect(runOfIndexJson("{}")).toBeUndefined();
    expect(runOfIndexJson("")).toBeUndefined();
  });
});

describe("the contact sheet", () => {
  const html = [...renderContactSheet(content)].join("");

  it("shows names as text, whatever is in them", () => {
    expect(html).not.toContain("<script");
    expect(html).not.toContain("<b></h1>");
    expect(html).toContain(escapeHtml(EVIL));
    expect(html).toContain("&lt;broken&gt;.jpg");
  });

  it("marks duplicates and names their files", () => {
    expect(html).toContain("<ul><li>a/b.jpg</li><li>a_b.jpg</li></ul>");
    expect(html.match(/exact duplicate<\/b>/g)).toHaveLength(2);
    expect(html.match(/near duplicate<\/b>/g)).toHaveLength(2);
    expect(html).toContain("likeness 0.995");
  });

  it("needs nothing from elsewhere: thumbnails by relative paths, no script, no link", () => {
    for (const [, url] of html.matchAll(/(?:src|href)="([^"]*)"/g)) expect(url).toMatch(/^thumbs\//);
    expect(html).toContain("script-src 'none'");
  });

  it("makes URLs of paths with signs that mean something in URLs", () => {
    expect(urlOfPath("a b/100% #1?.webp")).toBe("a%20b/100%25%20%231%3F.webp");
  });
});

describe("numbers and names for people", () => {
  it("are short and have their unit", () => {
    expect([formatBytes(0), formatBytes(999), formatBytes(1500), formatBytes(25_000_000)]).toEqual([
      "0 B",
      "999 B",
      "1.5 kB",
      "25 MB",
    ]);
    expect([formatDuration(800), formatDuration(42_000), formatDuration(185_000), formatDuration(7_800_000)]).toEqual([
      "0.8 s",
      "42 s",
      "3 min 05 s",
      "2 h 10 min",
    ]);
    expect([plural(1, "photo"), plural(1200, "photo")]).toEqual(["1 photo", "1,200 photos"]);
  });

  it("cannot steer a terminal", () => {
    expect(printable("a\u001b[2Jb\n\u202ec")).toBe("a\\x1b[2Jb\\x0a\\u202ec");
  });
});
