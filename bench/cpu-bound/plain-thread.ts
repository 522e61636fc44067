/** A thread without a pool: answers each message. */
import { parentPort } from "node:worker_threads";
import { burnBatch } from "./tasks.js";

parentPort?.on("message", (batch: Parameters<typeof burnBatch>[0]) => parentPort?.postMessage(burnBatch(batch)));
