import { chmodSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checkAlbumFolder } from "../../src/files/album-folder.js";
import { defaultIndexFolder, realIndexFolder } from "../../src/files/index-folder.js";
import { tempFolder } from "../helpers/temp-folder.js";
import { containing } from "../helpers/text.js";

const folder = tempFolder();
const signal = new AbortController().signal;
const check = (name: string): Promise<string> => checkAlbumFolder(folder.path(name), signal);

describe("checkAlbumFolder", () => {
  it("names a folder that does not exist", async () => {
    await expect(check("nowhere")).rejects.toMatchObject({
      code: "FOLDER_NOT_FOUND",
      message: containing("nowhere"),
    });
  });

  it("names a path that is a file, or leads through one", async () => {
    folder.write("file.jpg", "x");
    await expect(check("file.jpg")).rejects.toMatchObject({ code: "FOLDER_NOT_A_DIRECTORY" });
    await expect(check("file.jpg/sub")).rejects.toMatchObject({ code: "FOLDER_NOT_A_DIRECTORY" });
  });

  it("names a folder without photos, also if it has other files", async () => {
    mkdirSync(folder.path("empty"));
    folder.write("texts/a.txt", "x");
    await expect(check("empty")).rejects.toMatchObject({ code: "FOLDER_WITHOUT_PHOTOS" });
    await expect(check("texts")).rejects.toMatchObject({
      code: "FOLDER_WITHOUT_PHOTOS",
      message: containing("texts"),
    });
  });

  it.skipIf(process.getuid?.() === 0)("names a folder that may not be read", async () => {
    folder.write("locked/a.jpg", "x");
    chmodSync(folder.path("locked"), 0);
    await expect(check("locked")).rejects.toMatchObject({ code: "FOLDER_UNREADABLE" });
    chmodSync(folder.path("locked"), 0o700);
  });

  it("answers the real path of an album behind a link", async () => {
    folder.write("album/a.jpg", "x");
    symlinkSync(folder.path("album"), folder.path("link"));
    expect(await check("link")).toBe(folder.path("album"));
  });

  it("refuses an index among the photos, and does not count what lies in one below them", async () => {
    folder.write("album/index/thumbs/a.webp", "x");
    const album = folder.path("album");
    await expect(checkAlbumFolder(album, signal, album)).rejects.toMatchObject({ code: "INDEX_IS_ALBUM" });
    const inside = checkAlbumFolder(album, signal, folder.path("album/index"));
    await expect(inside).rejects.toMatchObject({ code: "FOLDER_WITHOUT_PHOTOS" });
  });
});

describe("defaultIndexFolder", () => {
  it("lies in the working folder, and differs for albums of one name", () => {
    const one = defaultIndexFolder("/photos/2024/Summer trip", "/home/me");
    const other = defaultIndexFolder("/photos/2025/Summer trip", "/home/me");
    expect(one.replaceAll("\\", "/")).toMatch(/\/home\/me\/\.threadmill\/Summer-trip-[0-9a-f]{8}$/);
    expect(other).not.toBe(one);
  });

  it("can be made for an album whose name is as long as a name may be", () => {
    mkdirSync(defaultIndexFolder(`/photos/${"x".repeat(255)}`, folder.path()), { recursive: true });
    mkdirSync(defaultIndexFolder(`/photos/${"写".repeat(85)}`, folder.path()), { recursive: true });
    expect(readdirSync(folder.path(".threadmill"))).toHaveLength(2);
  });
});

describe("realIndexFolder", () => {
  it("follows links of the folders above one that does not exist yet", async () => {
    mkdirSync(folder.path("album"));
    symlinkSync(folder.path("album"), folder.path("link"));
    expect(await realIndexFolder(folder.path("link/made/later"))).toBe(folder.path("album/made/later"));
    expect(await realIndexFolder(folder.path("link"))).toBe(folder.path("album"));
  });
});
