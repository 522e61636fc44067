/** What a pool costs before it does anything: memory for each thread, time to the first result, bytes to install. */
import { setTimeout as delay } from "node:timers/promises";
import { join } from "node:path";
import { finish, number, text } from "../harness/report.js";
import { root } from "../harness/root.js";
import { installSize } from "./install-size.js";

const MEGABYTE = 1e6;
const MIB = 2 ** 20;
const SETTLE_MS = 300;

const startedAt = performance.now();
const firstResult = await open(2);
await firstResult(0);
const firstResultMs = performance.now() - startedAt;

const threads = number("threads");
await delay(SETTLE_MS);
const before = process.memoryUsage.rss();
const run = await open(threads);
await onEveryThread();
await delay(SETTLE_MS);
const rssPerThreadMiB = (process.memoryUsage.rss() - before) / threads / MIB;

const { packages, bytes } = installSize(text("packages").split(" "), join(root, "bench"));
finish({ rssPerThreadMiB, firstResultMs, installMB: bytes / MEGABYTE, packages });

/** A pool, as something that runs `whoAmI`. Loaded here, so that loading it is part of the first result. */
async function open(size: number): Promise<(iterations: number) => PromiseLike<unknown>> {
  const module = new URL("./tasks.js", import.meta.url);
  if (text("peer") === "threadmill") {
    const { createEngine, task } = await import("@threadmill/engine");
    const engine = createEngine({ threads: size });
    const asking = task<(iterations: number) => number>(module, "whoAmI");
    return (iterations) => engine.call(asking, iterations);
  }
  const { openPool } = await import("../peers/pool.js");
  const pool = await openPool(text("peer"), { module, names: ["whoAmI"], threads: size });
  return (iterations) => pool.run("whoAmI", iterations);
}

async function onEveryThread(): Promise<void> {
  const seen = new Set<unknown>();
  const lane = async (): Promise<void> => {
    while (seen.size < threads) seen.add(await run(number("iterations")));
  };
  await Promise.all(Array.from({ length: 2 * threads }, lane));
}
