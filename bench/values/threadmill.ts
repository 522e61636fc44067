/** `engine.map` over strings or small objects. */
import { createEngine, task } from "@threadmill/engine";
import { withLoopDelay } from "../harness/loop-delay.js";
import { finish, number, text } from "../harness/report.js";
import { medianMs } from "../harness/timing.js";
import { checkAnswer, makePeople, makeStrings } from "./items.js";
import type { greet, shout } from "./tasks.js";

const engine = createEngine({ threads: number("threads") });
const count = number("items");
const module = new URL("./tasks.js", import.meta.url);
const map = text("kind") === "strings" ? strings() : objects();

checkAnswer(await map(), count);
for (let i = 0; i < number("warmUps"); i++) await map();
const { value: ms, delay } = await withLoopDelay(() => medianMs(0, number("repeats"), map));
finish({ nsPerItem: (ms * 1e6) / count, loopDelayP99Ms: delay.p99Ms, loopDelayMaxMs: delay.maxMs });

function strings(): () => Promise<unknown[]> {
  const items = makeStrings(count);
  return () => engine.map(task<typeof shout>(module, "shout"), items);
}

function objects(): () => Promise<unknown[]> {
  const items = makePeople(count);
  return () => engine.map(task<typeof greet>(module, "greet"), items);
}
