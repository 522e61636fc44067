/** `engine.map`: batches, and what is taken back from a thread for another, are the engine's. */
import { createEngine, task } from "@threadmill/engine";
import { finish, number } from "../harness/report.js";
import { makeFinishLine } from "./finish-line.js";
import { measure } from "./measure.js";
import type { burn } from "./tasks.js";

const engine = createEngine({ threads: number("threads") });
const line = makeFinishLine();
const burning = task<typeof burn>(new URL("./tasks.js", import.meta.url), "burn");
finish({ ...(await measure(line, (items) => engine.map(burning, items, { options: { line } }))) });
