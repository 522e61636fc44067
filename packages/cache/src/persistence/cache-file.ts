/**
 * Keeps a cache in a file: reads it when it is opened, writes it anew a moment after something has changed.
 *
 * What is written is the cache at one instant: the entries are taken together, then serialised one by one while the
 * process goes on. Between writes the file lags behind by `flushMs` and the time of a write; a crash loses that much.
 */
import { InvalidArgumentError } from "@threadmill/protocol";
import { checkFunction, show } from "../cache-options.js";
import { callSafely } from "../safe-call.js";
import { Slices } from "../slices.js";
import { type CacheChange, type CacheKeeper, type StoredEntry, isInTime } from "../stored-entry.js";
import { type Disk, realDisk, unlessMissing } from "./disk.js";
import { CacheFileError, CacheFileWarning, type CacheFileWarningCode } from "./errors.js";
import { FileLock, sweep } from "./lock.js";
import { readCacheFile } from "./read-file.js";
import { realPath } from "./real-path.js";
import { setAside } from "./set-aside.js";
import { type LeftOut, writeCacheFile } from "./write-file.js";

/** What the main thread does for the file at a stretch. */
const SLICE = { maxMs: 2, maxSteps: 4_096 };
/** Times of use alone are not worth more. */
const ACCESS_MS = 30_000;
/** A cache that is always changing and slow to write does so a tenth of the time at the most. */
const REST_PER_WRITE = 9;
/** A write may also have been long because the machine slept, or a disk of the network was away. */
const MAX_REST_MS = 300_000;
const MIN_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

export interface CacheFileOptions {
  /** Its folder is made if there is none. Beside it lie, at times, `<file>.lock` and `<file>.tmp-…`. */
  readonly file: string;
  /** How long changes are gathered before they are written. Default 1,000. */
  readonly flushMs?: number | undefined;
  /** The wall clock, as of the entries. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
  /** Default: `process.emitWarning`. */
  readonly onWarning?: ((warning: CacheFileWarning) => void) | undefined;
  /** @internal */
  readonly disk?: Disk;
}

export interface OpenedCacheFile {
  /** What the file held and has not expired, in the order in which it was saved. */
  readonly entries: readonly StoredEntry[];
  readonly file: CacheFile;
}

/**
 * Opens the file and locks it until `close`. What is damaged, or no cache file, or of a newer version, is moved aside
 * with a warning, and the cache starts empty.
 *
 * @param dump all entries as they are now; called at the start of each write.
 * @throws {CacheFileInUseError} another cache has the file open.
 * @throws {CacheFileError} `CACHE_FILE_UNUSABLE`: the system refuses the file or its folder.
 * @throws {InvalidArgumentError} an option that makes no sense.
 */
export async function openCacheFile(
  options: CacheFileOptions,
  dump: () => Iterable<StoredEntry>,
): Promise<OpenedCacheFile> {
  const { flushMs = 1_000, now = Date.now, onWarning, disk = realDisk } = options;
  if (typeof options.file !== "string" || options.file === "") {
    throw new InvalidArgumentError(`file must be the path of a file, not ${show(options.file)}`);
  }
  checkFunction("onWarning", onWarning);
  if (typeof flushMs !== "number" || !(flushMs >= 0 && flushMs < 2 ** 31)) {
    throw new InvalidArgumentError(`flushMs must be a time from 0 to 24 days, not ${show(flushMs)}`);
  }
  const path = await unlessRefused(options.file, () => realPath(disk, options.file));
  await refuseOtherThanFile(disk, path);
  const lock = await unlessRefused(path, () => FileLock.acquire(disk, path));
  const warn = warner(path, onWarning);
  try {
    const reading = await unlessRefused(path, async () => {
      await sweep(disk, path, lock.token);
      const found = await readCacheFile(disk, path, new Slices(SLICE));
      if (found.status === "damaged" || found.status === "newer") {
        const aside = await setAside(disk, path, found.status);
        const why =
          found.status === "newer" ? `is of a newer version (${found.version})` : `is damaged: ${found.reason}`;
        warn(
          found.status === "newer" ? "CACHE_FILE_NEWER" : "CACHE_FILE_DAMAGED",
          `${path} ${why}. It was moved to ${aside}, and the cache starts empty`,
        );
      }
      return found;
    });
    if (reading.status === "read" && reading.unreadable.length > 0) {
      const { length } = reading.unreadable;
      const cause = reading.unreadable[0];
      warn("CACHE_ENTRY_NOT_RESTORED", `${length} entries of ${path} cannot be read here and are left out`, { cause });
    }
    const nowMs = now();
    const entries = reading.status === "read" ? reading.entries.filter((entry) => lives(entry, nowMs)) : [];
    return { entries, file: new CacheFile({ path, flushMs, now, disk, lock, warn, dump }) };
  } catch (error) {
    await lock.release().catch(() => undefined);
    throw error;
  }
}

