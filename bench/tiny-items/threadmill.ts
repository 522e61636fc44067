/** `engine.map`, array in, array out, with nothing set but the number of threads. */
import { createEngine, task } from "@threadmill/engine";
import { finish, number, text } from "../harness/report.js";
import { medianMs } from "../harness/timing.js";
import { checkAnswer, makeItems } from "./items.js";
import type { addOneOrNull } from "./tasks.js";

const engine = createEngine({ threads: number("threads") });
const kind = text("kind");
const adding = task<typeof addOneOrNull>(
  new URL("./tasks.js", import.meta.url),
  kind === "mixed" ? "addOneOrNull" : "addOne",
);
const items = makeItems(kind, number("items"));
checkAnswer(items, await engine.map(adding, items));
const ms = await medianMs(number("warmUps"), number("repeats"), () => engine.map(adding, items));
finish({ nsPerItem: (ms * 1e6) / items.length });
