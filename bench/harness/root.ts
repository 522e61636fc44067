import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The repository's folder; found on the way up, since this file runs compiled and, in tests, as it is. */
export const root = findRoot(import.meta.dirname);

function findRoot(folder: string): string {
  if (existsSync(join(folder, "pnpm-workspace.yaml"))) return folder;
  if (dirname(folder) === folder) throw new Error("bench runs inside its repository");
  return findRoot(dirname(folder));
}
