import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { systemCode } from "../errors.js";

/** Where everything of this example goes unless said otherwise, below the working directory. */
export const WORK_FOLDER = ".threadmill";

/**
 * Where the index of an album lies by default: beside, not inside, the photos, since people sync and share those
 * folders. Two albums of one name differ in the short hash of their real paths.
 */
export function defaultIndexFolder(albumRoot: string, workingFolder = process.cwd()): string {
  const hash = createHash("sha256").update(albumRoot).digest("hex").slice(0, 8);
  const name = basename(albumRoot).replace(/[^\p{L}\p{N}._-]+/gu, "-") || "album";
  // A name may have 255 bytes, and a letter up to four.
  const short = /^.{0,60}/su.exec(name)?.[0] ?? name;
  return resolve(join(workingFolder, WORK_FOLDER, `${short}-${hash}`));
}

/**
 * The real path of a folder that need not exist yet: an index that lies in the album by way of a symbolic link would
 * otherwise not be known for what it is, and each run would index the thumbnails of the one before.
 */
export async function realIndexFolder(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch (error) {
    const parent = dirname(folder);
    if (systemCode(error) !== "ENOENT" || parent === folder) return folder;
    return join(await realIndexFolder(parent), basename(folder));
  }
}
