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
  let pieces: Buffer[] = [];
  let gathered = 0;
  let records = 0;
  let position = HEADER_BYTES;
  const put = async (): Promise<void> => {
    position += await writeFully(handle, Buffer.concat(pieces), position);
    pieces = [];
    gathered = 0;
  };
  for (const entry of entries) {
    const record = tryEncode(entry, leftOut);
    if (record !== undefined) {
      records++;
      for (const piece of record) {
        hash.update(piece);
        pieces.push(piece);
        gathered += piece.length;
      }
    }
    if (gathered >= GATHER_BYTES) await put();
    if (slices.longStep()) await slices.rest();
  }
  await put();
  await writeFully(handle, encodeHeader({ records, bodyBytes: position - HEADER_BYTES }, hash), 0);
  return leftOut;
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
