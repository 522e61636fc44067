import { execFileSync } from "node:child_process";
import { closeSync, openSync, statSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Catalog } from "../../src/catalog/catalog.js";
import {
  brokenOfRun,
  duplicateTotals,
  groupsOfRun,
  photosOfRun,
  publishedRun,
  sizeOfRun,
  sweepRuns,
  sweepSightings,
  vanishedBetween,
  vectorsOfRun,
} from "../../src/catalog/published.js";
import { Comparisons, type AlikeContents } from "../../src/catalog/comparisons.js";
import type { Described } from "../../src/catalog/records.js";
import { RunLog } from "../../src/catalog/run-log.js";
import { tempFolder } from "../helpers/temp-folder.js";
import { containing } from "../helpers/text.js";

const folder = tempFolder();
const open: Catalog[] = [];
afterEach(() => {
  for (const catalog of open.splice(0)) catalog.close();
});

function openCatalog(root = "/album"): Catalog {
  const catalog = Catalog.open(folder.path("index"), root);
  open.push(catalog);
  return catalog;
}
function reopen(): Catalog {
  open.pop()?.close();
  return openCatalog();
}

const HASH = { a: "aa".repeat(32), b: "bb".repeat(32), c: "cc".repeat(32) };
const described: Described = {
  status: "described",
  width: 40,
  height: 30,
  format: "jpeg",
  takenAt: "2024-05-06T07:08:09",
  camera: undefined,
  thumbnail: "thumbs/aa/aa/x.webp",
  vector: { scale: 0.5, bytes: Int8Array.of(1, -2, 3) },
};
const file = (path: string, sizeBytes = 100) => ({ path, sizeBytes, modifiedNs: "1700000000123456789" });

function startRun(catalog: Catalog): { log: RunLog; recipe: number } {
  const recipe = catalog.recipeId("recipe");
  return { log: new RunLog(catalog, recipe, "gabor", "2025-01-01T00:00:00Z"), recipe };
}

