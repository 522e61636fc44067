/**
 * Runs every example as a reader would, and fails if one does not end with code 0: each `examples/NN-name` in order
 * (its compiled file, or the .mjs that it is), then the photo indexer on its own sample album.
 */
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { root } from "./lib/root.mjs";
import { run } from "./lib/run.mjs";

const EXAMPLE_LIMIT_MS = 5 * 60_000;

const examples = new URL("examples/", root);

/** @type {{ name: string, script: URL, args: string[] }[]} */
const runs = readdirSync(examples)
  .filter((name) => /^\d\d-/.test(name))
  .toSorted()
  // A server has a demo, which ends by itself.
  .map((name) => ({
    name,
    script: entryOf(name),
    args: existsSync(new URL(`${name}/demo.ts`, examples)) ? ["--demo"] : [],
  }));
if (existsSync(new URL("photo-indexer/dist/cli.js", examples))) {
  runs.push({ name: "photo-indexer", script: new URL("scripts/start.mjs", root), args: ["--json"] });
}

let failed = 0;
for (const { name, script, args } of runs) {
  const { code, signal, output } = await run(process.execPath, [fileURLToPath(script), ...args], {
    cwd: fileURLToPath(root),
    capture: true,
    timeLimitMs: EXAMPLE_LIMIT_MS,
  });
  const passed = code === 0;
  if (!passed) failed += 1;
  console.log(`${passed ? "✓" : "✗"} ${name}${passed ? "" : ` ended with ${signal ?? code}:\n${output}`}`);
}
console.log(`${runs.length} examples, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/**
 * The file that an example starts with.
 * @param {string} name a file or folder in examples/
 */
function entryOf(name) {
  const stem = name.replace(/\.m?[jt]s$/, "");
  const candidates = [
    `${stem}.mjs`,
    `dist/${stem}.js`,
    ...["main", "index", stem].flatMap((file) => [
      `${stem}/${file}.mjs`,
      `${stem}/dist/${file}.js`,
      `dist/${stem}/${file}.js`,
    ]),
  ];
  const found = candidates.map((path) => new URL(path, examples)).find((url) => existsSync(url));
  if (found === undefined) throw new Error(`examples/${name}: none of ${candidates.join(", ")} exists. Is it built?`);
  return found;
}
