/**
 * About how many bytes of memory a value holds. An estimate: shared parts are counted once, prototypes and hidden
 * classes are not, and of a long array only a sample is looked at.
 */

const POINTER = 8;
const OBJECT = 24;
const SAMPLE = 256;
/** Its multiples fill the space between 0 and 1 evenly, and never repeat. */
const GOLDEN = 0.618_033_988_75;

export function estimateBytes(value: unknown): number {
  return sizeOf(value, new Set());
}

function sizeOf(value: unknown, seen: Set<object>): number {
  if (typeof value === "string") return 16 + value.length * (isLatin1(value) ? 1 : 2);
  if (typeof value === "number") return POINTER;
  if (typeof value === "bigint") return 16 + value.toString(16).length / 2;
  if (typeof value !== "object" || value === null) return POINTER;
  if (seen.has(value)) return POINTER;
  seen.add(value);
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return OBJECT + value.byteLength;
  if (ArrayBuffer.isView(value)) return OBJECT * 4 + sizeOf(value.buffer, seen);
  if (Array.isArray(value)) return OBJECT + sizeOfMany(value, seen);
  if (value instanceof Map) return OBJECT + sizeOfMany([...value].flat(), seen) + value.size * 2 * POINTER;
  if (value instanceof Set) return OBJECT + sizeOfMany([...value], seen) + value.size * 2 * POINTER;
  let bytes = OBJECT;
  for (const field of Object.values(value)) bytes += POINTER + sizeOf(field, seen);
  if (value instanceof Error) bytes += sizeOf(value.message, seen) + sizeOf(value.stack, seen);
  return bytes;
}

/** Evenly spread samples stand for the rest. */
function sizeOfMany(values: readonly unknown[], seen: Set<object>): number {
  const { length } = values;
  const looked = Math.min(length, SAMPLE);
  let bytes = 0;
  for (let at = 0; at < looked; at++) {
    // At another place of each stretch: values often follow a pattern, of which even steps would meet the same part.
    const one = values[Math.floor(((at + ((at * GOLDEN) % 1)) * length) / looked)];
    // A number lies in the array itself.
    bytes += typeof one === "number" ? POINTER : POINTER + sizeOf(one, seen);
  }
  return looked === 0 ? 0 : Math.ceil((bytes * length) / looked);
}

/** Looks at the ends only: a string that is Latin-1 there and not in the middle is rare, and this is an estimate. */
function isLatin1(text: string): boolean {
  for (const part of [text.slice(0, 32), text.slice(-32)]) {
    for (let at = 0; at < part.length; at++) if (part.charCodeAt(at) > 255) return false;
  }
  return true;
}
