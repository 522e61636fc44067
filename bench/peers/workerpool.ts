/** workerpool, with threads rather than processes. */
import { fileURLToPath } from "node:url";
import workerpool from "workerpool";
import type { Pool, PoolRequest } from "./pool.js";

export function openWorkerpool({ module, names, threads }: PoolRequest): Pool {
  const pool = workerpool.pool(fileURLToPath(new URL("./workerpool-thread.js", import.meta.url)), {
    minWorkers: threads,
    maxWorkers: threads,
    workerType: "thread",
    workerThreadOpts: { workerData: { module: module.href, names } },
  });
  return {
    run: (name, argument) => pool.exec(name, [argument]),
    runStoppable: (name, argument) => {
      const call = pool.exec(name, [argument]);
      // Its promises are its own: awaited, they become real ones.
      const ended = (async (): Promise<unknown> => await call)().catch(() => undefined);
      return { ended, stop: () => void call.cancel() };
    },
  };
}
