/** Comlink's adapter for Node. Its types describe an ES module and the file is CommonJS: hence `require`. */
import { createRequire } from "node:module";
import type { Endpoint } from "comlink";
import type { MessagePort, Worker } from "node:worker_threads";

export const nodeEndpoint = createRequire(import.meta.url)("comlink/dist/umd/node-adapter.js") as (
  port: MessagePort | Worker,
) => Endpoint;
