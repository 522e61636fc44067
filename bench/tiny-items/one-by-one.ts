/** A pool of single calls, one call per item, all of them at once. */
import { finish, number, text } from "../harness/report.js";
import { medianMs } from "../harness/timing.js";
import { mapOneByOne } from "../peers/by-hand.js";
import { openPool } from "../peers/pool.js";
import { checkAnswer, makeItems } from "./items.js";

const name = "addOne";
const module = new URL("./tasks.js", import.meta.url);
const pool = await openPool(text("peer"), { module, names: [name], threads: number("threads") });
const items = makeItems("numbers", number("items"));
checkAnswer(items, await mapOneByOne(pool, name, items));
const ms = await medianMs(number("warmUps"), number("repeats"), () => mapOneByOne(pool, name, items));
finish({ nsPerItem: (ms * 1e6) / items.length });
