/**
 * Packs every public package as it would be published, and looks at what is in the archive: publint (does package.json
 * tell the truth?), attw (do the types resolve as the code does?), and whether dist is what src compiles to.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { pack, publicPackages } from "./lib/public-packages.mjs";
import { root } from "./lib/root.mjs";
import { run } from "./lib/run.mjs";

const folder = mkdtempSync(path.join(tmpdir(), "threadmill-packages-"));
let failed = 0;
try {
  for (const cwd of publicPackages()) {
    if (!(await isGood(cwd))) failed += 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}
process.exitCode = failed === 0 ? 0 : 1;

/** @param {string} cwd the folder of a package */
async function isGood(cwd) {
  const name = path.basename(cwd);
  const archive = path.join(folder, `${name}.tgz`);
  const packed = await pack(cwd, archive);
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
    .filter(
      (file) => !sources.has(file.replace(/^dist/, "src").replace(/(?:\.d\.(c?)ts|\.(c?)js)(?:\.map)?$/, ".$1$2ts")),
    )
    .map((file) => `${file} has no source any more: delete dist and build again`);
}