describe("the catalog", () => {
  it("knows a finished file by its path, size and time, and its content by the hash, also after a kill", () => {
    const { log, recipe } = startRun(openCatalog());
    log.add({ kind: "finished", file: file("a.jpg"), sha256: HASH.a, description: described });
    log.flush();
    const catalog = reopen();
    expect(publishedRun(catalog)).toBeUndefined();
    const known = { state: "described", fault: undefined, thumbnail: "thumbs/aa/aa/x.webp" };
    expect(catalog.recallFile(recipe, file("a.jpg"))).toMatchObject(known);
    expect(catalog.recallContent(recipe, HASH.a)).toMatchObject(known);
    expect(catalog.recallFile(recipe, file("a.jpg", 101))).toBeUndefined();
    expect(catalog.recallFile(recipe, { ...file("a.jpg"), modifiedNs: "1700000000123456790" })).toBeUndefined();
    expect(catalog.recallContent(recipe, HASH.b)).toBeUndefined();
  });

  it("has no description under another recipe", () => {
    const catalog = openCatalog();
    const { log } = startRun(catalog);
    log.add({ kind: "finished", file: file("a.jpg"), sha256: HASH.a, description: described });
    log.flush();
    expect(catalog.recallContent(catalog.recipeId("another model"), HASH.a)).toMatchObject({ state: "undescribed" });
  });

  it("remembers that a content is broken, and whose word that is", () => {
    const catalog = openCatalog();
    const { log, recipe } = startRun(catalog);
    const description = { status: "broken", code: "IMAGE_CORRUPT", reason: "cut", decoder: "sharp 1" } as const;
    log.add({ kind: "finished", file: file("a.jpg"), sha256: HASH.a, description });
    log.flush();
    expect(catalog.recallFile(recipe, file("a.jpg"))).toMatchObject({ state: "broken", fault: description });
    expect(brokenOfRun(catalog, log.runId)).toEqual([
      { path: "a.jpg", code: "IMAGE_CORRUPT", reason: "cut", remembered: false },
    ]);
    expect(sizeOfRun(catalog, log.runId).photos).toBe(0);
  });

  it("shows nothing of a run before it is published, and all of it after", () => {
    const catalog = openCatalog();
    const first = startRun(catalog).log;
    first.add({ kind: "finished", file: file("a.jpg"), sha256: HASH.a, description: described });
    first.publish("2025-01-01T00:01:00Z");
    const second = startRun(catalog).log;
    second.add({ kind: "finished", file: file("b.jpg"), sha256: HASH.b, description: described });
    second.flush();
    const shown = () =>
      catalog.database
        .prepare<{ path: string }>("SELECT path FROM photos")
        .all([])
        .map(({ path }) => path);
    expect(shown()).toEqual(["a.jpg"]);
    expect(publishedRun(catalog)).toMatchObject({ runId: first.runId, photos: 1, model: "gabor" });
    second.publish("2025-01-01T00:02:00Z");
    expect(shown()).toEqual(["b.jpg"]);
  });

  it("gives back what was stored: photos by path, groups, vectors, totals", () => {
    const catalog = openCatalog();
    const { log } = startRun(catalog);
    log.add({ kind: "finished", file: file("b.jpg"), sha256: HASH.b, description: described });
    log.add({ kind: "finished", file: file("a/b.jpg"), sha256: HASH.a, description: described });
    log.add({ kind: "finished", file: file("a_b.jpg"), sha256: HASH.a, description: described });
    log.flush();
    const photos = [...photosOfRun(catalog, log.runId)];
    expect(photos.map(({ path }) => path)).toEqual(["a/b.jpg", "a_b.jpg", "b.jpg"]);
    expect(photos[0]).toMatchObject({
      sha256: HASH.a,
      sizeBytes: 100,
      width: 40,
      takenAt: "2024-05-06T07:08:09",
      camera: undefined,
    });
    expect(duplicateTotals(catalog, log.runId)).toEqual({ groups: 1, extraFiles: 1, extraBytes: 100 });
    const vectors = [...vectorsOfRun(catalog, log.runId)].flat();
    expect(vectors.map(({ vector }) => [...vector.bytes])).toEqual([
      [1, -2, 3],
      [1, -2, 3],
    ]);
    const group = vectors.map(({ contentId }, i) => ({ contentId, score: 1 - i / 10 }));
    log.addGroups([group]);
    expect(groupsOfRun(catalog, log.runId)).toEqual([group]);
  });

  it("pages through more photos than fit into one answer", () => {
    const catalog = openCatalog();
    const { log } = startRun(catalog);
    for (let i = 0; i < 1203; i++) {
      const sha256 = i.toString(16).padStart(64, "0");
      log.add({ kind: "finished", file: file(`${String(i).padStart(4, "0")}.jpg`), sha256, description: described });
    }
    log.flush();
    expect([...photosOfRun(catalog, log.runId)]).toHaveLength(1203);
    expect([...vectorsOfRun(catalog, log.runId)].flat()).toHaveLength(1203);
  });

  it("counts what vanished: not what was moved, and not what is broken now", () => {
    const catalog = openCatalog();
    const before = startRun(catalog).log;
    for (const [path, sha256] of [
      ["gone.jpg", HASH.a],
      ["moved.jpg", HASH.b],
      ["broken.jpg", HASH.c],
    ] as const) {
      before.add({ kind: "finished", file: file(path), sha256, description: described });
    }
    before.flush();
    const now = startRun(catalog).log;
    now.add({ kind: "finished", file: file("elsewhere.jpg"), sha256: HASH.b, description: described });
    now.add({ kind: "unusable", path: "broken.jpg", code: "FILE_UNREADABLE", reason: "denied" });
    now.flush();
    expect(vanishedBetween(catalog, before.runId, now.runId)).toBe(1);
  });

  it("sweeps the runs that were stopped, and keeps what they found out", () => {
    const catalog = openCatalog();
    const published = startRun(catalog).log;
    published.add({ kind: "finished", file: file("a.jpg"), sha256: HASH.a, description: described });
    published.publish("2025-01-01T00:01:00Z");
    const stopped = startRun(catalog);
    stopped.log.add({ kind: "finished", file: file("b.jpg"), sha256: HASH.b, description: described });
    stopped.log.flush();
    expect([...sweepRuns(catalog)].length).toBeGreaterThan(0);
    expect(sizeOfRun(catalog, stopped.log.runId).photos).toBe(0);
    expect(sizeOfRun(catalog, published.runId).photos).toBe(1);
    expect(catalog.recallFile(stopped.recipe, file("b.jpg"))).toMatchObject({ state: "described" });
    // Once a run is published that does not hold the path, the path is forgotten; the content is not.
    sweepSightings(catalog, published.runId);
    expect(catalog.recallFile(stopped.recipe, file("b.jpg"))).toBeUndefined();
    expect(catalog.recallContent(stopped.recipe, HASH.b)).toMatchObject({ state: "described" });
  });
});

