/** Tinypool: as many threads as said from the start, all else as it comes. */
import { Tinypool } from "tinypool";
import type { Pool, PoolRequest } from "./pool.js";
import { stoppableBySignal } from "./stoppable-by-signal.js";

export function openTinypool({ module, threads }: PoolRequest): Pool {
  const pool = new Tinypool({ filename: module.href, minThreads: threads, maxThreads: threads });
  return {
    run: (name, argument) => pool.run(argument, { name }),
    runStoppable: (name, argument) => stoppableBySignal((signal) => pool.run(argument, { name, signal })),
  };
}
