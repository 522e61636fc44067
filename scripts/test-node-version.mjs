/**
 * Runs the packages' tests on another Node version than the one that runs this: threads, Atomics.waitAsync and
 * structured clone are where versions differ. Argument: the major version. It comes from the npm package `node`, whose
 * binary is an npm package too, so that a registry is all it takes.
 */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { root } from "./lib/root.mjs";
import { endAs, run } from "./lib/run.mjs";

const INSTALL_LIMIT_MS = 3 * 60_000;
const TEST_LIMIT_MS = 10 * 60_000;

const major = process.argv[2];
if (major === undefined || !/^\d+$/.test(major)) {
  console.error("usage: node scripts/test-node-version.mjs <major version>");
  process.exit(2);
}

const cwd = fileURLToPath(root);
const found = await run("npx", ["-y", "-p", `node@${major}`, "node", "-p", "process.execPath"], {
  cwd,
  // The banner, notices and warnings would mix with the path.
  env: { ...process.env, npm_config_loglevel: "silent" },
  capture: true,
  timeLimitMs: INSTALL_LIMIT_MS,
});
const node = found.output.trim();
if (found.code !== 0 || !node.includes("node")) {
  console.error(`Node ${major} could not be installed (${found.signal ?? found.code}):\n${found.output}`);
  process.exit(1);
}

const vitest = fileURLToPath(new URL("node_modules/vitest/vitest.mjs", root));
// What computes in one thread and from a seed, or tests files, is the same on every version, and takes the longest; so
// is the suite on one thread beside the one on two.
const same = [
  "commands",
  "planted-bugs",
  "simulator",
  "simulator-by-hand",
  "simulator-fairness",
  "cache-model",
  "snapshot-model",
  "cache-kills",
  "piscina-single",
];
const excluded = same.flatMap((name) => ["--exclude", `**/${name}.test.ts`]);
const projects = readdirSync(new URL("packages/", root)).flatMap((name) => ["--project", name]);

console.log(`\nNode ${major}: ${node} (without ${same.join(", ")})`);
const env = { THREADMILL_RUNS: "8", ...process.env };
endAs(await run(node, [vitest, "run", ...projects, ...excluded], { cwd, env, timeLimitMs: TEST_LIMIT_MS }));