describe("a disk that refuses", () => {
  it("for a moment costs no entry: what a timer could not write waits for the next flush", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const catalog = openCatalog();
      const { log } = startRun(catalog);
      log.add({ kind: "finished", file: file("a.jpg"), sha256: HASH.a, description: described });
      catalog.database.exec("PRAGMA query_only = 1");
      vi.runAllTimers();
      expect(sizeOfRun(catalog, log.runId).photos).toBe(0);
      catalog.database.exec("PRAGMA query_only = 0");
      log.publish("2025-01-01T00:01:00Z");
      expect(sizeOfRun(catalog, log.runId).photos).toBe(1);
    } finally {
      vi.useRealTimers();
    }
  });

  it("is told from a damaged catalog, which alone is to be moved away", () => {
    const catalog = openCatalog();
    const write = () => catalog.recipeId("x".repeat(1_000_000));
    const refusal = (code: string) => expect.objectContaining({ code, message: containing("catalog.sqlite") }) as Error;
    catalog.database.exec("PRAGMA query_only = 1");
    expect(write).toThrow(refusal("INDEX_NOT_WRITABLE"));
    catalog.database.exec("PRAGMA query_only = 0");
    const pages = catalog.database.prepare<{ page_count: number }>("PRAGMA page_count").get([])?.page_count ?? 0;
    catalog.database.exec(`PRAGMA max_page_count = ${pages}`);
    expect(write).toThrow(refusal("INDEX_NOT_WRITABLE"));
  });

  it("while the catalog is closed keeps nothing locked", () => {
    const catalog = openCatalog();
    vi.spyOn(catalog.database, "prepare").mockImplementation(() => {
      throw new Error("database or disk is full");
    });
    catalog.close();
    open.pop();
    expect(() => openCatalog()).not.toThrow();
  });
});

function record(comparisons: Comparisons, ids: number[], pairs: AlikeContents[]): void {
  for (const _step of comparisons.record(ids, pairs));
}
const pairsOf = (comparisons: Comparisons): AlikeContents[] => [...comparisons.pairs()].flat();

