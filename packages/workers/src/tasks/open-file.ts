/** Opens a file that a stranger may have made: nothing here can hang, follow a link by surprise, or read a device. */
import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { ItemError, TransientItemError } from "./item-error.js";

export interface OpenFileOptions {
  /**
   * Whether a symbolic link at the end of the path is followed. Only the last part of a path is meant: who must stay
   * below a root resolves the folder first. Windows has no such flag; links are followed there.
   */
  readonly followSymlinks: boolean;
}

export interface OpenFile {
  readonly handle: FileHandle;
  readonly sizeBytes: number;
  /** Time of the last write, in nanoseconds: with the size, it shows whether the file was written to meanwhile. */
  readonly modifiedNs: bigint;
}

/** What another attempt may mend: too many open files, a drive that answers late, a file in use. */
const TRANSIENT = new Set(["EMFILE", "ENFILE", "EAGAIN", "EBUSY", "EIO", "ENOMEM", "ESTALE", "ETIMEDOUT", "EINTR"]);

/**
 * Opens a regular file for reading. The caller closes the handle.
 *
 * `O_NONBLOCK`: opening a named pipe that nobody writes to would otherwise hold a libuv thread for ever, and four of
 * them the whole pool. The kind is then asked of the open handle, not of the path, so that nothing can be swapped
 * between the question and the read.
 *
 * @throws {ItemError} `FILE_UNREADABLE` (with the system's error as cause), `NOT_A_FILE`.
 * @throws {TransientItemError} `FILE_UNREADABLE`, where another attempt may succeed.
 */
export async function openFile(path: string, options: OpenFileOptions): Promise<OpenFile> {
  const noFollow = options.followSymlinks ? 0 : (constants.O_NOFOLLOW ?? 0);
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | noFollow).catch(
    (cause: unknown) => {
      throw unreadable(path, cause);
    },
  );
  try {
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) throw new ItemError("NOT_A_FILE", `${path} is not a regular file`);
    return { handle, sizeBytes: Number(stats.size), modifiedNs: stats.mtimeNs };
  } catch (error) {
    await handle.close();
    throw error instanceof ItemError ? error : unreadable(path, error);
  }
}

/** The error of a system call, as one of ours. */
export function unreadable(path: string, cause: unknown): Error {
  const code = String((cause as { readonly code?: unknown }).code);
  if (code === "ELOOP") {
    const text = `${path} is a symbolic link; give its real path, or set followSymlinks`;
    return new ItemError("NOT_A_FILE", text, { cause });
  }
  // ENXIO: the path is a socket, or a pipe's other end is gone.
  if (code === "ENXIO" || code === "EISDIR")
    return new ItemError("NOT_A_FILE", `${path} is not a regular file`, { cause });
  const Kind = TRANSIENT.has(code) ? TransientItemError : ItemError;
  return new Kind("FILE_UNREADABLE", `${path} cannot be read: ${messageOf(cause)}`, { cause });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
