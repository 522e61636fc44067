/** How one batches by hand with a pool that runs single calls: slices of the input, results placed by index. */
import type { Pool } from "./pool.js";

/** Every batch is handed to the pool at once; its answers are put where they belong as they come. */
export async function mapInBatches<Result>(
  pool: Pool,
  name: string,
  items: readonly unknown[],
  batchSize: number,
): Promise<Result[]> {
  // oxlint-disable-next-line unicorn/no-new-array -- the length is known, and placing by index is the fastest way
  const results = new Array<Result>(items.length);
  const calls: Promise<void>[] = [];
  for (let from = 0; from < items.length; from += batchSize) {
    const batch = items.slice(from, from + batchSize);
    calls.push(
      Promise.resolve(pool.run(name, batch)).then((answer) => {
        const values = answer as Result[];
        for (let i = 0; i < values.length; i++) results[from + i] = values[i] as Result;
      }),
    );
  }
  await Promise.all(calls);
  return results;
}

/** One call per item, all at once. */
export async function mapOneByOne<Result>(pool: Pool, name: string, items: readonly unknown[]): Promise<Result[]> {
  return (await Promise.all(items.map((item) => pool.run(name, item)))) as Result[];
}
