/** Piscina, batched by hand: with a message for every tick, or silent. */
import { Piscina } from "piscina";
import { withLoopDelay } from "../harness/loop-delay.js";
import { finish, number, text } from "../harness/report.js";
import { medianMs } from "../harness/timing.js";

const threads = number("threads");
const filename = new URL("./tasks.js", import.meta.url).href;
const pool = new Piscina({ filename, minThreads: threads, maxThreads: threads });
const count = number("ticks");
const batch = number("batchSize");
const name = text("form");

let heard = 0;
pool.on("message", () => heard++);
await run();
heard = 0;
const repeats = number("repeats");
const { value: ms, delay } = await withLoopDelay(() => medianMs(0, repeats, run));
finish({
  nsPerTick: (ms * 1e6) / count,
  loopDelayP99Ms: delay.p99Ms,
  loopDelayMaxMs: delay.maxMs,
  events: heard / repeats,
});

async function run(): Promise<void> {
  const wanted = name === "ticksWithMessages" ? heard + count : heard;
  const calls: Promise<unknown>[] = [];
  for (let from = 0; from < count; from += batch) calls.push(pool.run(Math.min(batch, count - from), { name }));
  await Promise.all(calls);
  // Results may overtake messages: progress is there when the last one is.
  while (heard < wanted) await new Promise((resolve) => setImmediate(resolve));
}
