import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { realDisk } from "../../src/persistence/disk.js";
import { MAX_SET_ASIDE, setAside } from "../../src/persistence/set-aside.js";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "aside-"));
  file = join(folder, "labels.cache");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What a cache file begins with. */
const OURS = "threadmill-cache, and then something that is damaged";

function names(): string[] {
  return readdirSync(folder).toSorted();
}

function put(name: string, content = OURS): string {
  writeFileSync(join(folder, name), content);
  return name;
}

async function moveAside(content = OURS, kind: "damaged" | "newer" = "damaged"): Promise<string> {
  writeFileSync(file, content);
  return (await setAside(realDisk, file, kind)).slice(folder.length + 1);
}

describe("files that were set aside", () => {
  it("are kept, the newest few of them", async () => {
    const moved: string[] = [];
    for (let at = 0; at < MAX_SET_ASIDE + 3; at++) {
      const name = await moveAside(`${OURS} ${at}`);
      expect(readFileSync(join(folder, name), "utf8")).toBe(`${OURS} ${at}`);
      expect(name).toMatch(/^labels\.cache\.damaged-\d{8}T\d{9}Z(-\d+)?$/);
      moved.push(name);
    }
    expect(names()).toHaveLength(MAX_SET_ASIDE);
    expect(names()).toContain(moved.at(-1));
  });

  it("go by their times, the oldest first, and the one that was just moved stays whatever the clock says", async () => {
    for (const year of [2097, 2099, 2096, 2098, 2095]) put(`labels.cache.damaged-${year}0101T000000000Z`);
    const newest = await moveAside();
    expect(names()).toEqual(
      [newest, "labels.cache.damaged-20980101T000000000Z", "labels.cache.damaged-20990101T000000000Z"].toSorted(),
    );
  });

  it("are counted by kind, and by file", async () => {
    const others = [1, 2, 3, 4].flatMap((day) => [
      put(`labels.cache.newer-2020010${day}T000000000Z`),
      put(`other-labels.cache.damaged-2020010${day}T000000000Z`),
      put(`labels.cache2.damaged-2020010${day}T000000000Z`),
    ]);
    const moved = await moveAside();
    expect(names()).toEqual([...others, moved].toSorted());
  });

  it("are never mistaken: what has another name, is no file, or was never a cache stays", async () => {
    const stay = [
      "labels.cache.damaged-",
      "labels.cache.damaged-notes.txt",
      "labels.cache.damaged-20200101",
      "labels.cache.damaged-20200101T000000000Z.bak",
      "labels.cache.damaged-20200101T000000000Z-x",
      "labels.cache.damaged-2020-01-01T00:00:00.000Z",
      "xlabels.cache.damaged-20200101T000000000Z",
      "labels.cache",
    ].map((name) => put(name));
    stay.push(put("labels.cache.damaged-20200101T000000000Z", "a diary, not a cache"));
    mkdirSync(join(folder, "labels.cache.damaged-20200102T000000000Z"));
    stay.push("labels.cache.damaged-20200102T000000000Z");
    for (const day of [3, 4, 5, 6]) put(`labels.cache.damaged-2020010${day}T000000000Z`, day === 3 ? "" : OURS);
    const moved = await moveAside();
    const kept = [5, 6].map((day) => `labels.cache.damaged-2020010${day}T000000000Z`);
    expect(names()).toEqual([...stay.filter((name) => name !== "labels.cache"), ...kept, moved].toSorted());
  });

  it("are moved even where nothing can be cleaned up", async () => {
    const disk = { ...realDisk, readdir: () => Promise.reject(new Error("no")) } as unknown as typeof realDisk;
    writeFileSync(file, OURS);
    await setAside(disk, file, "damaged");
    expect(names()).toHaveLength(1);
  });
});
