/** One long call on each thread of a pool, stopped as the pool offers it. */
import { finish, number, text } from "../harness/report.js";
import { openPool, type StoppableCall } from "../peers/pool.js";
import { makeBeats } from "./heartbeats.js";
import { timeCancels } from "./measure.js";

const threads = number("threads");
const iterations = number("iterationsPerMs");
const module = new URL("./tasks.js", import.meta.url);
const pool = await openPool(text("peer"), { module, names: ["workOn", "whoAmI"], threads });
const beats = makeBeats();
/** All threads that ever answered. */
const everyone = new Set<unknown>();
await answerOnEveryThread();

const times = await timeCancels(number("cancels"), threads, beats, {
  start: () => {
    const calls = Array.from({ length: threads }, startOne);
    return {
      stop: () => calls.forEach((call) => call.stop()),
      ended: Promise.all(calls.map((call) => call.ended)),
    };
  },
  answerOnEveryThread,
});
finish({ ...times, cancels: number("cancels"), threadsReplaced: everyone.size - threads });

function startOne(): StoppableCall {
  const call = pool.runStoppable?.("workOn", { beats, iterations, items: 10_000_000 });
  if (call === undefined) throw new Error("this pool cannot stop a call that runs");
  return call;
}

/** Calls all the time, until as many threads as there are have answered. */
async function answerOnEveryThread(): Promise<void> {
  const answered = new Set<unknown>();
  const lane = async (): Promise<void> => {
    while (answered.size < threads) {
      const id = await pool.run("whoAmI", iterations);
      answered.add(id);
      everyone.add(id);
    }
  };
  await Promise.all(Array.from({ length: 2 * threads }, lane));
}
