/** One entry in the file: the length of each half, what is known of the value, the value. */
import { type StoredEntry, checkStored } from "../stored-entry.js";
import { decodeValue, encodeValue } from "./value-codec.js";

const LENGTHS_BYTES = 8;
const MAX_LENGTH = 2 ** 32 - 1;

/** Its pieces, to be written one after the other. */
export type RecordPieces = readonly [lengths: Buffer, about: Buffer, value: Buffer];

/** In this order, without their names, which would take more room than they do. A change is a new format version. */
type About = readonly [
  key: string,
  bytes: number,
  tags: readonly string[],
  storedAtMs: number,
  expiresAtMs: number | undefined,
  usesDefaultTtl: boolean,
  lastAccessMs: number,
  accesses: number,
];

/** @throws {Error} a value that cannot be serialised. */
export function encodeRecord(entry: StoredEntry): RecordPieces {
  const { key, bytes, tags, storedAtMs, expiresAtMs, usesDefaultTtl, lastAccessMs, accesses } = entry;
  // By V8 too: a key may hold half of a surrogate pair, which UTF-8 would turn into something else.
  const about = encodeValue([
    key,
    bytes,
    [...tags],
    storedAtMs,
    expiresAtMs,
    usesDefaultTtl,
    lastAccessMs,
    accesses,
  ] satisfies About);
  const value = encodeValue(entry.value);
  if (value.length > MAX_LENGTH) throw new RangeError("a value of more than 4 GiB cannot be saved");
  const lengths = Buffer.allocUnsafe(LENGTHS_BYTES);
  lengths.writeUInt32LE(about.length, 0);
  lengths.writeUInt32LE(value.length, 4);
  return [lengths, about, value];
}

/** Where the record at `start` ends; `undefined` if the bytes end before it does. */
export function recordEnd(body: Buffer, start: number): number | undefined {
  if (start + LENGTHS_BYTES > body.length) return undefined;
  const end = start + LENGTHS_BYTES + body.readUInt32LE(start) + body.readUInt32LE(start + 4);
  return end <= body.length ? end : undefined;
}

/** @throws {Error} a record that this Node cannot read, or that no cache has written. */
export function decodeRecord(record: Buffer): StoredEntry {
  const valueAt = LENGTHS_BYTES + record.readUInt32LE(0);
  // The checksum has been compared: what is in it is what somebody wrote.
  const about = decodeValue(record.subarray(LENGTHS_BYTES, valueAt)) as About;
  const [key, bytes, tags, storedAtMs, expiresAtMs, usesDefaultTtl, lastAccessMs, accesses] = about;
  const value = decodeValue(record.subarray(valueAt));
  const entry = { key, value, bytes, tags, storedAtMs, expiresAtMs, usesDefaultTtl, lastAccessMs, accesses };
  checkStored(entry);
  return entry;
}
