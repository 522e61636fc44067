/**
 * One cache at a time on one file, also after its owner was killed.
 *
 * The lock is a file beside it that names its owner (owner.ts). It comes into being with its content, in one step: it
 * is written under another name and linked. Node has no `flock`; a socket would be released by the system when its
 * owner dies, but two containers that share a folder do not see each other's.
 *
 * A dead owner's lock is replaced, never removed first: of two that find it dead, the second would remove the lock of
 * the first. Who wants to replace the lock with token t must hold the lock `….break-t`, which is taken in the same way,
 * then look again, and only then rename its own lock over the dead one. Tokens never come again, so whatever is left
 * lying about of a claim to break t means nothing once t has been replaced; it is swept away by the next owner.
 *
 * Where nobody can tell whether the owner lives (another host, another container, no start times), its heartbeat does:
 * it touches the lock every 5 s, and is taken for dead after 30 s without. It may be wrong about an owner that hangs for
 * so long; therefore owners look before each write whether the lock is still theirs.
 */
import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { type Disk, errorCode, unlessMissing } from "./disk.js";
import { CacheFileError, CacheFileInUseError } from "./errors.js";
import { type Owner, judgeOwner, ownerHere, parseOwner } from "./owner.js";

const HEARTBEAT_MS = 5_000;
const SILENT_MS = 30_000;
/** Each try means that somebody else moved in between; so many in a row mean that something else is wrong. */
const MAX_TRIES = 100;

export class FileLock {
  readonly #disk: Disk;
  readonly #file: string;
  readonly #path: string;
  readonly #owner: Owner;
  readonly #heartbeat: NodeJS.Timeout;