type Warn = (code: CacheFileWarningCode, message: string, options?: ErrorOptions) => void;

interface Parts {
  readonly path: string;
  readonly flushMs: number;
  readonly now: () => number;
  readonly disk: Disk;
  readonly lock: FileLock;
  readonly warn: Warn;
  readonly dump: () => Iterable<StoredEntry>;
}

export class CacheFile implements CacheKeeper {
  readonly #parts: Parts;
  /** `lost`: somebody else has the file now, and nothing is written any more. */
  #phase: "open" | "closing" | "closed" | "lost" = "open";
  /** Changes so far, and how many of them the file holds. */
  #changes = 0;
  #savedChanges = 0;
  #contentChanged = false;
  /** Cleared a moment after it has ended, never before it is set: a write may fail in its first step. */
  #writing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** By `performance.now`: a clock that is set does not hold a write back. */
  #dueMs = Infinity;
  #notBeforeMs = 0;
  #accessNotBeforeMs = performance.now() + ACCESS_MS;
  /** Since the last write that went well. */
  #failures = 0;
  #warnedOfLeftOut = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Where the file really is: absolute, without symbolic links. */
  get path(): string {
    return this.#parts.path;
  }

  /** Something has changed and wants to be written some time. Cheap, and never throws. */
  changed(change: CacheChange): void {
    this.#changes++;
    if (change === "content") {
      if (this.#contentChanged) return;
      this.#contentChanged = true;
    } else if (this.#timer !== undefined) return;
    if (this.#writing === undefined) this.#arm();
  }

  /**
   * Resolves when all that changed before the call is in the file, also times of use.
   *
   * @throws {CacheFileError} `CACHE_FILE_NOT_WRITTEN`, `CACHE_FILE_LOST`, `CACHE_FILE_CLOSED`.
   */
  async flush(): Promise<void> {
    if (this.#phase === "closing" || this.#phase === "closed") {
      throw new CacheFileError("CACHE_FILE_CLOSED", this.path, `the cache of ${this.path} is closed`);
    }
    await this.#save();
  }

  /**
   * Writes what is not yet in the file and gives the file free, in any case. The cache goes on in memory.
   *
   * @throws {CacheFileError} the last write failed.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const wasLost = this.#phase === "lost";
    this.#phase = "closing";
    this.#disarm();
    try {
      // Nothing more is to be had from a file that is somebody else's; that has been said.
      if (!wasLost) await this.#save();
    } finally {
      this.#phase = "closed";
      this.#disarm();
      // If this fails, the lock names a process that will be dead, and the next owner replaces it.
      await this.#parts.lock.release().catch(() => undefined);
    }
  }

  async #save(): Promise<void> {
    const wanted = this.#changes;
    // A write that is running took its entries before: it may not hold the last changes, and may fail without them.
    if (this.#writing !== undefined) await this.#writing.catch(() => undefined);
    while (this.#savedChanges < wanted) {
      this.#writing ??= this.#write().finally(() => {
        this.#writing = undefined;
        if (this.#changes > this.#savedChanges) this.#arm();
      });
      await this.#writing;
    }
  }

  async #write(): Promise<void> {
    this.#disarm();
    const { path, disk, lock, dump, now, flushMs } = this.#parts;
    const startedMs = performance.now();
    const changes = this.#changes;
    const hadContent = this.#contentChanged;
    this.#contentChanged = false;
    try {
      if (this.#phase === "lost") throw new CacheFileError("CACHE_FILE_LOST", path, `${path} belongs to somebody else`);
      const nowMs = now();
      const entries: StoredEntry[] = [];
      // In one go: this is the instant that the file will show.
      for (const entry of dump()) if (lives(entry, nowMs)) entries.push(entry);
      const order = { file: path, temporary: `${path}.tmp-${lock.token}`, entries, confirm: () => lock.confirm() };
      this.#tellOfLeftOut(await writeCacheFile(disk, order, new Slices(SLICE)));
      this.#savedChanges = changes;
      this.#failures = 0;
    } catch (error) {
      this.#contentChanged ||= hadContent;
      throw this.#failed(error);
    } finally {
      const endedMs = performance.now();
      const retryMs = Math.min(Math.max(flushMs, MIN_RETRY_MS) * 2 ** this.#failures, MAX_RETRY_MS);
      const restMs = Math.min((endedMs - startedMs) * REST_PER_WRITE, MAX_REST_MS);
      this.#notBeforeMs = endedMs + Math.max(restMs, this.#failures === 0 ? 0 : retryMs);
      this.#accessNotBeforeMs = endedMs + ACCESS_MS;
    }
  }

  #failed(cause: unknown): CacheFileError {
    this.#failures++;
    const { path, warn } = this.#parts;
    if (cause instanceof CacheFileError && cause.code === "CACHE_FILE_LOST") {
      if (this.#phase === "open") this.#phase = "lost";
      if (this.#failures === 1) warn("CACHE_FILE_LOST", cause.message, { cause });
      return cause;
    }
    const message = `${path} could not be written and is what it was before: ${String(cause)}`;
    if (this.#failures === 1) warn("CACHE_FILE_NOT_WRITTEN", `${message}. It is tried again`, { cause });
    return new CacheFileError("CACHE_FILE_NOT_WRITTEN", path, message, { cause });
  }

  #tellOfLeftOut(leftOut: readonly LeftOut[]): void {
    const [first] = leftOut;
    if (first === undefined || this.#warnedOfLeftOut) return;
    this.#warnedOfLeftOut = true;
    const others = leftOut.length > 1 ? `, and of ${leftOut.length - 1} others,` : "";
    this.#parts.warn(
      "CACHE_ENTRY_NOT_SAVED",
      `the value of ${JSON.stringify(first.key.slice(0, 200))}${others} cannot be serialised and is not saved; ` +
        "from now on such values are left out without a word",
      { cause: first.cause },
    );
  }

  /** Sets the timer for the next write, unless it is set for earlier. It does not hold the process. */
  #arm(): void {
    if (this.#phase !== "open") return;
    const nowMs = performance.now();
    const wishedMs = Math.max(
      nowMs + this.#parts.flushMs,
      this.#notBeforeMs,
      this.#contentChanged ? 0 : this.#accessNotBeforeMs,
    );
    if (this.#timer !== undefined && this.#dueMs <= wishedMs) return;
    this.#disarm();
    this.#dueMs = wishedMs;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      // Whoever waits for it is told of a failure there; everybody else has been warned.
      this.#save().catch(() => undefined);
    }, wishedMs - nowMs).unref();
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

function lives(entry: StoredEntry, nowMs: number): boolean {
  return entry.expiresAtMs === undefined || isInTime(entry.storedAtMs, entry.expiresAtMs, nowMs);
}

/** What is no file is not to be moved aside as a damaged one: for root, that would be the end of `/dev/null`. */
async function refuseOtherThanFile(disk: Disk, path: string): Promise<void> {
  const stat = await unlessRefused(path, () => unlessMissing(disk.stat(path)));
  if (stat === undefined || stat.isFile()) return;
  throw new CacheFileError("CACHE_FILE_UNUSABLE", path, `${path} cannot be used: it is no file`);
}

async function unlessRefused<T>(path: string, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (cause) {
    const isSystems = cause instanceof Error && "syscall" in cause;
    if (!isSystems) throw cause;
    throw new CacheFileError("CACHE_FILE_UNUSABLE", path, `${path} cannot be used: ${cause.message}`, { cause });
  }
}

function warner(path: string, onWarning: CacheFileOptions["onWarning"]): Warn {
  return (code, message, options) => {
    const warning = new CacheFileWarning(code, path, message, options);
    if (onWarning === undefined) process.emitWarning(warning);
    else callSafely(onWarning, warning);
  };
}
