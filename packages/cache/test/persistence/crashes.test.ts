import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openCacheFile } from "../../src/persistence/cache-file.js";
import { entryOf, searchLives } from "./lives.js";
import { MortalDisk } from "./mortal-disk.js";

describe("a cache file", () => {
  it("holds one committed state after any life", async () => {
    expect(await searchLives({ seed: 1, runs: 60 })).toBeUndefined();
  });

  it("is synced before it takes effect, and its folder after", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cache-order-"));
    const mortal = new MortalDisk();
    const { file } = await openCacheFile({ file: join(folder, "x.cache"), disk: mortal.disk }, () => [entryOf("a", 1)]);
    file.changed("content");
    mortal.calls.length = 0;
    await file.flush();
    const calls = mortal.calls.map((one) => one.replace(/tmp-\w+/, "tmp").replace(/cache-order-\w+/, "folder"));
    expect(calls.filter((one) => !one.includes(".lock"))).toEqual([
      "open x.cache.tmp",
      "write x.cache.tmp",
      "write x.cache.tmp",
      "sync x.cache.tmp",
      "close x.cache.tmp",
      "rename x.cache.tmp",
      ...(process.platform === "win32" ? [] : ["open folder", "sync folder", "close folder"]),
    ]);
    await file.close();
    await rm(folder, { recursive: true });
  });
});
