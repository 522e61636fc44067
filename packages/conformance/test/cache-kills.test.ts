/** The same, for as long as you like: `killCaches({ seed, seconds })`. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ResultCache } from "@threadmill/cache";
import { describe, expect, it } from "vitest";
import { killCaches } from "../src/cache-kills/kills.js";

/** Only a hang comes to this. */
const PATIENCE_MS = 120_000;

describe("a cache file whose owner is killed", () => {
  it(
    "always opens, with one committed state, and for one at a time",
    async () => {
      // On a machine that is not busy, 200 take 15 s.
      const figures = await killCaches({ seed: 1, kills: 200, seconds: 20 });
      expect(figures.violations).toEqual([]);
      expect(figures.killedInWrite + figures.killedBetween).toBeGreaterThan(0);
    },
    PATIENCE_MS,
  );
});

describe("a cache file that nobody closes", () => {
  it(
    "does not hold its process, and is the next one's",
    async () => {
      const folder = await mkdtemp(join(tmpdir(), "cache-unclosed-"));
      const file = join(folder, "x.cache");
      const program = `
        import { ResultCache } from ${JSON.stringify(import.meta.resolve("@threadmill/cache"))};
        const cache = await ResultCache.open({ persist: { file: ${JSON.stringify(file)}, flushMs: 1_000_000 } });
        cache.set("saved", 1);
        await cache.flush();
        cache.set("late", 2);
      `;
      const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: "inherit" });
      expect(await once(child, "exit")).toEqual([0, null]);
      const cache = await ResultCache.open<number>({ persist: { file } });
      expect([cache.get("saved"), cache.get("late")]).toEqual([1, undefined]);
      await cache.close();
      await rm(folder, { recursive: true });
    },
    PATIENCE_MS,
  );
});
