import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { pnpm } from "./pnpm.mjs";
import { root } from "./root.mjs";
import { endAs, run } from "./run.mjs";

/**
 * Makes the repository ready to run: dependencies as the lockfile says, then everything compiled. Takes a minute
 * on a fresh machine, and well under a second when nothing has changed. Says what it does on stderr, so that stdout
 * belongs to whatever runs next. Ends the process if it fails or is interrupted.
 */
export async function setUp() {
  await install();
  await build();
}

/**
 * Written only after an install has succeeded, with a hash of all that it depends on: an interrupted install, a
 * changed lockfile and a folder copied from another machine all lead to a new one. (The lockfile copy that pnpm
 * keeps under node_modules does not tell: it says nothing of the links in each package.)
 */
const stamp = new URL("node_modules/.threadmill-setup", root);

/** Installs the dependencies, unless they are there already. */
export async function install() {
  const wanted = fingerprint();
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted && linksAreThere()) return;

  console.error("threadmill: setting up (installing dependencies; the first time takes a minute) …");
  const [command, args] = pnpm("install", "--frozen-lockfile", "--reporter=append-only");
  // CI=true: pnpm never asks, not even before it replaces a node_modules that something else has made.
  await runQuietly("installing the dependencies", command, args, { ...process.env, CI: "true" });
  mkdirSync(new URL("node_modules/", root), { recursive: true });
  writeFileSync(stamp, wanted);
}

/** Compiles what has changed since the last time. */
async function build() {
  const tsc = fileURLToPath(new URL("node_modules/typescript/bin/tsc", root));
  const fresh = !existsSync(new URL("packages/engine/dist/", root));
  if (fresh) console.error("threadmill: setting up (compiling) …");
  await runQuietly(
    "compiling",
    process.execPath,
    [tsc, "-b", "tsconfig.build.json", "--pretty", process.stderr.isTTY ? "true" : "false"],
    process.env,
  );
}

/** A hash of everything that decides what an install puts into node_modules. */
function fingerprint() {
  const hash = createHash("sha256");
  hash.update(`${process.platform} ${process.arch} ${fileURLToPath(root)}`);
  for (const name of [
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    ...workspaceFolders().map((dir) => `${dir}package.json`),
  ]) {
    hash.update(`\0${name}\0`).update(readFileSync(new URL(name, root)));
  }
  return hash.digest("hex");
}

/** Whether every package still has every dependency: someone may have deleted a node_modules, or a part of it. */
function linksAreThere() {
  return workspaceFolders().every((dir) => {
    /** @type {{ dependencies?: object, devDependencies?: object }} */
    const manifest = JSON.parse(readFileSync(new URL(`${dir}package.json`, root), "utf8"));
    return Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).every((name) =>
      existsSync(new URL(`${dir}node_modules/${name}`, root)),
    );
  });
}

/** The folders that the lockfile knows: "" for the top, else with a slash at the end. */
function workspaceFolders() {
  const lockfile = readFileSync(new URL("pnpm-lock.yaml", root), "utf8");
  const importers = /^importers:\n([^]*?)^\S/m.exec(lockfile)?.[1] ?? "";
  const folders = [...importers.matchAll(/^ {2}(\S+):$/gm)].map((match) => match[1]);
  return folders.map((folder) => (folder === "." ? "" : `${folder}/`)).filter((dir) => existsSync(new URL(dir, root)));
}

/**
 * Runs a step of the set-up. What it prints is shown, on stderr, only if it fails.
 * @param {string} what
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
async function runQuietly(what, command, args, env) {
  const ending = await run(command, args, { cwd: fileURLToPath(root), env, capture: true });
  if (ending.code === 0) return;
  process.stderr.write(ending.output);
  console.error(`threadmill: ${what} failed (see above).`);
  endAs(ending);
}
