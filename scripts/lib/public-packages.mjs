import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { pnpm } from "./pnpm.mjs";
import { root } from "./root.mjs";
import { run } from "./run.mjs";

/** The folders of the packages that are published. */
export function publicPackages() {
  const packages = new URL("packages/", root);
  return readdirSync(packages)
    .filter((name) => {
      /** @type {{ private?: boolean }} */
      const manifest = JSON.parse(readFileSync(new URL(`${name}/package.json`, packages), "utf8"));
      return manifest.private !== true;
    })
    .map((name) => fileURLToPath(new URL(name, packages)));
}

/**
 * Packs a package as it would be published; the ending's output is a listing in JSON.
 * @param {string} folder the package's
 * @param {string} archive the file to write
 */
export function pack(folder, archive) {
  const [command, args] = pnpm("pack", "--json", "--out", archive);
  return run(command, args, { cwd: folder, capture: true });
}
