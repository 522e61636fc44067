/** The calls that persistence makes to the file system. Tests put a disk in between that fails. */
import * as fs from "node:fs/promises";

export type Disk = Pick<
  typeof fs,
  "link" | "mkdir" | "open" | "readFile" | "readdir" | "realpath" | "rename" | "stat" | "unlink" | "writeFile"
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

/** Makes the names in a folder last: without it, a rename may be forgotten when the power fails. */
export async function syncFolder(disk: Disk, folder: string): Promise<void> {
  // Windows has no such call for folders, and writes renames through by itself.
  if (process.platform === "win32") return;
  const handle = await disk.open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
