/** A small job beside a large one: it gets a thread within an item of the large one. */
import { createEngine, task } from "@threadmill/engine";
import { finish, number, text } from "../harness/report.js";
import { SMALL_JOB, timeFirstResults } from "./samples.js";
import type { addOne, grind } from "./tasks.js";

const engine = createEngine({ threads: number("threads") });
const module = new URL("./tasks.js", import.meta.url);
const iterations = Math.max(1, Math.round(number("iterationsPerMs") * number("itemMs")));
const items = Array.from({ length: 1_000_000 }, () => iterations);
const warm = text("temperature") === "warm";

if (warm) for (let i = 0; i < 20; i++) await firstOf(module);
let isOver = false;
const large = keepBusy();
await new Promise((resolve) => setTimeout(resolve, number("leadMs")));

// Cold: a module that no thread has loaded, and that nobody has a time of.
const figures = await timeFirstResults(number("samples"), (sample) =>
  firstOf(warm ? module : new URL(`./tasks.js?cold=${sample}`, import.meta.url)),
);
isOver = true;
finish({ ...figures });
await large;

async function keepBusy(): Promise<void> {
  while (!isOver) await engine.run(task<typeof grind>(module, "grind"), items, { collect: false }).result;
}

async function firstOf(url: URL): Promise<void> {
  for await (const outcome of engine.run(task<typeof addOne>(url, "addOne"), SMALL_JOB)) {
    if (outcome.status === "completed") return;
  }
}
