/**
 * Cancels running inference a thousand times, and shows what is left of threads, models and speed. Beside it, in a
 * process of its own because it does not survive, the same with Piscina's signal.
 *
 *     node bench/dist/cancel-inference/main.js [cancels]
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createEngine, task } from "@threadmill/engine";
import type { infer } from "./infer.js";
import { slowModel } from "./model.js";

const cancels = Number(process.argv[2] ?? 1_000);
const bytes = slowModel();
const model = new SharedArrayBuffer(bytes.byteLength);
new Uint8Array(model).set(bytes);
const loads = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
const options = { model, loads };

const engine = createEngine({ threads: 2 });
const inferring = task<typeof infer>(new URL("./infer.js", import.meta.url), "infer");
await engine.warm(inferring, options);

const before = await throughput();
const stoppedMs: number[] = [];
for (let cancel = 0; cancel < cancels; cancel++) {
  const controller = new AbortController();
  const job = engine.run(inferring, endless(), { options, signal: controller.signal, collect: false });
  // Both threads have answered a first batch, or are about to: from here on they are in `session.run` nearly always.
  await new Promise<void>((resolve) => job.once("batch", () => resolve()));
  for (let turn = 0; turn < cancel % 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  const at = performance.now();
  controller.abort();
  await job.stopped;
  stoppedMs.push(performance.now() - at);
}
const after = await throughput();
stoppedMs.sort((a, b) => a - b);
const quantile = (share: number): string => (stoppedMs[Math.floor(share * (cancels - 1))] ?? 0).toFixed(1);
const { threadsStarted, threadsLost } = engine.stats();
await engine.close();

console.log(`Threadmill: ${cancels} cancels in running inference`);
console.log(`  threads started ${threadsStarted}, lost ${threadsLost}; model loaded ${new Int32Array(loads)[0]} times`);
console.log(`  until every thread has let go: p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms`);
console.log(`  inferences a second before ${before.toFixed(0)}, after ${after.toFixed(0)}`);

const peer = spawnSync(process.execPath, [fileURLToPath(new URL("./piscina.js", import.meta.url))], {
  encoding: "utf8",
});
const survived = peer.stdout.trim().split("\n").length;
console.log("Piscina: abort by signal in the same place");
console.log(`  the process ended with ${peer.signal ?? `code ${peer.status}`} at cancel ${survived} of 20`);

async function throughput(): Promise<number> {
  const items = Array.from({ length: 200 }, (_, i) => i);
  const at = performance.now();
  await engine.map(inferring, items, { options });
  return (items.length * 1_000) / (performance.now() - at);
}

function* endless(): Generator<number> {
  for (let index = 0; ; index++) yield index;
}
