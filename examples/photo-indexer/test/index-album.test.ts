/** The whole pipeline in this process, on the built code: threads load compiled task modules. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEngine, type Engine } from "@threadmill/engine";
import sharp from "sharp";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readFindings } from "../dist/album/findings.js";
import { scoreFindings } from "../dist/album/manifest.js";
import { planSample } from "../dist/album/plan.js";
import { ensureSampleAlbum, type SampleAlbum } from "../dist/album/sample-album.js";
import { indexAlbum, type IndexAlbumOptions } from "../dist/index-album.js";
import { TASKS } from "../dist/pipeline/tasks.js";
import type { RunProgress } from "../dist/progress.js";
import type { RunReport } from "../dist/report/report.js";
import { publishedIndex, query } from "./helpers/published-index.js";
import { tempFolder } from "./helpers/temp-folder.js";
import { containing } from "./helpers/text.js";

const folder = tempFolder();
const never = new AbortController().signal;
let engine: Engine;
/** An album of two dozen small pictures, drawn once and copied for each test. */
let drawn = "";
let sample: SampleAlbum;

beforeAll(async () => {
  engine = createEngine({ threads: 2 });
  drawn = join(mkdtempSync(join(tmpdir(), "photo-indexer-album-")), "album");
  const plan = planSample({ plates: 24, scale: 0.4 });
  sample = await ensureSampleAlbum({ engine, folder: drawn, plan, signal: never });
});
afterAll(async () => {
  await engine.close({ deadlineMs: 0 });
  rmSync(join(drawn, ".."), { recursive: true, force: true });
});
beforeEach(() => {
  cpSync(drawn, folder.path("album"), { recursive: true });
});

async function index(options: Partial<IndexAlbumOptions> = {}): Promise<RunReport> {
  return await indexAlbum({
    engine,
    album: folder.path("album"),
    indexFolder: folder.path("index"),
    signal: never,
    ...options,
  });
}

/** Aborts when a progress report says so. */
function abortWhen(when: (progress: RunProgress) => boolean) {
  const controller = new AbortController();
  const reason = new Error("the user has had enough");
  const onProgress = (progress: RunProgress): void => {
    if (when(progress)) controller.abort(reason);
  };
  return { signal: controller.signal, onProgress, reason };
}

describe("a first run", () => {
  it("finds what was planted: copies, near duplicates, broken files, and nothing else", async () => {
    const report = await index();
    const score = scoreFindings(sample.manifest, await readFindings(report.indexJson));
    for (const part of [score.exact, score.near, score.broken])
      expect(part).toMatchObject({ missed: [], wrong: [], found: part.planted });
    expect(report).toMatchObject({ photos: sample.manifest.pictures, passedOver: { otherFiles: 2, hidden: 1 } });
    expect(report.counts.described + report.counts.recognised).toBe(report.photos);
  });

  it("keeps files apart whose names would collide, and one thumbnail for copies", async () => {
    const { indexJson, distinctContents } = await index();
    const { photos } = JSON.parse(readFileSync(indexJson, "utf8")) as { photos: { path: string; thumbnail: string }[] };
    const thumbnailOf = new Map(photos.map(({ path, thumbnail }) => [path, thumbnail]));
    expect(thumbnailOf.get("a/b.jpg")).not.toBe(thumbnailOf.get("a_b.jpg"));
    expect(thumbnailOf.get("cat.jpg")).not.toBe(thumbnailOf.get("cat.png"));
    expect(new Set(thumbnailOf.values()).size).toBe(distinctContents);
    for (const thumbnail of thumbnailOf.values()) expect(existsSync(folder.path(`index/${thumbnail}`))).toBe(true);
  });

  it("does not index its own index, should that lie in the album", async () => {
    const options = { indexFolder: folder.path("album/index") };
    const { photos } = await index(options);
    expect((await index(options)).photos).toBe(photos);
  });

  it("nor if it lies there by way of a symbolic link", async () => {
    symlinkSync(folder.path("album"), folder.path("link"));
    const options = { album: folder.path("link"), indexFolder: folder.path("link/index") };
    const { photos } = await index(options);
    expect((await index(options)).photos).toBe(photos);
  });
});

