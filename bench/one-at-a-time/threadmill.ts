/** `engine.call`. */
import { createEngine, task } from "@threadmill/engine";
import { finish, number } from "../harness/report.js";
import { roundTrips } from "./round-trips.js";
import type { addOne } from "./tasks.js";

const engine = createEngine({ threads: number("threads") });
const adding = task<typeof addOne>(new URL("./tasks.js", import.meta.url), "addOne");
const figures = await roundTrips(number("warmUps"), number("calls"), (x) => engine.call(adding, x));
finish({ ...figures });
