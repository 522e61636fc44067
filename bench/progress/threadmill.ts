/** A job of ten million items, with a listener at 10 Hz or with none. */
import { createEngine, task } from "@threadmill/engine";
import { withLoopDelay } from "../harness/loop-delay.js";
import { finish, number, text } from "../harness/report.js";
import { medianMs } from "../harness/timing.js";
import type { tick } from "./tasks.js";

const engine = createEngine({ threads: number("threads"), progressMs: 100 });
const ticking = task<typeof tick>(new URL("./tasks.js", import.meta.url), "tick");
const items = Float64Array.from({ length: number("ticks") }, (_, i) => i);
const listens = text("listener") === "yes";

let heard = 0;
await run();
heard = 0;
const repeats = number("repeats");
const { value: ms, delay } = await withLoopDelay(() => medianMs(0, repeats, run));
finish({
  nsPerTick: (ms * 1e6) / items.length,
  loopDelayP99Ms: delay.p99Ms,
  loopDelayMaxMs: delay.maxMs,
  events: heard / repeats,
});

/** Values are dropped: what is measured is the telling. */
async function run(): Promise<void> {
  const job = engine.run(ticking, items, { collect: false });
  let last = 0;
  if (listens) {
    job.on("progress", ({ completed }) => {
      if (completed < last) throw new Error("progress fell");
      last = completed;
      heard++;
    });
  }
  await job.result;
  if (listens && last !== items.length) throw new Error(`the last progress was ${last}`);
}