  private constructor(disk: Disk, file: string, owner: Owner) {
    this.#disk = disk;
    this.#file = file;
    this.#path = lockPath(file);
    this.#owner = owner;
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS).unref();
  }

  /** @throws {CacheFileInUseError} somebody else has it. */
  static async acquire(disk: Disk, file: string): Promise<FileLock> {
    const owner = ownerHere();
    await claim(disk, file, lockPath(file), owner);
    return new FileLock(disk, file, owner);
  }

  /** For names that no other owner uses. */
  get token(): string {
    return this.#owner.token;
  }

  /** @throws {CacheFileError} `CACHE_FILE_LOST` if somebody else has taken the lock over. */
  async confirm(): Promise<void> {
    const holder = await readHolder(this.#disk, this.#path);
    if (holder?.token === this.token) return;
    // Removed by hand. Whoever is first has it now.
    if (holder === undefined && (await create(this.#disk, this.#path, this.#owner))) return;
    clearInterval(this.#heartbeat);
    throw new CacheFileError(
      "CACHE_FILE_LOST",
      this.#file,
      `${this.#file} now belongs to ${holder?.owner === undefined ? "somebody else" : `process ${holder.owner.pid}`}; ` +
        "this cache goes on in memory only",
    );
  }

  async release(): Promise<void> {
    clearInterval(this.#heartbeat);
    const holder = await readHolder(this.#disk, this.#path);
    if (holder?.token === this.token) await unlessMissing(this.#disk.unlink(this.#path));
  }

  /** Whatever is wrong with the folder, the next write will say it. */
  #beat(): void {
    this.#touch().catch(() => undefined);
  }

  /** Its own lock only: another owner's must not seem alive because this one is. */
  async #touch(): Promise<void> {
    const holder = await readHolder(this.#disk, this.#path);
    if (holder?.token === this.token) await touch(this.#disk, this.#path);
  }
}

/** Writes the first byte again: so the time is that of the file system's clock, which is what it is compared with. */
async function touch(disk: Disk, path: string): Promise<void> {
  const handle = await disk.open(path, "r+");
  try {
    await handle.write("{", 0);
  } finally {
    await handle.close();
  }
}

function lockPath(file: string): string {
  return `${file}.lock`;
}

/** Removes what crashed owners have left, as far as the system lets it: it is in nobody's way. Only for the lock's owner. */
export async function sweep(disk: Disk, file: string, token: string): Promise<void> {
  const name = basename(file);
  for (const one of await disk.readdir(dirname(file)).catch(() => [])) {
    if (!one.startsWith(name) || one.includes(token)) continue;
    if (
      /^(?:\.tmp-[0-9a-f]{16}|\.lock(?:\.break-[0-9a-f]{16})*(?:\.break-|\.)[0-9a-f]{16})$/.test(one.slice(name.length))
    ) {
      await disk.unlink(join(dirname(file), one)).catch(() => undefined);
    }
  }
}

interface Holder {
  readonly token: string;
  readonly owner: Owner | undefined;
  readonly touchedMs: number;
}

async function claim(disk: Disk, file: string, path: string, owner: Owner): Promise<void> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    if (await create(disk, path, owner)) return;
    const holder = await readHolder(disk, path);
    if (holder === undefined) continue;
    if (await mayLive(disk, path, holder, owner)) {
      throw new CacheFileInUseError(file, lockPath(file), holder.owner, {
        cause: new Error(`${path} is held by ${holder.token}`),
      });
    }
    const right = `${path}.break-${holder.token}`;
    await claim(disk, file, right, owner);
    try {
      const again = await readHolder(disk, path);
      if (again?.token === holder.token && (await replace(disk, path, owner))) return;
    } finally {
      await unlessMissing(disk.unlink(right));
    }
  }
  throw new CacheFileError("CACHE_FILE_UNUSABLE", file, `${path} changed ${MAX_TRIES} times while it was being taken`);
}

async function mayLive(disk: Disk, path: string, holder: Holder, here: Owner): Promise<boolean> {
  const verdict = holder.owner === undefined ? "unknown" : judgeOwner(holder.owner, here);
  if (verdict !== "unknown") return verdict === "alive";
  // By the clock of the file system, which need not be ours. Touched in times to come: before that clock was set back.
  return Math.abs((await diskNowMs(disk, path, here)) - holder.touchedMs) < SILENT_MS;
}

/** Makes the lock, if there is none. */
async function create(disk: Disk, path: string, owner: Owner): Promise<boolean> {
  const draft = await writeDraft(disk, path, owner);
  try {
    await disk.link(draft, path);
    return true;
  } catch (error) {
    const code = errorCode(error);
    // The draft may be gone: swept away by one who was the owner for a moment.
    if (code === "EEXIST" || code === "ENOENT") return false;
    if (code === "EPERM" || code === "ENOTSUP" || code === "EOPNOTSUPP" || code === "ENOSYS") {
      return await createWithoutLinks(disk, path, owner);
    }
    throw error;
  } finally {
    await unlessMissing(disk.unlink(draft));
  }
}

/** File systems of cameras and sticks. A crash in between leaves an empty lock, which is waited out as a silent one. */
async function createWithoutLinks(disk: Disk, path: string, owner: Owner): Promise<boolean> {
  try {
    await disk.writeFile(path, JSON.stringify(owner), { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

async function replace(disk: Disk, path: string, owner: Owner): Promise<boolean> {
  const draft = await writeDraft(disk, path, owner);
  try {
    await disk.rename(draft, path);
    return true;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    await unlessMissing(disk.unlink(draft));
    throw error;
  }
}

async function writeDraft(disk: Disk, path: string, owner: Owner): Promise<string> {
  const draft = `${path}.${owner.token}`;
  try {
    await disk.writeFile(draft, JSON.stringify(owner), { mode: 0o600 });
  } catch (error) {
    // A full disk has room for names.
    await disk.unlink(draft).catch(() => undefined);
    throw error;
  }
  return draft;
}

async function diskNowMs(disk: Disk, path: string, owner: Owner): Promise<number> {
  const draft = await writeDraft(disk, path, owner);
  try {
    return (await unlessMissing(disk.stat(draft)))?.mtimeMs ?? Date.now();
  } finally {
    await unlessMissing(disk.unlink(draft));
  }
}

async function readHolder(disk: Disk, path: string): Promise<Holder | undefined> {
  const text = await unlessMissing(disk.readFile(path, "utf8"));
  const stat = await unlessMissing(disk.stat(path));
  if (text === undefined || stat === undefined) return undefined;
  const owner = parseOwner(text);
  const token = owner?.token ?? createHash("sha256").update(text).digest("hex").slice(0, 16);
  return { token, owner, touchedMs: stat.mtimeMs };
}
