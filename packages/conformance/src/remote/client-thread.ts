/** A thread with a client of an engine elsewhere. It starts jobs, says so, and ends as it is told. */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import type { RemoteJobHandle } from "@threadmill/engine/remote";
import { connectEngine } from "@threadmill/engine/remote";
import { gated } from "../fixtures/index.js";

export interface ClientThreadData {
  readonly port: MessagePort;
  /** What each job holds; undefined: an endless source. */
  readonly items: { readonly value: number; readonly gate?: SharedArrayBuffer }[] | undefined;
  readonly jobs: number;
  readonly id?: string;
}

const { port, items, jobs, id } = workerData as ClientThreadData;
const engine = connectEngine(port);

function* endless(): Generator<{ value: number }> {
  for (let value = 0; ; value++) yield { value };
}

function start(): RemoteJobHandle<number> {
  const named = id === undefined ? {} : { id };
  return items === undefined
    ? engine.run(gated, endless(), { ...named, maxInFlight: 8 })
    : engine.run(gated, items, named);
}

const handles = Array.from({ length: jobs }, start);
handles[0]?.once("start", () => parentPort?.postMessage("started"));
parentPort?.on("message", (message) => {
  if (message === "exit") process.exit(7);
  if (message === "close") void engine.close();
});
