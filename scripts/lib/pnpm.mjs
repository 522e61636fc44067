import { readFileSync } from "node:fs";
import { root } from "./root.mjs";

/**
 * The command line of the pnpm that `packageManager` names, whether or not any pnpm is installed here. npx keeps
 * it in npm's own cache, so that only the first call downloads.
 * @param {readonly string[]} args
 * @returns {[command: string, args: string[]]}
 */
export function pnpm(...args) {
  /** @type {{ packageManager: string }} */
  const manifest = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
  const npmExec = ["exec", "--yes", "--loglevel=error", "--no-update-notifier", "--", manifest.packageManager];
  // The npm that started us, if one did, is a script that Node can run: that needs no shell, not even on Windows.
  const npmCli = process.env["npm_execpath"];
  return npmCli?.endsWith("npm-cli.js") === true
    ? [process.execPath, [npmCli, ...npmExec, ...args]]
    : ["npm", [...npmExec, ...args]];
}
