/** What the programs need of a pool, and how each peer is opened. Every peer is set up as its own documentation says. */

export interface Pool {
  /** Calls a function that the module exports, with one argument, in one of the threads. */
  run(name: string, argument: unknown): PromiseLike<unknown>;
  /** The same for a call that will be stopped while it runs, in the way that this pool has for it. */
  runStoppable?(name: string, argument: unknown): StoppableCall;
}

export interface StoppableCall {
  /** Settles when the call has ended, stopped or not. Never rejects. */
  readonly ended: Promise<unknown>;
  stop(): void;
}

export interface PoolRequest {
  /** The module whose exports are called. */
  readonly module: URL;
  /** Those exports. */
  readonly names: readonly string[];
  readonly threads: number;
}

const peers = {
  piscina: async () => (await import("./piscina.js")).openPiscina,
  "piscina-atomics-disabled": async () => (await import("./piscina.js")).openPiscinaWithoutAtomics,
  tinypool: async () => (await import("./tinypool.js")).openTinypool,
  workerpool: async () => (await import("./workerpool.js")).openWorkerpool,
  poolifier: async () => (await import("./poolifier.js")).openPoolifier,
  "jest-worker": async () => (await import("./jest-worker.js")).openJestWorker,
  comlink: async () => (await import("./comlink.js")).openComlink,
} as const;

/** Loads one peer and nothing of the others. */
export async function openPool(peer: string, request: PoolRequest): Promise<Pool> {
  if (!Object.hasOwn(peers, peer)) throw new Error(`there is no peer ${peer}`);
  const open = await peers[peer as keyof typeof peers]();
  return open(request);
}
