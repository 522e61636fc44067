/** Files that stand in the place of a cache file and cannot be used: moved out of the way, and the newest of them kept. */
import { basename, dirname, join } from "node:path";
import { type Disk, unlessMissing } from "./disk.js";
import { beginsAsCacheFile } from "./file-format.js";

/** So many of each kind are kept beside a file: enough to find out what happened, too few to fill the disk. */
export const MAX_SET_ASIDE = 3;

type Kind = "damaged" | "newer";

/** Moves the file to `<file>.<kind>-<time>`, and removes what was moved there long ago. Only for the owner of the lock. */
export async function setAside(disk: Disk, path: string, kind: Kind): Promise<string> {
  const stamp = new Date().toISOString().replaceAll(/[-:.]/g, "");
  for (let copy = 1; ; copy++) {
    const aside = `${path}.${kind}-${stamp}${copy === 1 ? "" : `-${copy}`}`;
    if ((await unlessMissing(disk.stat(aside))) !== undefined) continue;
    await disk.rename(path, aside);
    // What cannot be removed, or looked at, stays.
    await removeOld(disk, aside, `${basename(path)}.${kind}-`).catch(() => undefined);
    return aside;
  }
}

async function removeOld(disk: Disk, newest: string, prefix: string): Promise<void> {
  const folder = dirname(newest);
  const others = (await disk.readdir(folder)).filter(
    (name) => name.startsWith(prefix) && name !== basename(newest) && TIME.test(name.slice(prefix.length)),
  );
  // Times read as text are in their order. The newest is known, whatever the clock said then.
  const old = others.toSorted().slice(0, Math.max(others.length - (MAX_SET_ASIDE - 1), 0));
  for (const name of old) {
    const path = join(folder, name);
    if (await isOurs(disk, path)) await disk.unlink(path);
  }
}

const TIME = /^\d{8}T\d{9}Z(?:-\d+)?$/;

/** Whoever names a file of his own as a cache file finds it moved aside, and keeps it. */
async function isOurs(disk: Disk, path: string): Promise<boolean> {
  if (!(await disk.stat(path)).isFile()) return false;
  const handle = await disk.open(path, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(16), 0, 16, 0);
    return beginsAsCacheFile(buffer.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}
