/** The same with Piscina: each job is one call, batched by hand. */
import { finish, number } from "../harness/report.js";
import { median } from "../harness/statistics.js";
import { openPool } from "../peers/pool.js";
import { itemsOf, usPerItem } from "./lanes.js";

const module = new URL("./tasks.js", import.meta.url);
const pool = await openPool("piscina", { module, names: ["addOneToAll"], threads: number("threads") });
const run = (job: number) => pool.run("addOneToAll", itemsOf(job));

const measured: number[] = [];
await usPerItem(number("live"), number("jobs"), run);
for (let i = 0; i < number("repeats"); i++) measured.push(await usPerItem(number("live"), number("jobs"), run));
finish({ usPerItem: median(measured) });
