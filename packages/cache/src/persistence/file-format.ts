/**
 * The file: a header of 72 bytes, then the records.
 *
 *      0  16 bytes  "threadmill-cache"
 *     16  u32       format version
 *     20  4 bytes   checksum of the 20 bytes before. So far the same in all versions to come
 *     24  u32       version of V8's serialisation
 *     28  u32       records
 *     32  u64       bytes of all records
 *     40  32 bytes  SHA-256 of the 16 bytes before and all records
 *
 * Numbers are little-endian. The checksum of the first part tells a newer version from a flipped bit.
 */
import { type Hash, createHash } from "node:crypto";
import { wireVersion } from "./value-codec.js";

export const HEADER_BYTES = 72;
const FORMAT_VERSION = 1;
const MAGIC = Buffer.from("threadmill-cache", "latin1");
const PREFIX_CHECKED = 20;
const PREFIX_BYTES = 24;
const COUNTS_END = 40;

export interface BodyFacts {
  readonly records: number;
  readonly bodyBytes: number;
}

export type HeaderReading =
  | { readonly status: "readable"; readonly facts: BodyFacts; readonly checksum: Buffer }
  | { readonly status: "newer"; readonly version: string }
  | { readonly status: "damaged"; readonly reason: string };

/** Is fed the records in their order. */
export function bodyHash(): Hash {
  return createHash("sha256");
}

/** The records come first when a file is written, so they are hashed by themselves, and their hash with the counts. */
export function checksum(counts: Buffer, body: Hash): Buffer {
  return createHash("sha256").update(counts).update(body.digest()).digest();
}

export function encodeHeader(facts: BodyFacts, body: Hash): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(FORMAT_VERSION, 16);
  prefixChecksum(header).copy(header, PREFIX_CHECKED);
  header.writeUInt32LE(wireVersion, 24);
  header.writeUInt32LE(facts.records, 28);
  header.writeBigUInt64LE(BigInt(facts.bodyBytes), 32);
  checksum(header.subarray(PREFIX_BYTES, COUNTS_END), body).copy(header, COUNTS_END);
  return header;
}

/** Whether this may be what is left of the start of a cache file, cut off or not. */
export function beginsAsCacheFile(start: Buffer): boolean {
  return start.subarray(0, MAGIC.length).equals(MAGIC.subarray(0, start.length));
}

/** @param header as many of the first bytes as there are. */
export function readHeader(header: Buffer): HeaderReading {
  if (header.length < PREFIX_BYTES) return { status: "damaged", reason: `it has only ${header.length} bytes` };
  if (!header.subarray(0, MAGIC.length).equals(MAGIC)) return { status: "damaged", reason: "it is no cache file" };
  if (!prefixChecksum(header).equals(header.subarray(PREFIX_CHECKED, PREFIX_BYTES))) {
    return { status: "damaged", reason: "the checksum of its header is wrong" };
  }
  const version = header.readUInt32LE(16);
  if (version > FORMAT_VERSION) return { status: "newer", version: `format ${version}` };
  if (version < FORMAT_VERSION) return { status: "damaged", reason: `there is no format ${version}` };
  if (header.length < HEADER_BYTES) return { status: "damaged", reason: `it has only ${header.length} bytes` };
  const wire = header.readUInt32LE(24);
  if (wire > wireVersion) return { status: "newer", version: `serialisation ${wire} of a newer Node` };
  return {
    status: "readable",
    facts: { records: header.readUInt32LE(28), bodyBytes: Number(header.readBigUInt64LE(32)) },
    checksum: Buffer.from(header.subarray(COUNTS_END, HEADER_BYTES)),
  };
}

export function countsOf(header: Buffer): Buffer {
  return header.subarray(PREFIX_BYTES, COUNTS_END);
}

function prefixChecksum(header: Buffer): Buffer {
  return createHash("sha256").update(header.subarray(0, PREFIX_CHECKED)).digest().subarray(0, 4);
}
