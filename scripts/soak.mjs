/** `pnpm test:soak`: sets everything up, then tests for long. Arguments are passed on; `--help` says which there are. */
import "./lib/check-node.mjs";

const { fileURLToPath } = await import("node:url");
const { root } = await import("./lib/root.mjs");
const { endAs, run } = await import("./lib/run.mjs");
const { setUp } = await import("./lib/setup.mjs");

await setUp();

const main = fileURLToPath(new URL("packages/conformance/dist/soak.js", root));
endAs(await run(process.execPath, [main, ...process.argv.slice(2)], { cwd: fileURLToPath(root) }));
