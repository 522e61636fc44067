/** One cancel in the middle of an inference, the way Piscina offers it: an AbortSignal. Ends with its process. */
import { setTimeout as delay } from "node:timers/promises";
import { Piscina } from "piscina";
import { slowModel } from "./model.js";

const bytes = slowModel();
const model = new SharedArrayBuffer(bytes.byteLength);
new Uint8Array(model).set(bytes);
const loads = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);

const pool = new Piscina({ filename: new URL("./infer.js", import.meta.url).href, minThreads: 2, maxThreads: 2 });
const call = (index: number): Promise<unknown> => pool.run({ model, loads, index });
await Promise.all([call(0), call(1)]);

for (let cancels = 1; cancels <= 20; cancels++) {
  const controller = new AbortController();
  const running = pool.run({ model, loads, index: cancels }, { signal: controller.signal }).catch(() => undefined);
  await delay(5);
  console.log(`cancel ${cancels}`);
  controller.abort();
  await running;
  await call(0);
}
await pool.destroy();
