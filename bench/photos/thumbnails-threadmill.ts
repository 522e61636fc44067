/** The ready task `thumbnail`; the main thread writes the files, as an application would. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEngine, task } from "@threadmill/engine";
import type { thumbnail } from "@threadmill/workers/thumbnail";
import { finish, number } from "../harness/report.js";
import { elapsedMs } from "../harness/timing.js";
import { photosToDescribe } from "./find-photos.js";

const engine = createEngine({ threads: number("threads") });
const shrinking = task<typeof thumbnail>(new URL(import.meta.resolve("@threadmill/workers/thumbnail")), "thumbnail");
const options = { width: 256, format: "webp", quality: 80 } as const;
const folder = mkdtempSync(join(tmpdir(), "threadmill-bench-"));
const paths = photosToDescribe();
await engine.warm(shrinking, options);
await shrinkAll(paths.slice(0, number("warmUps")));
const before = process.cpuUsage();
const ms = await elapsedMs(() => shrinkAll(paths));
const { user, system } = process.cpuUsage(before);
rmSync(folder, { recursive: true });
finish({ photosPerSecond: (paths.length * 1_000) / ms, cpuMsPerPhoto: (user + system) / 1_000 / paths.length });

async function shrinkAll(photos: readonly string[]): Promise<void> {
  const job = engine.run(shrinking, photos, { options, onError: "collect", collect: false });
  for await (const outcome of job) {
    if (outcome.status === "completed") writeFileSync(join(folder, `${outcome.index}.webp`), outcome.value.data);
  }
}
