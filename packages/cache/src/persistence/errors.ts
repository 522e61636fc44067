/** What can go wrong with the file of a cache: errors for who asked, warnings for what happens in the background. */
import { hostname } from "node:os";

/** Another cache, in this process or in another one, has the file open. */
export class CacheFileInUseError extends Error {
  static {
    this.prototype.name = "CacheFileInUseError";
  }
  readonly code = "CACHE_FILE_IN_USE";
  readonly file: string;
  /** Of its owner; `undefined` if the lock cannot be read. */
  readonly pid: number | undefined;

  constructor(
    file: string,
    lock: string,
    owner: { readonly pid: number; readonly host: string } | undefined,
    options: ErrorOptions,
  ) {
    const who =
      owner === undefined
        ? "somebody whose lock cannot be read"
        : owner.pid === process.pid && owner.host === hostname()
          ? `this process (${owner.pid})`
          : `process ${owner.pid} on ${owner.host}`;
    super(
      `${file} is in use by ${who}. Close the cache there, or give this one a file of its own. ` +
        `If nobody uses it any more, delete ${lock}`,
      options,
    );
    this.file = file;
    this.pid = owner?.pid;
  }
}

/**
 * - `CACHE_FILE_UNUSABLE`: it could not be opened, read or locked at all.
 * - `CACHE_FILE_NOT_WRITTEN`: a write failed; the file is what it was before.
 * - `CACHE_FILE_LOST`: somebody else has taken the file over; nothing more is written.
 * - `CACHE_FILE_CLOSED`: a flush after the close.
 */
export type CacheFileErrorCode =
  "CACHE_FILE_UNUSABLE" | "CACHE_FILE_NOT_WRITTEN" | "CACHE_FILE_LOST" | "CACHE_FILE_CLOSED";

export class CacheFileError extends Error {
  static {
    this.prototype.name = "CacheFileError";
  }
  readonly code: CacheFileErrorCode;
  readonly file: string;

  constructor(code: CacheFileErrorCode, file: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.file = file;
  }
}

/**
 * - `CACHE_FILE_DAMAGED`: what stood there is damaged, cut off or no cache at all; it was moved aside.
 * - `CACHE_FILE_NEWER`: a newer version wrote it; it was moved aside, whole.
 * - `CACHE_ENTRY_NOT_SAVED`: values that cannot be serialised are left out. Said once for each open.
 * - `CACHE_ENTRY_NOT_RESTORED`: single values could not be read back, all others were.
 * - `CACHE_FILE_NOT_WRITTEN`: a write failed and is tried again. Said once until a write succeeds.
 * - `CACHE_FILE_LOST`: somebody else has taken the file over; nothing more is written.
 */
export type CacheFileWarningCode =
  | "CACHE_FILE_DAMAGED"
  | "CACHE_FILE_NEWER"
  | "CACHE_ENTRY_NOT_SAVED"
  | "CACHE_ENTRY_NOT_RESTORED"
  | "CACHE_FILE_NOT_WRITTEN"
  | "CACHE_FILE_LOST";

/** Given to `process.emitWarning`, unless somebody else listens. */
export class CacheFileWarning extends Error {
  static {
    this.prototype.name = "CacheFileWarning";
  }
  readonly code: CacheFileWarningCode;
  readonly file: string;

  constructor(code: CacheFileWarningCode, file: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.file = file;
  }
}
