/** Poolifier: a fixed pool, its tasks handed to the threads at once, as it comes. */
import { fileURLToPath } from "node:url";
import { FixedThreadPool } from "poolifier";
import type { Pool, PoolRequest } from "./pool.js";

export function openPoolifier({ module, names, threads }: PoolRequest): Pool {
  const script = fileURLToPath(new URL("./poolifier-thread.js", import.meta.url));
  const pool = new FixedThreadPool(threads, script, {
    workerOptions: { workerData: { module: module.href, names } },
    errorHandler: (error: Error) => console.error(error),
  });
  return {
    run: (name, argument) => pool.execute(argument, name),
  };
}
