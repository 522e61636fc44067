/** A pool of single calls, batched by hand. */
import { withLoopDelay } from "../harness/loop-delay.js";
import { finish, number, text } from "../harness/report.js";
import { medianMs } from "../harness/timing.js";
import { mapInBatches } from "../peers/by-hand.js";
import { openPool } from "../peers/pool.js";
import { checkAnswer, makePeople, makeStrings } from "./items.js";

const strings = text("kind") === "strings";
const name = `${strings ? "shout" : "greet"}${text("form")}`;
const count = number("items");
const module = new URL("./tasks.js", import.meta.url);
const pool = await openPool(text("peer"), { module, names: [name], threads: number("threads") });
const items: unknown[] = strings ? makeStrings(count) : makePeople(count);
const map = () => mapInBatches(pool, name, items, number("batchSize"));

checkAnswer(await map(), count);
for (let i = 0; i < number("warmUps"); i++) await map();
const { value: ms, delay } = await withLoopDelay(() => medianMs(0, number("repeats"), map));
finish({ nsPerItem: (ms * 1e6) / count, loopDelayP99Ms: delay.p99Ms, loopDelayMaxMs: delay.maxMs });
