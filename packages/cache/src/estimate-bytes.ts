/**
 * About how many bytes of memory a value holds. An estimate: shared parts are counted once, prototypes and hidden
 * classes are not, and of a long array only a sample is looked at.
 */

const POINTER = 8;
const OBJECT = 24;
const SAMPLE = 256;
/** Its multiples fill the space between 0 and 1 evenly, and never repeat. */
const GOLDEN = 0.618_033_988_75;

/** What an entry's own record takes, its place in the order and in the table of keys. */
const ENTRY = 300;

/** What a cache holds for one entry: the value, the key, and its own record. */
export function estimateEntryBytes(key: string, value: unknown): number {
  return ENTRY + estimateBytes(key) + estimateBytes(value);
}

export function estimateBytes(value: unknown): number {
  const seen = new Set<object>();
  // A list of its own rather than the call stack: a value may be nested thousands of levels deep.
  const parts: { readonly value: unknown; readonly weight: number }[] = [{ value, weight: 1 }];
  let bytes = 0;
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    const { weight } = part;
    bytes +=
      weight * ownBytes(part.value, seen, (child, share) => parts.push({ value: child, weight: weight * share }));
  }
  return Math.ceil(bytes);
}

/** Without what it refers to, which is added; `share` is how many of its kind a part stands for. */
function ownBytes(value: unknown, seen: Set<object>, add: (child: unknown, share: number) => void): number {
  if (typeof value === "string") return 16 + value.length * (isLatin1(value) ? 1 : 2);
  if (typeof value === "number") return POINTER;
  if (typeof value === "bigint") return 16 + value.toString(16).length / 2;
  if (typeof value !== "object" || value === null || seen.has(value)) return POINTER;
  seen.add(value);
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return OBJECT + value.byteLength;
  if (ArrayBuffer.isView(value)) {
    add(value.buffer, 1);
    return OBJECT * 4;
  }
  if (Array.isArray(value)) return OBJECT + addSample(value, add);
  if (value instanceof Map) return OBJECT + addSample([...value].flat(), add) + value.size * 2 * POINTER;
  if (value instanceof Set) return OBJECT + addSample([...value], add) + value.size * 2 * POINTER;
  const fields: unknown[] = Object.values(value);
  for (const field of fields) add(field, 1);
  if (value instanceof Error) {
    add(value.message, 1);
    add(value.stack, 1);
  }
  return OBJECT + fields.length * POINTER;
}

/** Evenly spread samples stand for the rest. Answers what the list itself takes; a number lies in it. */
function addSample(values: readonly unknown[], add: (child: unknown, share: number) => void): number {
  const { length } = values;
  const looked = Math.min(length, SAMPLE);
  for (let at = 0; at < looked; at++) {
    // At another place of each stretch: values often follow a pattern, of which even steps would meet the same part.
    const one = values[Math.floor(((at + ((at * GOLDEN) % 1)) * length) / looked)];
    if (typeof one !== "number") add(one, length / looked);
  }
  return length * POINTER;
}

/** Looks at the ends only: a string that is Latin-1 there and not in the middle is rare, and this is an estimate. */
function isLatin1(text: string): boolean {
  for (const part of [text.slice(0, 32), text.slice(-32)]) {
    for (let at = 0; at < part.length; at++) if (part.charCodeAt(at) > 255) return false;
  }
  return true;
}
