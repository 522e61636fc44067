/**
 * One job feeds another. The source is endless and the reader takes ten: nothing runs ahead of it by more than
 * `maxInFlight` items, and leaving the loop ends both jobs and the source.
 */
import { createEngine, task } from "@threadmill/engine";
import type { longest, splitWords } from "./text.js";

const engine = createEngine({ threads: 2 });
const module = new URL("./text.js", import.meta.url);

let pulled = 0;
function* lines(): Generator<string> {
  const texts = ["the quick brown fox", "jumps over", "the exceedingly lazy dog"];
  try {
    for (;;) yield `${texts[pulled++ % texts.length]} ${pulled}`;
  } finally {
    console.log(`the source was closed after ${pulled < 200 ? "few" : "too many"} lines`);
  }
}

const stream = { collect: false, maxInFlight: 16 } as const;
const words = engine.run(task<typeof splitWords>(module, "splitWords"), lines(), stream);
const found = engine.run(task<typeof longest>(module, "longest"), words.values(), stream);

const firstTen: string[] = [];
for await (const word of found.values()) {
  firstTen.push(word);
  if (firstTen.length === 10) break;
}
console.log(firstTen.join(" "));
await engine.drain();
console.log(`upstream ended as ${words.state}, downstream as ${found.state}`);
await engine.close();