describe("a second run", () => {
  it("opens nothing when nothing has changed", async () => {
    const first = await index();
    const second = await index();
    expect(second.counts).toEqual({
      unchanged: first.photos,
      recognised: 0,
      described: 0,
      broken: first.counts.broken,
    });
    expect(second).toMatchObject({
      photos: first.photos,
      exactDuplicates: first.exactDuplicates,
      nearDuplicates: first.nearDuplicates,
    });
    // Empty files are known to be broken by their stat alone; the others are remembered.
    expect(second.broken.filter(({ code, remembered }) => code !== "FILE_EMPTY" && !remembered)).toEqual([]);
  });

  it("hashes a touched file again, and recognises a moved one, without describing either", async () => {
    const first = await index();
    utimesSync(folder.path("album/cat.jpg"), 1, 1);
    renameSync(folder.path("album/cat.png"), folder.path("album/moved.png"));
    const { counts, photos } = await index();
    expect(counts).toMatchObject({ unchanged: first.photos - 2, recognised: 2, described: 0 });
    expect(photos).toBe(first.photos);
  });

  it("takes in new contents under an old name, and drops what is gone", async () => {
    const first = await index();
    rmSync(folder.path("album/cat.png"));
    renameSync(folder.path("album/a_b.jpg"), folder.path("album/cat.jpg"));
    expect(await index()).toMatchObject({ photos: first.photos - 2, counts: { described: 0, recognised: 1 } });
  });

  it("shows the same as a first one over the same photos, also where two are equally good", async () => {
    const pixels = await sharp(folder.path("album/cat.jpg")).resize(64, 64).raw().toBuffer();
    rmSync(folder.path("album"), { recursive: true });
    const files = [0, 1, 2, 3].map((last) => ({
      name: `${last}.tif`,
      pixels: Buffer.concat([pixels.subarray(1), Buffer.of(last)]),
    }));
    const shown: unknown[] = [];
    for (const [at, order] of [files, files.toReversed()].entries()) {
      const indexFolder = folder.path(`index${at}`);
      rmSync(folder.path("album"), { recursive: true, force: true });
      for (const file of order) {
        const raw = { width: 64, height: 64, channels: 3 } as const;
        folder.write(`album/${file.name}`, await sharp(file.pixels, { raw }).tiff({ compression: "none" }).toBuffer());
        await index({ indexFolder });
      }
      shown.push(readFileSync(join(indexFolder, "index.json"), "utf8").split("\n").slice(1));
    }
    expect(shown[0]).toContainEqual(containing('"score":1'));
    expect(shown[1]).toEqual(shown[0]);
  });

  it("finds near duplicates of new photos among old ones, which were compared before", async () => {
    const group = sample.manifest.near[0]!;
    renameSync(folder.path(`album/${group[1]!}`), folder.path("late.jpg"));
    const first = await index();
    renameSync(folder.path("late.jpg"), folder.path("album/late.jpg"));
    const second = await index();
    expect(second.nearDuplicates).toEqual({
      groups: first.nearDuplicates.groups + 1,
      extraFiles: first.nearDuplicates.extraFiles + 1,
    });
    const { near } = await readFindings(second.indexJson);
    expect(near).toContainEqual(expect.arrayContaining([group[0], "late.jpg"]));
  });

  it("tries broken files again only when asked to", async () => {
    const { counts } = await index();
    const again = await index({ retryFailed: true });
    expect(again.counts.broken).toBe(counts.broken);
    expect(again.broken.some(({ remembered }) => remembered)).toBe(false);
  });

  it("forgets what is gone, thumbnail and all, and keeps what was moved or has a copy", async () => {
    await index();
    const thumbnailOf = (path: string): string => {
      const { photos } = JSON.parse(readFileSync(folder.path("index/index.json"), "utf8")) as {
        photos: { path: string; thumbnail: string }[];
      };
      return folder.path(`index/${photos.find((photo) => photo.path === path)!.thumbnail}`);
    };
    const rowsOf = (table: string, column: string) =>
      query<{ id: number }>(folder.path("index"), `SELECT DISTINCT ${column} AS id FROM ${table} ORDER BY 1`);
    const [copied] = sample.manifest.exact[0]!;
    const before = { cat: thumbnailOf("cat.jpg"), moved: thumbnailOf("cat.png"), copied: thumbnailOf(copied!) };
    rmSync(folder.path("album/cat.jpg"));
    rmSync(folder.path(`album/${copied!}`));
    renameSync(folder.path("album/cat.png"), folder.path("album/moved.png"));
    const second = await index();
    expect(existsSync(before.cat)).toBe(false);
    expect([before.moved, before.copied].map((path) => existsSync(path))).toEqual([true, true]);
    const held = rowsOf("sightings", "content_id");
    expect(rowsOf("contents", "id")).toEqual(held);
    expect(rowsOf("descriptions", "content_id")).toEqual(held);
    for (const [table, column] of [
      ["compared", "content_id"],
      ["alike", "a"],
      ["alike", "b"],
    ] as const)
      for (const row of rowsOf(table, column)) expect(held).toContainEqual(row);
    cpSync(join(drawn, "cat.jpg"), folder.path("album/cat.jpg"));
    expect(await index()).toMatchObject({ photos: second.photos + 1, counts: { described: 1 } });
    expect(existsSync(before.cat)).toBe(true);
  });

  it("makes thumbnails again that somebody has deleted, or a power cut has left empty", async () => {
    const first = await index();
    const thumbnails = readdirSync(folder.path("index/thumbs"), { recursive: true, encoding: "utf8" });
    const emptied = thumbnails.find((name) => name.endsWith(".webp"));
    folder.write(`index/thumbs/${emptied!}`, "");
    expect((await index()).counts.described).toBe(1);
    rmSync(folder.path("index/thumbs"), { recursive: true });
    const { counts, indexJson } = await index();
    expect(counts.described).toBe(first.distinctContents);
    const { photos } = JSON.parse(readFileSync(indexJson, "utf8")) as { photos: { thumbnail: string }[] };
    for (const { thumbnail } of photos) expect(existsSync(folder.path(`index/${thumbnail}`))).toBe(true);
  });

  it("makes index.json and the contact sheet again if they are missing or of another run", async () => {
    await index();
    rmSync(folder.path("index/contact-sheet.html"));
    folder.write("index/index.json", '{"run":99999,');
    const { signal, onProgress, reason } = abortWhen(() => true);
    await expect(index({ signal, onProgress })).rejects.toBe(reason);
    expect(JSON.parse(readFileSync(folder.path("index/index.json"), "utf8"))).toHaveProperty("photos");
    expect(existsSync(folder.path("index/contact-sheet.html"))).toBe(true);
  });
});

