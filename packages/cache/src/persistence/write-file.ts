/**
 * Writes a cache file beside the old one and puts it in its place in one step: whenever the process or the machine
 * dies, one of the two is there, whole.
 */
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { Slices } from "../slices.js";
import type { StoredEntry } from "../stored-entry.js";
import { type Disk, syncFolder } from "./disk.js";
import { HEADER_BYTES, bodyHash, encodeHeader } from "./file-format.js";
import { type RecordPieces, encodeRecord } from "./record.js";

/** Gathered before they are written: a call to the disk for each small record would be slow. */
const GATHER_BYTES = 256 * 1024;

export interface WriteOrder {
  readonly file: string;
  /** In the same folder, for only within one file system can a file take the place of another in one step. */
  readonly temporary: string;
  readonly entries: readonly StoredEntry[];
  /** Called when all is written, just before it takes effect; may throw to stop it. */
  readonly confirm: () => Promise<void>;
}

export interface LeftOut {
  readonly key: string;
  readonly cause: unknown;
}

/** @returns the entries that cannot be serialised. They are left out, the others are written. */
export async function writeCacheFile(disk: Disk, order: WriteOrder, slices: Slices): Promise<readonly LeftOut[]> {
  const { file, temporary } = order;
  try {
    // For the user alone: nobody else need see results, nor write what we shall deserialise.
    const handle = await disk.open(temporary, "w", 0o600);
    let leftOut;
    try {
      leftOut = await writeAll(handle, order.entries, slices);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await order.confirm();
    await disk.rename(temporary, file);
    await syncFolder(disk, dirname(file));
    return leftOut;
  } catch (error) {
    // If it cannot be removed now, the next write uses it again, and the next open removes it.
    await disk.unlink(temporary).catch(() => undefined);
    throw error;
  }
}

async function writeAll(handle: FileHandle, entries: readonly StoredEntry[], slices: Slices): Promise<LeftOut[]> {
  const leftOut: LeftOut[] = [];
  const hash = bodyHash();
  const gathered = new Gathered(handle, HEADER_BYTES);
  let records = 0;
  for (const entry of entries) {
    const record = tryEncode(entry, leftOut);
    if (record !== undefined) {
      records++;
      for (const piece of record) {
        // A large one a part at a time: hashing 8 MiB at once took 6 ms.
        for (let at = 0; at < piece.length; at += GATHER_BYTES) {
          hash.update(piece.subarray(at, at + GATHER_BYTES));
          if (slices.longStep()) await slices.rest();
        }
        await gathered.add(piece);
      }
    }
    if (slices.longStep()) await slices.rest();
  }
  await gathered.write();
  await writeFully(handle, encodeHeader({ records, bodyBytes: gathered.position - HEADER_BYTES }, hash), 0);
  return leftOut;
}

/** Pieces on their way to the file. */
class Gathered {
  readonly #handle: FileHandle;
  /** Where the next bytes go. */
  position: number;
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(handle: FileHandle, position: number) {
    this.#handle = handle;
    this.position = position;
  }

  async add(piece: Buffer): Promise<void> {
    if (piece.length >= GATHER_BYTES) {
      await this.write();
      this.position += await writeFully(this.#handle, piece, this.position);
      return;
    }
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes >= GATHER_BYTES) await this.write();
  }

  async write(): Promise<void> {
    if (this.#bytes === 0) return;
    const bytes = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#bytes = 0;
    this.position += await writeFully(this.#handle, bytes, this.position);
  }
}

function tryEncode(entry: StoredEntry, leftOut: LeftOut[]): RecordPieces | undefined {
  try {
    return encodeRecord(entry);
  } catch (cause) {
    leftOut.push({ key: entry.key, cause });
    return undefined;
  }
}

/** A single call may write fewer bytes than it was given. */
async function writeFully(handle: FileHandle, bytes: Buffer, position: number): Promise<number> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
  return written;
}
