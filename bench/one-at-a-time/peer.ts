/** A call of a pool. */
import { finish, number, text } from "../harness/report.js";
import { openPool } from "../peers/pool.js";
import { roundTrips } from "./round-trips.js";

const module = new URL("./tasks.js", import.meta.url);
const pool = await openPool(text("peer"), { module, names: ["addOne"], threads: number("threads") });
const figures = await roundTrips(number("warmUps"), number("calls"), (x) => pool.run("addOne", x));
finish({ ...figures });
