/** The whole job in one message to one plain thread: what a thread can do with nothing around it. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { finish } from "../harness/report.js";
import { makeFinishLine } from "./finish-line.js";
import { measure } from "./measure.js";

const line = makeFinishLine();
const worker = new Worker(new URL("./plain-thread.js", import.meta.url));
const measured = await measure(line, async (items) => {
  const answered = once(worker, "message");
  worker.postMessage({ items, line });
  await answered;
});
// One thread is alone all the time: that is no news.
finish({ ms: measured.ms });
