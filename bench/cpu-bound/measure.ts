/** Measures a job that is the same for all contestants. */
import { number, text } from "../harness/report.js";
import { median } from "../harness/statistics.js";
import { costsMs } from "./costs.js";
import { nowMs, shareAlone } from "./finish-line.js";

const WARM_UP_ITEMS = 100;

export interface Measured {
  readonly ms: number;
  readonly shareAlone: number;
}

/** Runs the job's first items to warm up, then the job as often as told; the medians. */
export async function measure(
  line: SharedArrayBuffer,
  run: (items: readonly number[]) => Promise<unknown>,
): Promise<Measured> {
  const items = costsMs(text("shape"), number("items")).map((ms) => Math.round(ms * number("iterationsPerMs")));
  await run(items.slice(0, WARM_UP_ITEMS));
  const times: number[] = [];
  const shares: number[] = [];
  for (let i = 0; i < number("repeats"); i++) {
    const startedMs = nowMs();
    await run(items);
    const endedMs = nowMs();
    times.push(endedMs - startedMs);
    shares.push(shareAlone(line, number("threads"), startedMs, endedMs));
  }
  return { ms: median(times), shareAlone: median(shares) };
}
