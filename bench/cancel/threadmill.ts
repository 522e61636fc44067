/** A job of many 1 ms items, cancelled by its signal. */
import { createEngine, task } from "@threadmill/engine";
import { finish, number } from "../harness/report.js";
import { makeBeats } from "./heartbeats.js";
import { timeCancels } from "./measure.js";
import type { whoAmI, work } from "./tasks.js";

const threads = number("threads");
const iterations = number("iterationsPerMs");
const module = new URL("./tasks.js", import.meta.url);
const working = task<typeof work>(module, "work");
const asking = task<typeof whoAmI>(module, "whoAmI");
const beats = makeBeats();
const options = { beats, iterations };
/** More than anyone waits for. */
const items = new Float64Array(1_000_000);

const engine = createEngine({ threads });
await engine.warm(working, options);

const times = await timeCancels(number("cancels"), threads, beats, {
  start: () => {
    const controller = new AbortController();
    const job = engine.run(working, items, { options, signal: controller.signal, collect: false });
    return { stop: () => controller.abort(), ended: job.stopped };
  },
  answerOnEveryThread: async () => {
    const answered = new Set<number>();
    // One item at a time, as the others are asked.
    const job = engine.run(asking, endless(), { collect: false, batchSize: 1 });
    for await (const outcome of job) {
      if (outcome.status === "completed") answered.add(outcome.value);
      // Leaving the loop cancels the rest.
      if (answered.size === threads) return;
    }
  },
});
const { threadsStarted, threadsLost } = engine.stats();
finish({ ...times, cancels: number("cancels"), threadsReplaced: threadsStarted - threads, threadsLost });

function* endless(): Generator<number> {
  for (;;) yield iterations;
}
