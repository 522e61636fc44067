/** Ids made of what a result depends on. */
import { createHash } from "node:crypto";
import { serialize } from "node:v8";

/**
 * The same parts give the same id, any difference another: content hashes, sizes, versions, options. Keys of plain
 * objects may come in any order.
 *
 * @returns 32 hexadecimal digits.
 * @throws a `DataCloneError` for parts that have no content to speak of, such as functions.
 */
export function fingerprint(parts: unknown): string {
  return createHash("sha256")
    .update(serialize(sorted(parts)))
    .digest("hex")
    .slice(0, 32);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return ["object", ...entries.map(([key, field]) => [key, sorted(field)])];
}
