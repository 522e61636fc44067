/** When each thread finished its last item, in shared memory: how long the last one worked alone. */
import { threadId } from "node:worker_threads";

const ROWS = 256;

export function makeFinishLine(): SharedArrayBuffer {
  return new SharedArrayBuffer(ROWS * Float64Array.BYTES_PER_ELEMENT);
}

/** In a thread, after each item. The clock is the same in all threads of a process. */
export function stamp(line: Float64Array): void {
  line[threadId % ROWS] = nowMs();
}

export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Share of the job in which not all threads had work any more: from the first one's last item to the end. */
export function shareAlone(line: SharedArrayBuffer, threads: number, startedMs: number, endedMs: number): number {
  const last = new Float64Array(line).filter((at) => at >= startedMs);
  if (last.length < threads) return 1;
  return (endedMs - Math.min(...last)) / (endedMs - startedMs);
}
