/** `pnpm bench`: sets everything up, then measures. Arguments are passed on; `--help` says which there are. */
import "./lib/check-node.mjs";

const { fileURLToPath } = await import("node:url");
const { root } = await import("./lib/root.mjs");
const { endAs, run } = await import("./lib/run.mjs");
const { setUp } = await import("./lib/setup.mjs");

await setUp();

const main = fileURLToPath(new URL("bench/dist/main.js", root));
endAs(
  await run(process.execPath, [main, ...process.argv.slice(2)], {
    // pnpm runs scripts at the top of the repository; folders are meant from where the user typed the command.
    cwd: process.env["INIT_CWD"] ?? process.cwd(),
  }),
);
