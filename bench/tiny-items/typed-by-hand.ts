/** Piscina batched by hand with what Threadmill does inside: numbers in typed arrays that are moved, not cloned. */
import { Piscina } from "piscina";
import { finish, number } from "../harness/report.js";
import { medianMs } from "../harness/timing.js";
import { checkAnswer, makeItems } from "./items.js";

const threads = number("threads");
const batchSize = number("batchSize");
const filename = new URL("./typed-task.js", import.meta.url).href;
const pool = new Piscina({ filename, minThreads: threads, maxThreads: threads });
const items = makeItems("numbers", number("items")) as number[];

checkAnswer(items, await mapTyped());
const ms = await medianMs(number("warmUps"), number("repeats"), mapTyped);
finish({ nsPerItem: (ms * 1e6) / items.length });

async function mapTyped(): Promise<number[]> {
  // oxlint-disable-next-line unicorn/no-new-array -- the length is known, and placing by index is the fastest way
  const results = new Array<number>(items.length);
  const calls: Promise<void>[] = [];
  for (let from = 0; from < items.length; from += batchSize) {
    const batch = new Float64Array(items.slice(from, from + batchSize));
    const call = pool.run(batch, { name: "addOneTyped", transferList: [batch.buffer] }) as Promise<Float64Array>;
    calls.push(
      call.then((values) => {
        for (let i = 0; i < values.length; i++) results[from + i] = values[i] as number;
      }),
    );
  }
  await Promise.all(calls);
  return results;
}
