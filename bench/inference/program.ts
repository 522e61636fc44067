/** A job of inferences, with one setting of them all. */
import { createEngine, task } from "@threadmill/engine";
import { finish, number } from "../harness/report.js";
import { medianMs } from "../harness/timing.js";
import type { infer } from "./tasks.js";

const engine = createEngine({ threads: number("threads") });
const inferring = task<typeof infer>(new URL("./tasks.js", import.meta.url), "infer");
const options = {
  intraOpThreads: number("intraOpThreads"),
  images: number("images"),
  size: number("size"),
  layers: number("layers"),
};
const items = Array.from({ length: number("items") }, (_, i) => i);
await engine.warm(inferring, options);
const ms = await medianMs(1, number("repeats"), () => engine.map(inferring, items, { options }));
finish({ perSecond: (items.length * 1_000) / ms });
