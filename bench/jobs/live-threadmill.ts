/** Many jobs of ten items each, many of them live. */
import { createEngine, task } from "@threadmill/engine";
import { finish, number } from "../harness/report.js";
import { median } from "../harness/statistics.js";
import { itemsOf, usPerItem } from "./lanes.js";
import type { addOne } from "./tasks.js";

const engine = createEngine({ threads: number("threads") });
const adding = task<typeof addOne>(new URL("./tasks.js", import.meta.url), "addOne");
const run = (job: number) => engine.run(adding, itemsOf(job)).result;

const measured: number[] = [];
await usPerItem(number("live"), number("jobs"), run);
for (let i = 0; i < number("repeats"); i++) measured.push(await usPerItem(number("live"), number("jobs"), run));
finish({ usPerItem: median(measured) });
