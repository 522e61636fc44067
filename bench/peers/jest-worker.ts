/** jest-worker, with threads rather than processes. */
import { fileURLToPath } from "node:url";
import { Worker } from "jest-worker";
import type { Pool, PoolRequest } from "./pool.js";

export function openJestWorker({ module, names, threads }: PoolRequest): Pool {
  const pool = new Worker(fileURLToPath(module), {
    enableWorkerThreads: true,
    numWorkers: threads,
    exposedMethods: names,
  });
  const methods = pool as unknown as Record<string, (argument: unknown) => Promise<unknown>>;
  return {
    run: (name, argument) => (methods[name] as (argument: unknown) => Promise<unknown>)(argument),
  };
}
