/**
 * A job of unknown length that reports how far it is and is stopped with an AbortSignal: the handle settles at once,
 * the threads let go a moment later, and the same warm threads do the next job.
 */
import { createEngine, task } from "@threadmill/engine";
import type { search } from "./search.js";

const engine = createEngine({ threads: 2, progressMs: 50 });
const searching = task<typeof search>(new URL("./search.js", import.meta.url), "search");

const controller = new AbortController();
const job = engine.run(searching, seeds(), { signal: controller.signal, total: 1_000_000 });
job.on("progress", ({ completed, total, itemsPerSecond, etaMs }) => {
  const minutes = etaMs === undefined ? "?" : (etaMs / 60_000).toFixed(0);
  console.log(`${completed} of ${total} found, ${itemsPerSecond.toFixed(0)} a second, about ${minutes} minutes to go`);
  if (completed >= 50) controller.abort(new Error("enough"));
});

try {
  await job.result;
} catch (error) {
  console.log(`cancelled: ${(error as Error).message}; the job is ${job.state}`);
}
await job.stopped;

const { threadsStarted } = engine.stats();
const [one] = await engine.map(searching, [7]);
console.log(`the same ${threadsStarted} threads found ${one?.hash.slice(0, 12)}… after ${one?.tries} tries`);
await engine.close();

function* seeds(): Generator<number> {
  for (let seed = 0; ; seed++) yield seed;
}
