/** What is known of a photo is known by its content: what a second run computes, and what readers see while it runs. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createEngine, type Engine } from "@threadmill/engine";
import sharp from "sharp";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { indexAlbum, type IndexAlbumOptions } from "../dist/index-album.js";
import { VOCABULARY } from "../dist/labels/vocabulary.js";
import { defaultModel } from "../dist/model/model.js";
import type { RunReport } from "../dist/report/report.js";
import { PhotoLibrary } from "../dist/search/photo-library.js";
import { tempFolder } from "./helpers/temp-folder.js";

const folder = tempFolder();
const COLOURS = {
  red: "#c81e1e",
  orange: "#e67814",
  yellow: "#dcc81e",
  green: "#28a032",
  blue: "#283cc8",
  violet: "#8228c8",
  pink: "#dc3caa",
} as const;
type Colour = keyof typeof COLOURS;
const FIRST: readonly Colour[] = ["red", "green", "blue", "yellow"];

let engine: Engine;
/** A photo of each colour. */
const photos = {} as Record<Colour, Buffer>;

beforeAll(async () => {
  engine = createEngine({ threads: 2 });
  for (const [name, background] of Object.entries(COLOURS)) {
    const image = sharp({ create: { width: 48, height: 32, channels: 3, background } });
    photos[name as Colour] = await image.jpeg().toBuffer();
  }
});
afterAll(() => engine.close({ deadlineMs: 0 }));
beforeEach(() => {
  FIRST.forEach((colour, row) => put(row, colour));
  folder.write("album/broken.jpg", "no photo");
});

/** Row 0 is `0.jpg`. */
function put(row: number, colour: Colour): void {
  folder.write(`album/${row}.jpg`, photos[colour]);
}

/** A run, and how many items each task was given by it. */
async function index(
  options: Partial<IndexAlbumOptions> = {},
): Promise<RunReport & { readonly work: Readonly<Record<string, number>> }> {
  const work: Record<string, number> = {};
  const count = ({ task, items }: { readonly task: string; readonly items: number }): void => {
    if (items > 0) work[task] = (work[task] ?? 0) + items;
  };
  engine.on("batch", count);
  try {
    const signal = new AbortController().signal;
    const places = { album: folder.path("album"), indexFolder: folder.path("index") };
    return { ...(await indexAlbum({ engine, ...places, signal, ...options })), work };
  } finally {
    engine.off("batch", count);
  }
}

/** The labels by row. */
async function published(): Promise<Record<string, readonly string[]>> {
  const library = new PhotoLibrary(folder.path("index"));
  await library.reload();
  return shown(library);
}
function shown(library: PhotoLibrary): Record<string, readonly string[]> {
  return Object.fromEntries([...(library.photos ?? [])].map(([path, { labels }]) => [path, labels]));
}

describe("a first run", () => {
  it("computes everything once", async () => {
    const { work, labels } = await index();
    expect(work).toEqual({ contentHash: 5, thumbnail: 5, imageInfo: 4, embed: 4, compareVectors: 1, labelPhoto: 4 });
    expect(labels).toEqual({ computed: 4, fromCache: 0 });
  });
});

describe("a second run", () => {
  beforeEach(async () => {
    await index();
  });

  it("gives no thread anything to do if nothing has changed", async () => {
    expect(await index()).toMatchObject({ work: {}, labels: { computed: 0, fromCache: 4 } });
  });

  it("hashes photos that were renamed, and computes nothing", async () => {
    FIRST.forEach((_, row) => renameSync(folder.path(`album/${row}.jpg`), folder.path(`album/moved ${row}.jpg`)));
    const { work, counts } = await index({ acceptVanished: true });
    expect({ work, counts }).toMatchObject({ work: { contentHash: 4 }, counts: { recognised: 4, described: 0 } });
    expect(Object.keys(work)).toEqual(["contentHash"]);
    expect((await published())["moved 0.jpg"]).toEqual(["red"]);
  });

  it("computes the one photo that was changed", async () => {
    put(2, "orange");
    const { work } = await index();
    expect(work).toMatchObject({ contentHash: 1, thumbnail: 1, imageInfo: 1, embed: 1, labelPhoto: 1 });
    expect((await published())["2.jpg"]).toEqual(["orange"]);
  });

  it("describes all photos anew for another model, whose labels are still good", async () => {
    const { work, labels } = await index({ model: { ...defaultModel(), key: "another model" } });
    expect(work).toMatchObject({ thumbnail: 5, embed: 4 });
    expect(labels).toEqual({ computed: 0, fromCache: 4 });
  });

  it("labels all photos anew with another vocabulary, and nothing else; the first one is still known", async () => {
    const vocabulary = [{ word: "reddish", hue: [330, 30], leastShare: 0.5 } as const];
    const { work } = await index({ vocabulary });
    expect(work).toEqual({ labelPhoto: 4 });
    expect(await published()).toEqual({ "0.jpg": ["reddish"], "1.jpg": [], "2.jpg": [], "3.jpg": [] });
    expect((await index({ vocabulary: VOCABULARY })).work).toEqual({});
  });

  it("makes labels again if their file was deleted, and looks at nothing else", async () => {
    rmSync(folder.path("index/labels.cache"));
    expect((await index()).work).toEqual({ labelPhoto: 4 });
  });
});

