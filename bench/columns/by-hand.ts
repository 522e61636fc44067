/** What one would write without an engine: as many workers as threads, each with its part of two shared arrays. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { finish, number } from "../harness/report.js";
import { medianMs } from "../harness/timing.js";
import { checkRoots, sharedInput } from "./input.js";

const threads = number("threads");
const input = sharedInput(number("items"));
const url = new URL("./by-hand-worker.js", import.meta.url);
const workers = Array.from({ length: threads }, () => new Worker(url));
await Promise.all(workers.map((worker) => once(worker, "online")));

checkRoots(input, await roots());
const ms = await medianMs(number("warmUps"), number("repeats"), roots);
finish({ nsPerItem: (ms * 1e6) / input.length });

async function roots(): Promise<Float32Array> {
  const output = new Float32Array(new SharedArrayBuffer(input.byteLength));
  const share = Math.ceil(input.length / threads);
  await Promise.all(
    workers.map((worker, at) => {
      worker.postMessage([input.subarray(at * share, (at + 1) * share), output.subarray(at * share, (at + 1) * share)]);
      return once(worker, "message");
    }),
  );
  return output;
}
