/** Whether the process grows while a stream runs. */
import { slope } from "../harness/statistics.js";

const SAMPLE_MS = 20;

export interface MemorySlope {
  /** Of the straight line through the second half: the first fills heaps and buffers. Bytes of RSS for each item. */
  readonly bytesPerItem: number;
  readonly peakMiB: number;
}

/** Runs `work` and looks at the RSS all the while; `done` says how many items have gone through. */
export async function withMemorySlope(done: () => number, work: () => Promise<unknown>): Promise<MemorySlope> {
  const samples: [items: number, bytes: number][] = [];
  const timer = setInterval(() => samples.push([done(), process.memoryUsage.rss()]), SAMPLE_MS);
  await work();
  clearInterval(timer);
  const peak = Math.max(...samples.map(([, bytes]) => bytes), process.memoryUsage.rss());
  return { bytesPerItem: slope(samples.slice(samples.length >> 1)), peakMiB: peak / 2 ** 20 };
}
