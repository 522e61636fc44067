/**
 * Makes libuv's pool large enough, before anything uses it: sharp decodes there, four photos at a time per thread of
 * ours, and with the default of four threads the walk over the folder would wait behind them for every file.
 *
 * libuv reads the variable once, at the pool's first use. On Node 20 loading this program was that use, so there it has
 * to be set outside (as `npm start` does); from Node 22 on this is early enough. It has to be the first import.
 */
import { availableParallelism } from "node:os";

/** Four decodes for each thread, and some for files. */
function threadPoolSize(threads: number): number {
  return Math.min(1024, threads * 4 + 4);
}

process.env["UV_THREADPOOL_SIZE"] ??= String(threadPoolSize(availableParallelism()));
