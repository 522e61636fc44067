/** The same with Piscina, batched by hand: batches of 10,000, and as many on their way as keep the threads busy. */
import { finish, number } from "../harness/report.js";
import { elapsedMs } from "../harness/timing.js";
import { openPool, type Pool } from "../peers/pool.js";
import { withMemorySlope } from "./memory-slope.js";

const threads = number("threads");
const module = new URL("./tasks.js", import.meta.url);
const pool: Pool = await openPool("piscina", { module, names: ["addOneToAll"], threads });
const count = number("items");
const batchSize = number("batchSize");

let read = 0;
await stream(number("warmUpItems"));
let ms = NaN;
const { bytesPerItem, peakMiB } = await withMemorySlope(
  () => read,
  async () => {
    ms = await elapsedMs(() => stream(count));
  },
);
finish({ nsPerItem: (ms * 1e6) / count, peakMiB, rssBytesPerItem: bytesPerItem });

async function stream(items: number): Promise<void> {
  read = 0;
  const source = upTo(items);
  const lane = async (): Promise<void> => {
    for (;;) {
      const batch: number[] = [];
      while (batch.length < batchSize) {
        const { done, value } = source.next();
        if (done === true) break;
        batch.push(value);
      }
      if (batch.length === 0) return;
      const results = (await pool.run("addOneToAll", batch)) as number[];
      for (const _value of results) read++;
    }
  };
  // One batch runs on each thread and one waits behind it.
  await Promise.all(Array.from({ length: 2 * threads }, lane));
  if (read !== items) throw new Error(`${read} of ${items} items were read`);
}

function* upTo(items: number): Generator<number, undefined> {
  for (let i = 0; i < items; i++) yield i;
}
