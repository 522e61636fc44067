/** `npm test`: sets everything up, then runs all tests. Arguments after `--` go to Vitest. */
import "./lib/check-node.mjs";

const { fileURLToPath } = await import("node:url");
const { root } = await import("./lib/root.mjs");
const { endAs, run } = await import("./lib/run.mjs");
const { setUp } = await import("./lib/setup.mjs");

await setUp();

const vitest = fileURLToPath(new URL("node_modules/vitest/vitest.mjs", root));
endAs(await run(process.execPath, [vitest, "run", ...process.argv.slice(2)], { cwd: fileURLToPath(root) }));
