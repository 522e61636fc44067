/**
 * `npm start`: sets everything up, then runs the photo indexer. Arguments after `--` are passed on.
 */
import "./lib/check-node.mjs";

const { existsSync } = await import("node:fs");
const { availableParallelism } = await import("node:os");
const { fileURLToPath } = await import("node:url");
const { root } = await import("./lib/root.mjs");
const { endAs, run } = await import("./lib/run.mjs");
const { setUp } = await import("./lib/setup.mjs");

await setUp();

const cli = fileURLToPath(new URL("examples/photo-indexer/dist/cli.js", root));
if (!existsSync(cli)) {
  console.error(`threadmill: ${cli} is missing after the build.`);
  process.exit(1);
}

// sharp works in libuv's threads, which all threads of the process share: four decodes for each engine thread, and some
// for files. On Node 20 their number is fixed before a line of the application runs: hence here too.
const UV_THREADPOOL_SIZE = process.env["UV_THREADPOOL_SIZE"] ?? String(Math.min(1024, 4 * availableParallelism() + 4));

const ending = await run(process.execPath, [cli, ...process.argv.slice(2)], {
  // npm runs scripts at the top of the repository; folders are meant from where the user typed the command.
  cwd: process.env["INIT_CWD"] ?? process.cwd(),
  env: { ...process.env, UV_THREADPOOL_SIZE },
});
endAs(ending);
