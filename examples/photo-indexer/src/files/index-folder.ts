import { createHash } from "node:crypto";
import { basename, join, resolve } from "node:path";

/** Where everything of this example goes unless said otherwise, below the working directory. */
export const WORK_FOLDER = ".threadmill";

/**
 * Where the index of an album lies by default: beside, not inside, the photos, since people sync and share those
 * folders. Two albums of one name differ in the short hash of their real paths.
 */
export function defaultIndexFolder(albumRoot: string, workingFolder = process.cwd()): string {
  const hash = createHash("sha256").update(albumRoot).digest("hex").slice(0, 8);
  const name = basename(albumRoot).replace(/[^\p{L}\p{N}._-]+/gu, "-") || "album";
  return resolve(join(workingFolder, WORK_FOLDER, `${name}-${hash}`));
}
