/** Many calls, each made when the one before has answered. */
import { quantile } from "../harness/statistics.js";

const US_PER_MS = 1_000;

export interface RoundTrips {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly meanUs: number;
}

export async function roundTrips(
  warmUps: number,
  calls: number,
  call: (x: number) => PromiseLike<unknown>,
): Promise<RoundTrips> {
  for (let i = 0; i < warmUps; i++) await call(i);
  const times = new Float64Array(calls);
  for (let i = 0; i < calls; i++) {
    const startedAt = performance.now();
    const answer = await call(i);
    times[i] = (performance.now() - startedAt) * US_PER_MS;
    if (answer !== i + 1) throw new Error(`the answer to ${i} was ${String(answer)}`);
  }
  const meanUs = times.reduce((sum, time) => sum + time, 0) / calls;
  return { p50Us: quantile(times, 0.5), p99Us: quantile(times, 0.99), meanUs };
}
