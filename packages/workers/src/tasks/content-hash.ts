/** The ready task `content-hash`: the SHA-256 of files, in constant memory. */
import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { defineTask } from "../define-task.js";
import { checkPath } from "./image-item.js";
import { TransientItemError } from "./item-error.js";
import { openFile, unreadable } from "./open-file.js";
import { OptionReader } from "./option-reader.js";

export { ITEM_ERROR_CODES, ItemError, TransientItemError, type ItemErrorCode } from "./item-error.js";

/** A file's path, relative to the process's working directory unless absolute. */
export type ContentHashItem = string | { readonly path: string };

export interface ContentHashOptions {
  /** Whether a path that ends in a symbolic link is followed. Default false: it fails with `NOT_A_FILE`. */
  readonly followSymlinks?: boolean;
}

export interface ContentHash {
  /** SHA-256 of the content: 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** Bytes that were hashed. */
  readonly sizeBytes: number;
}

/** A chunk is hashed in about 0.5 ms: long beside the hop to libuv that fetches it, short beside a cancel. */
const CHUNK_BYTES = 1024 * 1024;

/**
 * Hashes files. A job over it deduplicates by content, keys caches, or finds what has changed.
 *
 * Memory: at most 1 MiB per item in flight, four items per thread, whatever the files' sizes. A cancel is seen
 * between two chunks, so that a file of any size stops within about a millisecond.
 *
 * An item fails with `FILE_UNREADABLE` (gone, or not permitted), `NOT_A_FILE` (a folder, pipe, device, socket or
 * symbolic link), or `FILE_CHANGED` if it was written to while it was read: half of one version and half of another
 * has no hash. The last one is worth a retry, the others are final unless the system's reason passes by itself.
 *
 * @example
 * const files = task<typeof contentHash>(new URL(import.meta.resolve("@threadmill/workers/content-hash")), "contentHash");
 * const { values } = await engine.run(files, paths).result;
 */
export const contentHash = defineTask({
  setup: (options: ContentHashOptions | undefined) => {
    const reader = new OptionReader("content-hash", options);
    const settings = { followSymlinks: reader.boolean("followSymlinks", false) };
    reader.done();
    return settings;
  },
  // While one file's chunk is hashed here, libuv's threads open and read the next ones.
  concurrency: 4,
  // True, and safe: node:crypto and node:fs are parts of Node, not addons. The thread is inside OpenSSL for one chunk at
  // a time, and a terminate waits for the return to JavaScript, as it does for any built-in; reads that libuv has in
  // hand are waited for by Node itself when a thread's environment is torn down. So a thread that hangs on a dead
  // network drive may be ended even though sharp or ONNX Runtime was loaded in it before.
  native: false,
  item: async (item: ContentHashItem, ctx): Promise<ContentHash> => {
    const path = checkPath(typeof item === "object" && item !== null ? item.path : item);
    ctx.throwIfCancelled();
    const { handle, sizeBytes, modifiedNs } = await openFile(path, ctx.resource);
    try {
      const hash = createHash("sha256");
      // One byte more than the file has, so that a small file's end is found by the read that fetches it.
      const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, sizeBytes + 1));
      let hashedBytes = 0;
      for (;;) {
        ctx.throwIfCancelled();
        const { bytesRead } = await handle.read(chunk, 0, chunk.length, hashedBytes);
        if (bytesRead === 0) break;
        hash.update(bytesRead === chunk.length ? chunk : chunk.subarray(0, bytesRead));
        hashedBytes += bytesRead;
        if (bytesRead < chunk.length && hashedBytes === sizeBytes) break;
      }
      await refuseChanged(path, handle, sizeBytes, modifiedNs);
      return { sha256: hash.digest("hex"), sizeBytes: hashedBytes };
    } catch (error) {
      throw isSystemError(error) ? unreadable(path, error) : error;
    } finally {
      await handle.close();
    }
  },
});

export default contentHash;

async function refuseChanged(path: string, handle: FileHandle, sizeBytes: number, modifiedNs: bigint): Promise<void> {
  const after = await handle.stat({ bigint: true });
  if (Number(after.size) === sizeBytes && after.mtimeNs === modifiedNs) return;
  throw new TransientItemError("FILE_CHANGED", `${path} was written to while it was read`);
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}
