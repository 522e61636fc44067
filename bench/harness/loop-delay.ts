/** How late the main thread's event loop is, while something runs. */
import { monitorEventLoopDelay } from "node:perf_hooks";

const RESOLUTION_MS = 1;

export interface LoopDelay {
  readonly p99Ms: number;
  readonly maxMs: number;
}

/**
 * A timer that should fire every millisecond says how much later it did. Counted are its firings, so a stall of 100 ms
 * is one sample, as a delay of 0.1 ms is: the greatest stands beside the p99 for that reason.
 */
export async function withLoopDelay<Value>(work: () => Promise<Value>): Promise<{ value: Value; delay: LoopDelay }> {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  const value = await work();
  histogram.disable();
  const late = (ns: number): number => Math.max(0, ns / 1e6 - RESOLUTION_MS);
  return { value, delay: { p99Ms: late(histogram.percentile(99)), maxMs: late(histogram.max) } };
}
