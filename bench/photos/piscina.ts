/** Piscina, one photo a call. */
import { Piscina } from "piscina";
import { number, text } from "../harness/report.js";
import { measure } from "./measure.js";

const threads = number("threads");
const model = text("model");
const pool = new Piscina({
  filename: new URL("./tasks.js", import.meta.url).href,
  minThreads: threads,
  maxThreads: threads,
  concurrentTasksPerWorker: number("concurrency"),
  // Its default wait would freeze the loop of a thread that has other photos in flight.
  ...(number("concurrency") > 1 ? { atomics: "disabled" as const } : {}),
});
await measure((paths) =>
  Promise.all(paths.map((path): Promise<unknown> => pool.run({ path, model }, { name: "describeOne" }))),
);
