/** libvips' own command line, `vipsthumbnail`, in as many processes as the others have threads. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { finish, number, skip } from "../harness/report.js";
import { elapsedMs } from "../harness/timing.js";
import { photosToDescribe } from "./find-photos.js";

const COMMAND = "vipsthumbnail";
if (spawnSync(COMMAND, ["--version"]).status !== 0) skip(`${COMMAND} is not installed here`);

const processes = Math.min(number("threads"), availableParallelism());
const folder = mkdtempSync(join(tmpdir(), "threadmill-bench-"));
const paths = photosToDescribe();
await shrinkAll(paths.slice(0, number("warmUps")));
const ms = await elapsedMs(() => shrinkAll(paths));
rmSync(folder, { recursive: true });
finish({ photosPerSecond: (paths.length * 1_000) / ms });

/** Damaged files are complained about and left out: a process that met one ends with an error code. */
async function shrinkAll(photos: readonly string[]): Promise<void> {
  await Promise.all(
    Array.from({ length: processes }, (_, place) => {
      const share = photos.filter((_photo, i) => i % processes === place);
      const child = spawn(COMMAND, ["-s", "256x256>", "-o", join(folder, "%s.webp[Q=80]"), ...share], {
        stdio: "ignore",
        env: { ...process.env, VIPS_CONCURRENCY: "1" },
      });
      return new Promise((resolve, reject) => {
        child.once("error", reject);
        child.once("close", resolve);
      });
    }),
  );
}
