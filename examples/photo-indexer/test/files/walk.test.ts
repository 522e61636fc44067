import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { countPhotos, emptyTally, holdsPhotos, walk, type Found, type WalkOptions } from "../../src/files/walk.js";
import { tempFolder } from "../helpers/temp-folder.js";
import { containing, matching } from "../helpers/text.js";

const folder = tempFolder();
const signal = new AbortController().signal;

async function found(options: Partial<WalkOptions> = {}): Promise<Found[]> {
  const all: Found[] = [];
  for await (const one of walk(folder.path(), { signal, ...options })) all.push(one);
  return all.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}
const paths = async (options?: Partial<WalkOptions>): Promise<string[]> =>
  (await found(options)).map(({ path }) => path);

describe("walk", () => {
  it("finds photos in all folders, by suffix in any case, with their size and time", async () => {
    folder.write("a.jpg", "12345");
    folder.write("deep/er/B.JPEG", "x");
    folder.write("deep/c.webp", "x");
    expect(await paths()).toEqual(["a.jpg", "deep/c.webp", "deep/er/B.JPEG"]);
    expect((await found())[0]).toMatchObject({
      kind: "photo",
      sizeBytes: 5,
      modifiedNs: matching(/^\d{18,}$/),
    });
  });

  it("passes over other files and hidden ones, and counts them", async () => {
    folder.write("a.jpg", "x");
    folder.write("notes.txt", "x");
    folder.write(".hidden.jpg", "x");
    folder.write(".cache/b.jpg", "x");
    const tally = emptyTally();
    expect(await paths({ tally })).toEqual(["a.jpg"]);
    expect(tally).toEqual({ folders: 1, hidden: 2, links: 0, special: 0, otherFiles: 1 });
  });

  it("follows no symbolic link: neither to a file, nor to a folder, nor round in a circle", async () => {
    folder.write("real/a.jpg", "x");
    symlinkSync(folder.path("real/a.jpg"), folder.path("b.jpg"));
    symlinkSync(folder.path("real"), folder.path("again"));
    symlinkSync(folder.path(), folder.path("real/circle"));
    const tally = emptyTally();
    expect(await paths({ tally })).toEqual(["real/a.jpg"]);
    expect(tally.links).toBe(3);
  });

  it.skipIf(process.platform === "win32")("does not open pipes that are named like photos", async () => {
    execFileSync("mkfifo", [folder.path("pipe.jpg")]);
    const tally = emptyTally();
    expect(await paths({ tally })).toEqual([]);
    expect(tally.special).toBe(1);
  });

  it("reports an empty photo and a camera's raw file as problems", async () => {
    folder.write("empty.jpg", "");
    folder.write("shot.NEF", "x");
    expect(await found()).toMatchObject([
      { kind: "problem", path: "empty.jpg", code: "FILE_EMPTY" },
      { kind: "problem", path: "shot.NEF", code: "UNSUPPORTED_FORMAT" },
    ]);
  });

  it.skipIf(process.getuid?.() === 0)("reports a folder that may not be listed, and goes on", async () => {
    folder.write("a.jpg", "x");
    mkdirSync(folder.path("locked"), { mode: 0 });
    expect(await found()).toMatchObject([
      { path: "a.jpg" },
      { kind: "problem", path: "locked", code: "FOLDER_UNREADABLE" },
    ]);
    chmodSync(folder.path("locked"), 0o700);
  });

  it.runIf(process.platform === "linux")("says of a name that is not UTF-8 that it is the name", async () => {
    writeFileSync(Buffer.concat([Buffer.from(folder.path("caf")), Buffer.from([0xe9]), Buffer.from(".jpg")]), "x");
    expect(await found()).toMatchObject([
      { kind: "problem", code: "FILE_UNREADABLE", reason: containing("not UTF-8") },
    ]);
  });

  it("leaves out the folders it is told to, such as an index inside the album", async () => {
    folder.write("a.jpg", "x");
    folder.write("index/thumbs/b.webp", "x");
    expect(await paths({ leaveOut: [folder.path("index")] })).toEqual(["a.jpg"]);
  });

  it("stops at the next entry when it is cancelled, with the signal's reason", async () => {
    for (let i = 0; i < 10; i++) folder.write(`${i}.jpg`, "x");
    const controller = new AbortController();
    const reason = new Error("enough");
    let seen = 0;
    const all = (async () => {
      for await (const _one of walk(folder.path(), { signal: controller.signal })) {
        seen++;
        controller.abort(reason);
      }
    })();
    await expect(all).rejects.toBe(reason);
    expect(seen).toBe(1);
  });

  it("counts what it would find", async () => {
    folder.write("a.jpg", "x");
    folder.write("b/c.png", "x");
    folder.write("b/d.txt", "x");
    expect(await countPhotos(folder.path(), { signal })).toBe(2);
    expect(await holdsPhotos(folder.path(), { signal })).toBe(true);
    expect(await holdsPhotos(folder.path(), { signal, leaveOut: [folder.path()] })).toBe(false);
  });
});
