/** The calls that persistence makes to the file system. Tests put a disk in between that fails. */
import * as fs from "node:fs/promises";

export type Disk = Pick<
  typeof fs,
  | "link"
  | "mkdir"
  | "open"
  | "readFile"
  | "readdir"
  | "readlink"
  | "realpath"
  | "rename"
  | "stat"
  | "unlink"
  | "writeFile"
>;

export const realDisk: Disk = fs;

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** What a call answers, or `undefined` if the file is not there. */
export async function unlessMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * Makes the names in a folder last: without it, a rename may be forgotten when the power fails. Some file systems do not
 * let folders be opened or synced at all, which is no reason to give up what has been written (PostgreSQL's `fsync_fname`
 * holds it so too); a disk that fails is one.
 */
export async function syncFolder(disk: Disk, folder: string): Promise<void> {
  // Windows has no such call for folders, and writes renames through by itself.
  if (process.platform === "win32") return;
  try {
    const handle = await disk.open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!CANNOT_SYNC_FOLDERS.has(errorCode(error) ?? "")) throw error;
  }
}

const CANNOT_SYNC_FOLDERS = new Set([
  "EACCES",
  "EBADF",
  "EINVAL",
  "EISDIR",
  "ENOSYS",
  "ENOTSUP",
  "EOPNOTSUPP",
  "EPERM",
]);
