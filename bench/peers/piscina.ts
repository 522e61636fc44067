/** Piscina: as many threads as said from the start, all else as it comes. */
import { Piscina } from "piscina";
import type { Pool, PoolRequest } from "./pool.js";
import { stoppableBySignal } from "./stoppable-by-signal.js";

export function openPiscina(request: PoolRequest): Pool {
  return open(request, "sync");
}

/** Its threads wait for messages in the event loop, not in `Atomics.wait`. */
export function openPiscinaWithoutAtomics(request: PoolRequest): Pool {
  return open(request, "disabled");
}

function open({ module, threads }: PoolRequest, atomics: "sync" | "disabled"): Pool {
  const pool = new Piscina({ filename: module.href, minThreads: threads, maxThreads: threads, atomics });
  return {
    run: (name, argument) => pool.run(argument, { name }),
    runStoppable: (name, argument) => stoppableBySignal((signal) => pool.run(argument, { name, signal })),
  };
}