describe("an index that is made anew", () => {
  it("of which every row moves shows no label of the old one for a new photo, and readers one of the two, whole", async () => {
    await index();
    const library = new PhotoLibrary(folder.path("index"));
    await library.reload();
    const before = { "0.jpg": ["red"], "1.jpg": ["green"], "2.jpg": ["blue"], "3.jpg": ["yellow"] };
    const after = { "0.jpg": ["pink"], "1.jpg": ["red"], "2.jpg": ["violet"], "3.jpg": ["blue"], "4.jpg": ["green"] };
    expect(shown(library)).toEqual(before);

    (["pink", "red", "violet", "blue", "green"] as const).forEach((colour, row) => put(row, colour));
    const seen: unknown[] = [];
    const report = await index({ onProgress: () => seen.push(shown(library)) });
    expect(report.labels).toEqual({ computed: 2, fromCache: 3 });
    expect(seen).not.toEqual([]);
    for (const one of seen) expect(one).toEqual(before);

    const reloading = library.reload();
    expect(shown(library)).toEqual(before);
    await reloading;
    expect(shown(library)).toEqual(after);
    expect(library.search(["RED"]).map(({ path }) => path)).toEqual(["1.jpg"]);
    expect(library.search(["yellow"])).toEqual([]);
    expect(library.search(["red", "1.JPG"])).toHaveLength(1);
    expect(library.search(["red", "2.jpg"])).toEqual([]);
  });

  it("says so where there is none yet", async () => {
    const library = new PhotoLibrary(folder.path("index"));
    await expect(library.reload()).rejects.toMatchObject({ code: "INDEX_MISSING" });
    expect(library.photos).toBeUndefined();
    expect(library.search(["red"])).toEqual([]);
  });
});

describe("the file of the labels", () => {
  it("is set aside if it is damaged, with a warning, and the run succeeds", async () => {
    await index();
    const before = await published();
    writeFileSync(folder.path("index/labels.cache"), "no cache at all");
    const warnings: Error[] = [];
    const report = await index({ onWarning: (warning) => warnings.push(warning) });
    expect(report.labels).toEqual({ computed: 4, fromCache: 0 });
    expect(warnings).toMatchObject([{ code: "CACHE_FILE_DAMAGED" }]);
    expect(readdirSync(folder.path("index")).filter((name) => name.startsWith("labels.cache.damaged"))).toHaveLength(1);
    expect(await published()).toEqual(before);
    expect((await index()).work).toEqual({});
  });

  it("that cannot be used at all costs the labels of the next run, with a warning, and not this one", async () => {
    mkdirSync(folder.path("index/labels.cache"), { recursive: true });
    const warnings: Error[] = [];
    const report = await index({ onWarning: (warning) => warnings.push(warning) });
    expect(report.labels).toEqual({ computed: 4, fromCache: 0 });
    expect(warnings).toMatchObject([{ code: "CACHE_FILE_UNUSABLE" }]);
    expect((await published())["0.jpg"]).toEqual(["red"]);
  });

  it("keeps to the limits it is given", async () => {
    await index({ cache: { maxEntries: 3 } });
    expect((await index({ cache: { maxEntries: 3 } })).labels.computed).toBeGreaterThan(0);
    expect(Object.keys(await published())).toHaveLength(4);
  });

  it("is not made where the cache is disabled: all is labelled each time", async () => {
    for (let run = 0; run < 2; run++) {
      expect((await index({ cache: { enabled: false } })).labels).toEqual({ computed: 4, fromCache: 0 });
    }
    expect(existsSync(folder.path("index/labels.cache"))).toBe(false);
  });
});
