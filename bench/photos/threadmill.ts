/** One job; each thread has several photos in flight, so that decoding in libuv's threads and inference overlap. */
import { createEngine, task } from "@threadmill/engine";
import { number, text } from "../harness/report.js";
import { measure } from "./measure.js";
import type { describe } from "./tasks.js";

const engine = createEngine({ threads: number("threads") });
const describing = task<typeof describe>(new URL("./tasks.js", import.meta.url), "describe");
const options = { model: text("model") };
const concurrency = number("concurrency");
await engine.warm(describing, options);
await measure((paths) => engine.map(describing, paths, { options, concurrency }));
