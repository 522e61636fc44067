/** Takes roots of what it is sent. */
import { parentPort } from "node:worker_threads";

parentPort?.on("message", ([input, output]: [Float32Array, Float32Array]) => {
  for (let at = 0; at < input.length; at++) output[at] = Math.sqrt(input[at] as number);
  parentPort?.postMessage(undefined);
});
