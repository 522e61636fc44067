import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** Content that is written bit by bit: a page for a large album never stands in memory whole. */
export type Chunks = Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/** A file that is complete on disk under a temporary name, one rename away from being seen. */
export interface PreparedFile {
  /** Puts it in its place, in one step: a reader sees the old file or the new one, never a part. */
  commit(): Promise<void>;
  /** Removes it. Does nothing after a commit. */
  discard(): Promise<void>;
}

/**
 * Writes a file beside its place and flushes it, so that what may fail (a full disk, a missing right) has failed before
 * anything is replaced. Chunks are written one by one, and a cancel between two of them leaves nothing behind.
 */
export async function prepareFile(path: string, chunks: Chunks, signal?: AbortSignal): Promise<PreparedFile> {
  await mkdir(dirname(path), { recursive: true });
  // One name, not a fresh one each time: what a killed process has left is overwritten by the next. Two writers of one
  // file at a time must be kept apart by the caller, as the lock of an index does.
  const temporary = `${path}.tmp`;
  const discard = async (): Promise<void> => {
    await rm(temporary, { force: true });
  };
  try {
    const file = await open(temporary, "w");
    try {
      for await (const chunk of chunks) {
        signal?.throwIfAborted();
        await file.write(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
      }
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    await discard();
    throw error;
  }
  return {
    commit: async () => {
      await rename(temporary, path);
      await syncFolder(dirname(path));
    },
    discard,
  };
}

/** Writes a file whole, or not at all. */
export async function writeAtomically(path: string, content: string | Uint8Array): Promise<void> {
  const prepared = await prepareFile(path, [content]);
  await prepared.commit();
}

/** A rename is on disk only when its folder is. Windows cannot open a folder, and needs no such call. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