describe("comparisons", () => {
  it("are remembered by recipe and threshold, whether or not a run is published", () => {
    const catalog = openCatalog();
    const recipe = catalog.recipeId("recipe");
    record(new Comparisons(catalog, recipe, 0.99), [1, 2, 3], [{ a: 3, b: 1, score: 0.995 }]);
    const again = new Comparisons(reopen(), recipe, 0.99);
    expect(again.compared()).toEqual(new Set([1, 2, 3]));
    expect(pairsOf(again)).toEqual([{ a: 1, b: 3, score: 0.995 }]);
    expect(new Comparisons(open[0]!, recipe, 0.95).compared()).toEqual(new Set());
    expect(new Comparisons(open[0]!, open[0]!.recipeId("other"), 0.99).compared()).toEqual(new Set());
  });

  it("take the same pair again without harm: it is met again when one of the two was not yet certain", () => {
    const catalog = openCatalog();
    const comparisons = new Comparisons(catalog, catalog.recipeId("recipe"), 0.99);
    record(comparisons, [1], [{ a: 1, b: 2, score: 0.991 }]);
    record(comparisons, [2], [{ a: 2, b: 1, score: 0.991 }]);
    expect(pairsOf(comparisons)).toHaveLength(1);
  });

  it("are written and read a page at a time, since of a time lapse each frame is like each other", () => {
    const catalog = openCatalog();
    const comparisons = new Comparisons(catalog, catalog.recipeId("recipe"), 0.99);
    const ids = Array.from({ length: 120 }, (_, i) => i);
    const all = ids.flatMap((a) => ids.slice(a + 1).map((b) => ({ a, b, score: 1 - b / 1000 })));
    const steps = comparisons.record(ids, all);
    steps.next();
    expect(pairsOf(comparisons).length).toBeLessThan(all.length);
    // What is noted as compared has all of its pairs.
    expect(comparisons.compared().size).toBe(0);
    for (const _step of steps);
    expect(comparisons.compared().size).toBe(ids.length);
    expect(Math.max(...[...comparisons.pairs()].map((page) => page.length))).toBeLessThan(all.length);
    expect(pairsOf(comparisons)).toEqual(all);
  });
});

describe("opening a catalog", () => {
  it("is refused to a second run, in this process and in another, until the first is over", () => {
    openCatalog();
    expect(() => openCatalog()).toThrow(expect.objectContaining({ code: "INDEX_BUSY" }));
    const script = `
      const Libsql = require(${JSON.stringify(createRequire(import.meta.url).resolve("libsql"))});
      const other = new Libsql(process.argv[1]);
      try { other.exec("BEGIN IMMEDIATE"); console.log("taken"); } catch (error) { console.log(error.code); }`;
    const said = execFileSync(process.execPath, ["-e", script, folder.path("index/lock.sqlite")], { encoding: "utf8" });
    expect(said.trim()).toBe("SQLITE_BUSY");
    reopen();
  });

  it("is refused for another album", () => {
    openCatalog("/album");
    open.pop()?.close();
    expect(() => openCatalog("/other")).toThrow(
      expect.objectContaining({ code: "INDEX_OF_OTHER_FOLDER", message: containing("/album") }),
    );
    // And nothing is left locked by the refusal.
    openCatalog("/album");
  });

  it("names a file that is no catalog, and leaves it alone", () => {
    folder.write("index/catalog.sqlite", "this is no database\n".repeat(500));
    expect(() => openCatalog()).toThrow(
      expect.objectContaining({ code: "INDEX_DAMAGED", message: containing("catalog.sqlite") }),
    );
  });

  it("names one that is damaged in its middle, when that is met", () => {
    const { log } = startRun(openCatalog());
    for (let i = 0; i < 500; i++) {
      const sha256 = i.toString(16).padStart(64, "0");
      log.add({ kind: "finished", file: file(`${i}.jpg`), sha256, description: described });
    }
    log.publish("2025-01-01T00:01:00Z");
    open.pop()?.close();
    const path = folder.path("index/catalog.sqlite");
    const handle = openSync(path, "r+");
    // The first half holds the schema; what lies behind it is not looked at when the catalog is opened.
    const from = Math.floor(statSync(path).size / 2);
    writeSync(handle, Buffer.alloc(statSync(path).size - from, 0x55), 0, undefined, from);
    closeSync(handle);
    const catalog = openCatalog();
    expect(() => [...photosOfRun(catalog, log.runId)]).toThrow(
      expect.objectContaining({ code: "INDEX_DAMAGED", message: containing("move it away") }),
    );
  });

  it("names a folder that cannot be made", () => {
    folder.write("index", "a file");
    expect(() => openCatalog()).toThrow(expect.objectContaining({ code: "INDEX_NOT_WRITABLE" }));
  });
});
