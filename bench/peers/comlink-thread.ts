/** A thread behind Comlink: exposes what the module exports. */
import { parentPort } from "node:worker_threads";
import { expose } from "comlink";
import { exportsToServe } from "./exports-to-serve.js";
import { nodeEndpoint } from "./node-endpoint.js";

if (parentPort === null) throw new Error("this is a thread's program");
expose(await exportsToServe(), nodeEndpoint(parentPort));
