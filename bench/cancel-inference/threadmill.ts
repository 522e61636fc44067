/** Cancels running inference many times, and shows what is left of threads, models and speed. */
import { setImmediate } from "node:timers/promises";
import { createEngine, task } from "@threadmill/engine";
import { finish, number } from "../harness/report.js";
import { quantile } from "../harness/statistics.js";
import type { infer } from "./infer.js";
import { slowModel } from "./model.js";

/** For the speed before and after. */
const INFERENCES = 200;

const cancels = number("cancels");
const threads = number("threads");
const bytes = slowModel();
const model = new SharedArrayBuffer(bytes.byteLength);
new Uint8Array(model).set(bytes);
const loads = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
const options = { model, loads };

const engine = createEngine({ threads });
const inferring = task<typeof infer>(new URL("./infer.js", import.meta.url), "infer");
await engine.warm(inferring, options);
await inferencesPerSecond();

const before = await inferencesPerSecond();
const stoppedMs: number[] = [];
for (let cancel = 0; cancel < cancels; cancel++) {
  const controller = new AbortController();
  const job = engine.run(inferring, endless(), { options, signal: controller.signal, collect: false });
  // Both threads have answered a first batch, or are about to: from here on they are in `session.run` nearly always.
  await new Promise<void>((resolve) => job.once("batch", () => resolve()));
  for (let turn = 0; turn < cancel % 50; turn++) await setImmediate();
  const at = performance.now();
  controller.abort();
  await job.stopped;
  stoppedMs.push(performance.now() - at);
}
const after = await inferencesPerSecond();
const { threadsStarted } = engine.stats();
finish({
  survived: cancels,
  p50Ms: quantile(stoppedMs, 0.5),
  p99Ms: quantile(stoppedMs, 0.99),
  speedAfter: after / before,
  threadsReplaced: threadsStarted - threads,
  modelsLoaded: new Int32Array(loads)[0] ?? NaN,
});

async function inferencesPerSecond(): Promise<number> {
  const items = Array.from({ length: INFERENCES }, (_, i) => i);
  const at = performance.now();
  await engine.map(inferring, items, { options });
  return (items.length * 1_000) / (performance.now() - at);
}

function* endless(): Generator<number> {
  for (let index = 0; ; index++) yield index;
}
