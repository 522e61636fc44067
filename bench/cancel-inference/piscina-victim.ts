/** One cancel in the middle of an inference, the way Piscina offers it: an AbortSignal. Ends with its process. */
import { setTimeout as delay } from "node:timers/promises";
import { Piscina } from "piscina";
import { slowModel } from "./model.js";

const bytes = slowModel();
const model = new SharedArrayBuffer(bytes.byteLength);
new Uint8Array(model).set(bytes);
const loads = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);

const pool = new Piscina({ filename: new URL("./infer.js", import.meta.url).href, minThreads: 2, maxThreads: 2 });
const call = (count: number, signal?: AbortSignal): Promise<unknown> =>
  pool.run({ model, loads, count }, signal === undefined ? {} : { signal });
await Promise.all([call(1), call(1)]);

for (let cancels = 1; cancels <= 20; cancels++) {
  const controller = new AbortController();
  const running = call(1_000, controller.signal).catch(() => undefined);
  await delay(20);
  console.log(`cancel ${cancels}`);
  controller.abort();
  await running;
  await call(1);
}
await pool.destroy();
