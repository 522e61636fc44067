/** The same with Piscina's signal, in a process of its own: it does not survive. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { finish } from "../harness/report.js";

const victim = spawnSync(process.execPath, [fileURLToPath(new URL("./piscina-victim.js", import.meta.url))], {
  encoding: "utf8",
});
const begun = victim.stdout.trim().split("\n").length;
const survived = victim.status === 0 ? begun : begun - 1;
finish({ survived });