describe("a file that changes while it is read", () => {
  /** The engine, but for one task, before whose every item `meddle` is told its path. */
  function meddling(url: string, meddle: (path: string) => void): Engine {
    async function* meddledWith(items: AsyncIterable<string | { path: string }>) {
      for await (const item of items) {
        meddle(typeof item === "string" ? item : item.path);
        yield item;
      }
    }
    const run = (task: { url: string }, items: AsyncIterable<string>, options: object) =>
      engine.run(task as never, (task.url === url ? meddledWith(items) : items) as never, options as never);
    return { run, warm: engine.warm.bind(engine) } as unknown as Engine;
  }
  const stages = [
    ["its hash and its decode", TASKS.thumbnail.url],
    ["its decode and its EXIF", TASKS.imageInfo.url],
  ] as const;

  for (const [name, url] of stages) {
    it(`between ${name} is left to the next run, and its old content keeps its good name`, async () => {
      const old = readFileSync(folder.path("album/cat.jpg"));
      rmSync(folder.path("album"), { recursive: true });
      folder.write("album/cat.jpg", old);
      folder.write("album/other.png", readFileSync(join(drawn, "cat.png")));
      const meddled = meddling(url, (path) => {
        if (path.endsWith("cat.jpg")) folder.write("album/cat.jpg", old.subarray(0, 1000));
      });
      expect(await index({ engine: meddled })).toMatchObject({
        photos: 1,
        broken: [{ path: "cat.jpg", code: "FILE_CHANGED" }],
      });
      folder.write("album/again.jpg", old);
      expect(await index()).toMatchObject({ photos: 2, broken: [{ path: "cat.jpg", code: "IMAGE_CORRUPT" }] });
    });
  }

  it("or goes does not take its copies along", async () => {
    const old = readFileSync(folder.path("album/cat.jpg"));
    rmSync(folder.path("album"), { recursive: true });
    const copies = ["a.jpg", "b.jpg", "c.jpg", "d.jpg"];
    for (const copy of copies) folder.write(`album/${copy}`, old);
    let meddledWith = 0;
    const meddled = meddling(TASKS.thumbnail.url, (path) => {
      if (meddledWith++ < 2) rmSync(path);
    });
    const report = await index({ engine: meddled });
    expect(report).toMatchObject({
      photos: 2,
      distinctContents: 1,
      counts: { described: 1, recognised: 1, broken: 2 },
    });
    expect(report.broken.map(({ code }) => code)).toEqual(["FILE_UNREADABLE", "FILE_UNREADABLE"]);
  });
});

