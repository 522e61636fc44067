/** The same with Piscina, batched by hand: a batch that runs is run to its end. */
import { finish, number } from "../harness/report.js";
import { openPool } from "../peers/pool.js";
import { SMALL_JOB, timeFirstResults } from "./samples.js";

const threads = number("threads");
const module = new URL("./tasks.js", import.meta.url);
const pool = await openPool("piscina", { module, names: ["grindBatch", "addOneToAll"], threads });
const iterations = Math.max(1, Math.round(number("iterationsPerMs") * number("itemMs")));
const count = Math.max(1, Math.round(number("batchMs") / number("itemMs")));

await pool.run("addOneToAll", SMALL_JOB);
// As many batches of the large job as keep the threads busy: one runs, one waits. All of them at once would make a
// small job wait for the whole of it.
for (let lane = 0; lane < number("batchesInHand") * threads; lane++) void keepBusy();
await new Promise((resolve) => setTimeout(resolve, number("leadMs")));
const figures = await timeFirstResults(number("samples"), async () => pool.run("addOneToAll", SMALL_JOB));
finish({ ...figures });

async function keepBusy(): Promise<never> {
  for (;;) await pool.run("grindBatch", { iterations, count });
}
