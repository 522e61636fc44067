/** Where a file really is: two ways to it must meet at one lock, and a rename must not replace a link by a file. */
import { basename, dirname, join, resolve } from "node:path";
import { type Disk, errorCode, unlessMissing } from "./disk.js";

/** Absolute, without symbolic links. Its folder is made if there is none. */
export async function realPath(disk: Disk, file: string): Promise<string> {
  const path = resolve(file);
  await disk.mkdir(dirname(path), { recursive: true });
  const target = await unlessMissing(disk.realpath(path));
  if (target !== undefined) return target;
  const folder = await disk.realpath(dirname(path));
  // It may be a link to a file that is yet to be made.
  const link = await linkTarget(disk, path);
  return link === undefined ? join(folder, basename(path)) : realPath(disk, resolve(folder, link));
}

async function linkTarget(disk: Disk, path: string): Promise<string | undefined> {
  try {
    return await disk.readlink(path);
  } catch (error) {
    const code = errorCode(error);
    // EINVAL: it is no link, but has just come into being.
    if (code === "ENOENT" || code === "EINVAL" || code === "UNKNOWN") return undefined;
    throw error;
  }
}
