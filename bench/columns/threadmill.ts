/** `engine.map` over a column, on threads that have served other handlers before. */
import { createEngine, task } from "@threadmill/engine";
import { finish, number, text } from "../harness/report.js";
import { medianMs } from "../harness/timing.js";
import { checkRoots, sharedInput } from "./input.js";
import type * as tasks from "./tasks.js";

const url = new URL("./tasks.js", import.meta.url);
const rooting = task<typeof tasks.roots>(url, "roots");
const engine = createEngine({ threads: number("threads") });
const shared = sharedInput(number("items"));
const input = text("input") === "shared" ? shared : new Float32Array(shared);

await engine.map(task<typeof tasks.halves>(url, "halves"), new Int32Array(100_000));
await engine.map(task<typeof tasks.addOne>(url, "addOne"), Array.from({ length: 20_000 }, Number));
await engine.map(task<typeof tasks.upperCase>(url, "upperCase"), Array.from({ length: 20_000 }, String));

checkRoots(input, await engine.map(rooting, input));
const ms = await medianMs(number("warmUps"), number("repeats"), () => engine.map(rooting, input));
finish({ nsPerItem: (ms * 1e6) / input.length });
