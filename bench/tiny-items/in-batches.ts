/** A pool of single calls, batched by hand. */
import { finish, number, text } from "../harness/report.js";
import { medianMs } from "../harness/timing.js";
import { mapInBatches } from "../peers/by-hand.js";
import { openPool } from "../peers/pool.js";
import { checkAnswer, makeItems } from "./items.js";

const kind = text("kind");
const name = `${kind === "mixed" ? "addOneOrNull" : "addOne"}${text("form")}`;
const module = new URL("./tasks.js", import.meta.url);
const pool = await openPool(text("peer"), { module, names: [name], threads: number("threads") });
const items = makeItems(kind, number("items"));
const batchSize = number("batchSize");
checkAnswer(items, await mapInBatches(pool, name, items, batchSize));
const ms = await medianMs(number("warmUps"), number("repeats"), () => mapInBatches(pool, name, items, batchSize));
finish({ nsPerItem: (ms * 1e6) / items.length });
