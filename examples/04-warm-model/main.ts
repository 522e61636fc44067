/** What `setup` returns is made once per thread and options, and kept: the second job finds its models open. */
import { createEngine, task } from "@threadmill/engine";
import type { classify } from "./model.js";

const engine = createEngine({ threads: 2 });
const classifying = task<typeof classify>(new URL("./model.js", import.meta.url), "classify");

const opened = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
const options = { languages: ["en", "th", "ja"], opened };

await engine.warm(classifying, options);
for (const round of ["first", "second"]) {
  const texts = Array.from({ length: 500 }, (_, i) => `${round} text, number ${i}`);
  const { stats } = await engine.run(classifying, texts, { options }).result;
  console.log(`${round} job: ${stats.completed} texts in ${stats.batches} batches`);
}
console.log(`models opened: ${new Int32Array(opened)[0]}, one in each thread`);
await engine.close();
