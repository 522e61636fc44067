/**
 * Packs every public package as it would be published, and looks at what is in the archive: publint (does package.json
 * tell the truth?), attw (do the types resolve as the code does?), and whether dist is what src compiles to.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { pnpm } from "./lib/pnpm.mjs";
import { root } from "./lib/root.mjs";
import { run } from "./lib/run.mjs";

const packages = new URL("packages/", root);
const folder = mkdtempSync(path.join(tmpdir(), "threadmill-packages-"));
let failed = 0;
try {
  for (const name of readdirSync(packages)) {
    /** @type {{ name: string, private?: boolean }} */
    const manifest = JSON.parse(readFileSync(new URL(`${name}/package.json`, packages), "utf8"));
    if (manifest.private !== true && !(await isGood(name))) failed += 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}
process.exitCode = failed === 0 ? 0 : 1;

/** @param {string} name a folder in packages/ */
async function isGood(name) {
  const cwd = fileURLToPath(new URL(name, packages));
  const archive = path.join(folder, `${name}.tgz`);
  const [command, args] = pnpm("pack", "--json", "--out", archive);
  const packed = await run(command, args, { cwd, capture: true });
  const complaints = packed.code === 0 ? staleFiles(cwd, packed.output) : [packed.output];

  /** @type {[tool: string, args: string[]][]} */
  const tools = [
    ["publint", ["run", archive, "--strict"]],
    // Published as ESM only: that `require` finds no types on Node 16 is as meant.
    ["attw", [archive, "--profile", "esm-only", "--format", "ascii", "--no-emoji"]],
  ];
  if (packed.code === 0) {
    for (const [tool, toolArgs] of tools) {
      const bin = fileURLToPath(new URL(`node_modules/.bin/${tool}`, root));
      const { code, output } = await run(bin, toolArgs, { cwd, capture: true });
      if (code !== 0) complaints.push(`${tool}:\n${output}`);
    }
  }
  console.log(`${complaints.length === 0 ? "✓" : "✗"} ${name}`);
  for (const complaint of complaints) console.log(complaint);
  return complaints.length === 0;
}

/**
 * Compiled files whose source is gone: `tsc -b` leaves them in dist, and they would be published.
 * @param {string} cwd
 * @param {string} listing what `pnpm pack --json` printed
 */
function staleFiles(cwd, listing) {
  /** @type {{ files: { path: string }[] }} */
  const { files } = JSON.parse(listing);
  const paths = files.map((file) => file.path);
  const sources = new Set(paths.filter((file) => file.startsWith("src/")));
  const compiled = paths.filter((file) => file.startsWith("dist/"));
  if (compiled.length === 0) return [`${cwd}: there is no dist in the archive. Is it built?`];
  return compiled
    .filter((file) => !sources.has(file.replace(/^dist/, "src").replace(/(\.d\.ts|\.js)(\.map)?$/, ".ts")))
    .map((file) => `${file} has no source any more: delete dist and build again`);
}
