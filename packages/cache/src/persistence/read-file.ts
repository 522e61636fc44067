/** Reads a cache file: checks all of it before a single byte is trusted, then takes the entries out one by one. */
import type { FileHandle } from "node:fs/promises";
import type { Slices } from "../slices.js";
import type { StoredEntry } from "../stored-entry.js";
import { type Disk, unlessMissing } from "./disk.js";
import { HEADER_BYTES, bodyHash, checksum, countsOf, readHeader } from "./file-format.js";
import { decodeRecord, recordEnd } from "./record.js";

/** Hashing it takes about half a millisecond. */
const CHUNK_BYTES = 1024 * 1024;

export type FileReading =
  | { readonly status: "missing" }
  | { readonly status: "newer"; readonly version: string }
  | { readonly status: "damaged"; readonly reason: string }
  | { readonly status: "read"; readonly entries: StoredEntry[]; readonly unreadable: readonly unknown[] };

/** @throws {Error} a file that the system cannot read: that says nothing of what is in it. */
export async function readCacheFile(disk: Disk, file: string, slices: Slices): Promise<FileReading> {
  const handle = await unlessMissing(disk.open(file, "r"));
  if (handle === undefined) return { status: "missing" };
  let checked;
  try {
    checked = await readChecked(handle);
  } finally {
    await handle.close();
  }
  return checked.status === "checked" ? await entriesOf(checked.body, checked.records, slices) : checked;
}

type Checked =
  | Extract<FileReading, { status: "newer" | "damaged" }>
  | { readonly status: "checked"; readonly body: Buffer; readonly records: number };

async function readChecked(handle: FileHandle): Promise<Checked> {
  const start = Buffer.alloc(HEADER_BYTES);
  const header = start.subarray(0, await fill(handle, start));
  const reading = readHeader(header);
  if (reading.status !== "readable") return reading;
  const { bodyBytes, records } = reading.facts;
  const { size } = await handle.stat();
  // Before anything is made of that size: the number may be nonsense.
  if (size - HEADER_BYTES !== bodyBytes) {
    return { status: "damaged", reason: `it has ${size} bytes, and should have ${HEADER_BYTES + bodyBytes}` };
  }
  const hash = bodyHash();
  const body = Buffer.allocUnsafeSlow(bodyBytes);
  for (let at = 0; at < bodyBytes; at += CHUNK_BYTES) {
    const chunk = body.subarray(at, at + CHUNK_BYTES);
    if ((await fill(handle, chunk)) < chunk.length) return { status: "damaged", reason: "it ends too early" };
    hash.update(chunk);
  }
  if (!checksum(countsOf(header), hash).equals(reading.checksum)) {
    return { status: "damaged", reason: "its checksum is wrong" };
  }
  return { status: "checked", body, records };
}

async function entriesOf(body: Buffer, records: number, slices: Slices): Promise<FileReading> {
  const entries: StoredEntry[] = [];
  const unreadable: unknown[] = [];
  let at = 0;
  for (let record = 0; record < records; record++) {
    const end = recordEnd(body, at);
    if (end === undefined) return { status: "damaged", reason: "it has fewer entries than it says" };
    try {
      entries.push(decodeRecord(body.subarray(at, end)));
    } catch (error) {
      unreadable.push(error);
    }
    at = end;
    if (slices.longStep()) await slices.rest();
  }
  return { status: "read", entries, unreadable };
}

/** As many bytes as there are, from where the handle stands. A single read may bring fewer than there are. */
async function fill(handle: FileHandle, into: Buffer): Promise<number> {
  let filled = 0;
  while (filled < into.length) {
    const { bytesRead } = await handle.read(into, filled, into.length - filled, null);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}
