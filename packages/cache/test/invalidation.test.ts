import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fingerprint } from "../src/fingerprint.js";
import { invalidate, onInvalidate } from "../src/invalidation.js";
import { ResultCache } from "../src/result-cache.js";

let warnings: (Error & { code?: string })[];
const onWarning = (warning: Error): unknown => warnings.push(warning);

beforeEach(() => {
  warnings = [];
  process.on("warning", onWarning);
});
afterEach(() => {
  process.off("warning", onWarning);
});

describe("invalidate", () => {
  it("as a method lets go of what has the tag in one cache", () => {
    const one = new ResultCache<number>();
    const other = new ResultCache<number>();
    for (const cache of [one, other]) {
      cache.set("a", 1, { tags: ["album", "model"] });
      cache.set("b", 2, { tags: ["model"] });
      cache.set("c", 3);
    }
    expect(one.invalidate("album")).toBe(1);
    expect(one.entries().map(({ key }) => key)).toEqual(["b", "c"]);
    expect(one.stats.invalidations).toBe(1);
    expect(other.stats.entries).toBe(3);
  });

  it("as a function does so in all caches, and spoils what they are loading", async () => {
    const one = new ResultCache<number>();
    const other = new ResultCache<number>();
    const loading = new ResultCache<string>();
    one.set("a", 1, { tags: ["everywhere"] });
    other.set("b", 1, { tags: ["everywhere"] });
    let end: (value: string) => void = () => undefined;
    const asked = loading.fetch("c", () => new Promise((resolve) => (end = resolve)), { tags: ["everywhere"] });
    expect(invalidate("everywhere")).toBe(2);
    end("old");
    await asked;
    expect([one.stats.entries, other.stats.entries, loading.has("c")]).toEqual([0, 0, false]);
  });

  it("refuses what no tag can be", () => {
    expect(() => invalidate(undefined as never)).toThrow("a tag must be a string, not undefined");
  });

  it("no longer reaches a cache that is closed", async () => {
    const cache = new ResultCache<number>();
    cache.set("a", 1, { tags: ["closed"] });
    const told: string[] = [];
    cache.on("invalidate", ({ tag }) => told.push(tag));
    await cache.close();
    expect(invalidate("closed")).toBe(0);
    expect(told).toEqual([]);
  });

  it("changes the generation, by which a value of before is not stored", () => {
    const cache = new ResultCache<number>();
    const { generation } = cache;
    invalidate("whatever it was made of");
    expect(cache.set("a", 1, { generation, tags: ["whatever it was made of"] })).toBe(false);
    expect(cache.set("a", 1, { generation: cache.generation })).toBe(true);
  });
});

describe("onInvalidate", () => {
  it("hears of every tag, from wherever, until it is ended", () => {
    const heard: string[] = [];
    const end = onInvalidate((tag) => heard.push(tag));
    const again = onInvalidate((tag) => heard.push(`again ${tag}`));
    invalidate("one");
    new ResultCache().invalidate("two");
    end();
    end();
    invalidate("three");
    again();
    invalidate("four");
    expect(heard).toEqual(["one", "again one", "two", "again two", "again three"]);
  });

  it("hears of it when the entries are gone", () => {
    const cache = new ResultCache<number>();
    cache.set("a", 1, { tags: ["gone"] });
    const seen: boolean[] = [];
    const end = onInvalidate(() => seen.push(cache.has("a")));
    invalidate("gone");
    end();
    expect(seen).toEqual([false]);
  });

  it("stops nobody when it throws or rejects, and is reported", async () => {
    const heard: string[] = [];
    const ends = [
      onInvalidate(() => {
        throw new Error("thrown by a callback");
      }),
      onInvalidate(() => Promise.reject(new Error("rejected by a callback"))),
      onInvalidate((tag) => heard.push(tag)),
    ];
    invalidate("tag");
    await new Promise((resolve) => setImmediate(resolve));
    for (const end of ends) end();
    expect(heard).toEqual(["tag"]);
    expect(warnings.map(({ code }) => code)).toEqual(["THREADMILL_LISTENER", "THREADMILL_LISTENER"]);
    expect(warnings.map(({ message }) => message).join()).toMatch(/thrown by a callback[^]*rejected by a callback/);
  });

  it("may invalidate in turn, also in a circle", () => {
    const heard: string[] = [];
    const end = onInvalidate((tag) => {
      heard.push(tag);
      invalidate(tag === "one" ? "two" : "one");
    });
    invalidate("one");
    end();
    expect(heard).toEqual(["one", "two"]);
  });

  it("is a function or nothing", () => {
    expect(() => onInvalidate(5 as never)).toThrow(/must be a function/);
  });
});

/** An album: photos in rows, whose places shift when it is indexed again. */
class Album {
  generation = 1;
  rows: string[];

  constructor(rows: string[]) {
    this.rows = rows;
  }

  reindex(rows: string[]): void {
    this.rows = rows;
    this.generation++;
    invalidate("album");
  }
}

describe("an album that is indexed again, so that every row moves", () => {
  const photos = Array.from({ length: 50 }, (_, at) => `photo-${at}`);
  const moved = ["new-photo", ...photos];

  it("never shows a label of the old index for a photo of the new one, though labels are kept by row", async () => {
    const album = new Album(photos);
    const labels = new ResultCache<string>({ maxEntries: 1_000 });
    const ends: (() => void)[] = [];
    /** Reads the row at once, and takes its time over the label. */
    const label = (row: number): Promise<string> =>
      labels.fetch(
        `row ${row}`,
        () => {
          const photo = album.rows[row]!;
          return new Promise((resolve) => ends.push(() => resolve(`label of ${photo}`)));
        },
        { tags: ["album"] },
      );
    // Half of the labels are kept, half are on their way when every row moves.
    const kept = photos.slice(0, 25).map((_, row) => label(row));
    for (const end of ends.splice(0)) end();
    await Promise.all(kept);
    const onTheirWay = photos.slice(25).map((_, at) => label(25 + at));
    album.reindex(moved);
    const shown = moved.map((_, row) => label(row));
    // New ones first, then the old ones, which come late.
    for (const end of ends.splice(0).toReversed()) end();
    expect(await Promise.all(shown)).toEqual(moved.map((photo) => `label of ${photo}`));
    await Promise.all(onTheirWay);
    expect(moved.map((_, row) => labels.peek(`row ${row}`))).toEqual(moved.map((photo) => `label of ${photo}`));
  });

  it("needs no invalidation where labels are kept by content: what moved is a hit, what changed a miss", async () => {
    const labels = new ResultCache<string>({ maxEntries: 1_000 });
    let made = 0;
    const label = (content: string, vocabulary: number): Promise<string> =>
      labels.fetch(fingerprint({ content, vocabulary, model: "clip-1" }), () => {
        made++;
        return `label of ${content} by ${vocabulary}`;
      });
    await Promise.all(photos.map((photo) => label(photo, 1)));
    const shown = await Promise.all(moved.map((photo) => label(photo, 1)));
    expect(shown).toEqual(moved.map((photo) => `label of ${photo} by 1`));
    expect(made).toBe(51);
    expect(await label("photo-0", 2)).toBe("label of photo-0 by 2");
  });
});