describe("a cancelled run", () => {
  const stages: [string, (progress: RunProgress) => boolean][] = [
    ["before the first photo", ({ stage }) => stage === "reading"],
    ["among the photos", ({ stage, done }) => stage === "reading" && done > 8],
    ["while it compares", ({ stage }) => stage === "comparing"],
    ["while it labels", ({ stage }) => stage === "labelling"],
    ["while it publishes", ({ stage }) => stage === "publishing"],
  ];
  for (const [name, when] of stages) {
    it(`${name} rejects with the signal's reason and leaves the published index as it was`, async () => {
      folder.write("before/photo.jpg", readFileSync(folder.path("album/cat.jpg")));
      renameSync(folder.path("album"), folder.path("all"));
      renameSync(folder.path("before"), folder.path("album"));
      await index();
      const published = publishedIndex(folder.path("index"));
      rmSync(folder.path("album"), { recursive: true });
      renameSync(folder.path("all"), folder.path("album"));
      const { signal, onProgress, reason } = abortWhen(when);
      await expect(index({ signal, onProgress })).rejects.toBe(reason);
      expect(publishedIndex(folder.path("index"))).toEqual(published);
      expect(readdirSync(folder.path("index")).filter((file) => file.endsWith(".tmp"))).toEqual([]);
      expect(engine.stats()).toMatchObject({ threadsLost: 0, threadsStuck: 0 });
    });
  }

  it("has kept what it had finished, so that the next one only does the rest", async () => {
    let finished = 0;
    const { signal, onProgress, reason } = abortWhen(({ stage, done, broken }) => {
      if (stage === "reading") finished = Math.max(finished, done - broken);
      return finished > 8;
    });
    await expect(index({ signal, onProgress })).rejects.toBe(reason);
    const { counts, photos } = await index();
    expect(counts.unchanged).toBeGreaterThanOrEqual(finished);
    expect(counts.unchanged + counts.recognised + counts.described).toBe(photos);
  });

  it("does not wait for a model that takes long to open", async () => {
    const controller = new AbortController();
    const reason = new Error("the user has had enough");
    const opening = {
      warm: () => {
        queueMicrotask(() => controller.abort(reason));
        return new Promise(() => {});
      },
    } as unknown as Engine;
    await expect(index({ engine: opening, signal: controller.signal })).rejects.toBe(reason);
  });

  it("does nothing at all if its signal was aborted before", async () => {
    const reason = new Error("too late");
    await expect(index({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(existsSync(folder.path("index"))).toBe(false);
  });
});

describe("bad input", () => {
  it("is refused by name before anything is created", async () => {
    await expect(index({ album: folder.path("nowhere") })).rejects.toMatchObject({ code: "FOLDER_NOT_FOUND" });
    folder.write("texts/a.txt", "x");
    await expect(index({ album: folder.path("texts") })).rejects.toMatchObject({ code: "FOLDER_WITHOUT_PHOTOS" });
    expect(existsSync(folder.path("index"))).toBe(false);
  });

  it("is told from an index that cannot be written, before and behind the jobs", async () => {
    folder.write("index/thumbs", "a file where a folder has to be");
    await expect(index()).rejects.toMatchObject({ code: "INDEX_NOT_WRITABLE", message: containing("thumbs") });
    rmSync(folder.path("index/thumbs"));
    mkdirSync(folder.path("index/contact-sheet.html.tmp"), { recursive: true });
    await expect(index()).rejects.toMatchObject({ code: "INDEX_NOT_WRITABLE", message: containing("contact-sheet") });
  });

  it("with broken files only ends with their report, and leaves the published index as it was", async () => {
    await index();
    const published = publishedIndex(folder.path("index"));
    rmSync(folder.path("album"), { recursive: true });
    folder.write("album/a.jpg", "no photo");
    folder.write("album/b.jpg", "");
    const refused = index({ acceptVanished: true });
    await expect(refused).rejects.toMatchObject({
      code: "NOTHING_READABLE",
      broken: [{ path: "a.jpg" }, { path: "b.jpg" }],
    });
    expect(publishedIndex(folder.path("index"))).toEqual(published);
  });

  it("that would empty the index is refused until it is confirmed", async () => {
    await index();
    const copy = readFileSync(folder.path("album/cat.jpg"));
    for (let i = 0; i < 60; i++) folder.write(`album/more/${i}.jpg`, Buffer.concat([copy, Buffer.from(`${i}`)]));
    const { photos } = await index();
    const published = publishedIndex(folder.path("index"));
    rmSync(folder.path("album/more"), { recursive: true });
    await expect(index()).rejects.toMatchObject({
      code: "MANY_PHOTOS_VANISHED",
      message: containing("60 of"),
    });
    expect(publishedIndex(folder.path("index"))).toEqual(published);
    expect((await index({ acceptVanished: true })).photos).toBe(photos - 60);
  });
});
