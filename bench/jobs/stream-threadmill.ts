/** One job over a generator, read as it runs, nothing kept. */
import { createEngine, task } from "@threadmill/engine";
import { finish, number, text } from "../harness/report.js";
import { elapsedMs } from "../harness/timing.js";
import { withMemorySlope } from "./memory-slope.js";
import type { addOne } from "./tasks.js";

const engine = createEngine({ threads: number("threads") });
const adding = task<typeof addOne>(new URL("./tasks.js", import.meta.url), "addOne");
const count = number("items");
const reader = text("reader");

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
  const job = engine.run(adding, upTo(items), { collect: false });
  switch (reader) {
    case "batches":
      for await (const batch of job.batches()) read += batch.length;
      break;
    case "values":
      for await (const _value of job.values()) read++;
      break;
    case "outcomes":
      for await (const _outcome of job) read++;
      break;
    default:
      job.on("progress", ({ completed }) => (read = completed));
      await job.result;
  }
  if (read !== items) throw new Error(`${read} of ${items} items were read`);
}

function* upTo(items: number): Generator<number> {
  for (let i = 0; i < items; i++) yield i;
}
