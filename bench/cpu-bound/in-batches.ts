/** Piscina, batched by hand: all batches are handed over at once, and its threads take the next one when they are free. */
import { finish, number } from "../harness/report.js";
import { openPool } from "../peers/pool.js";
import { makeFinishLine } from "./finish-line.js";
import { measure } from "./measure.js";

const module = new URL("./tasks.js", import.meta.url);
const pool = await openPool("piscina", { module, names: ["burnBatch"], threads: number("threads") });
const line = makeFinishLine();

const measured = await measure(line, async (items) => {
  // 0 stands for one share for each thread.
  const batchSize = number("batchSize") || Math.ceil(items.length / number("threads"));
  const calls: PromiseLike<unknown>[] = [];
  for (let from = 0; from < items.length; from += batchSize) {
    calls.push(pool.run("burnBatch", { items: items.slice(from, from + batchSize), line }));
  }
  await Promise.all(calls);
});
finish({ ...measured });
