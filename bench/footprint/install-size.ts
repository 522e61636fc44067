/** What an install of a package brings with it: its own files and those of all that it depends on. */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly files?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface InstallSize {
  readonly packages: number;
  readonly bytes: number;
}

/** Optional dependencies count where they are installed; peer dependencies, which the user chooses, do not. */
export function installSize(names: readonly string[], from: string): InstallSize {
  const folders = new Set<string>();
  const pending = names.map((name) => ({ name, from, optional: false }));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const folder = findPackage(next.name, next.from);
    if (folder === undefined) {
      if (next.optional) continue;
      throw new Error(`${next.name} is not installed`);
    }
    if (folders.has(folder)) continue;
    folders.add(folder);
    const { dependencies = {}, optionalDependencies = {} } = readManifest(folder);
    for (const name of Object.keys(dependencies)) pending.push({ name, from: folder, optional: false });
    for (const name of Object.keys(optionalDependencies)) pending.push({ name, from: folder, optional: true });
  }
  return { packages: folders.size, bytes: [...folders].reduce((sum, folder) => sum + publishedBytes(folder), 0) };
}

/** As Node looks for it: in the `node_modules` beside each folder on the way up. */
function findPackage(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return realpathSync(candidate);
    if (dirname(folder) === folder) return undefined;
  }
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}

/** An installed package holds what was published; one of this workspace more, of which its `files` would be. */
function publishedBytes(folder: string): number {
  const { files } = readManifest(folder);
  const ofWorkspace = !folder.includes("node_modules");
  if (!ofWorkspace) return bytesIn(folder);
  const published = ["package.json", "README.md", "LICENSE", ...(files ?? [])].map((name) => join(folder, name));
  return published.reduce((sum, path) => sum + (existsSync(path) ? bytesIn(path) : 0), 0);
}

function bytesIn(path: string): number {
  const stats = statSync(path);
  if (!stats.isDirectory()) return path.endsWith(".tsbuildinfo") ? 0 : stats.size;
  return readdirSync(path)
    .filter((name) => name !== "node_modules")
    .reduce((sum, name) => sum + bytesIn(join(path, name)), 0);
}
