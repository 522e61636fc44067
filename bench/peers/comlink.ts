/** Comlink is no pool: threads made by hand, calls dealt out in turn. */
import { Worker } from "node:worker_threads";
import { wrap } from "comlink";
import { nodeEndpoint } from "./node-endpoint.js";
import type { Pool, PoolRequest } from "./pool.js";

type Remote = Record<string, (argument: unknown) => Promise<unknown>>;

export function openComlink({ module, names, threads }: PoolRequest): Pool {
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL("./comlink-thread.js", import.meta.url), { workerData: { module: module.href, names } }),
  );
  const remotes = workers.map((worker) => wrap(nodeEndpoint(worker)) as unknown as Remote);
  let next = 0;
  return {
    run: (name, argument) => {
      const remote = remotes[next] as Remote;
      next = (next + 1) % threads;
      return (remote[name] as (argument: unknown) => Promise<unknown>)(argument);
    },
  };
}
