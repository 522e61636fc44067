/** Starts the threads beside this file: compiled, since that is what every supported Node can load. */
import { type MessagePort, Worker } from "node:worker_threads";
import type { ClientThreadData } from "./client-thread.js";
import type { EngineThreadData } from "./engine-thread.js";
import type { HttpThreadData } from "./http-thread.js";

interface ThreadData {
  readonly "client-thread": ClientThreadData;
  readonly "http-thread": HttpThreadData;
  readonly "engine-thread": EngineThreadData;
}

export function threadUrl(name: keyof ThreadData): URL {
  return new URL(`../../dist/remote/${name}.js`, import.meta.url);
}

export function startThread<Name extends keyof ThreadData>(name: Name, data: ThreadData[Name]): Worker {
  const { port } = data as { port?: MessagePort };
  return new Worker(threadUrl(name), { workerData: data, transferList: port === undefined ? [] : [port] });
}

/** The next message of the thread. */
export function nextMessage(worker: Worker): Promise<unknown> {
  return new Promise((resolve) => worker.once("message", resolve));
}

/** The code with which the thread ends. */
export function ended(worker: Worker): Promise<number> {
  return new Promise((resolve) => worker.once("exit", resolve));
}
