/**
 * A map in many parts. One large Map makes its readers wait: when it grows past 65,536 entries, that one `set` moves
 * them all, which took 2 to 4 ms; and a copy of it takes as long. A part holds a few hundred, so that growing it, and
 * copying it so that somebody can keep what he has, takes microseconds.
 */

/** 100,000 entries make 200 in each. */
const PARTS = 512;
/** Longer strings are told apart by their ends: enough for paths, and for hashes. */
const HASHED_CHARACTERS = 64;

type Parts<K, V> = readonly (ReadonlyMap<K, V> | undefined)[];

export class ShardedMap<K, V> {
  #parts: (Map<K, V> | undefined)[] = Array.from({ length: PARTS });
  /** 1: no view has this part, so that it may be changed where it is. */
  #isOwn = new Uint8Array(PARTS);
  /** Of what is there now, if somebody has asked for one. */
  #view: ShardedView<K, V> | undefined;
  #size = 0;

  get(key: K): V | undefined {
    return this.#parts[partOf(key)]?.get(key);
  }

  has(key: K): boolean {
    return this.#parts[partOf(key)]?.has(key) ?? false;
  }

  set(key: K, value: V): void {
    const part = this.#ownPart(partOf(key));
    const before = part.size;
    part.set(key, value);
    this.#size += part.size - before;
  }

  delete(key: K): boolean {
    if (!this.has(key)) return false;
    this.#ownPart(partOf(key)).delete(key);
    this.#size--;
    return true;
  }

  /** What a change, and a reader beside it, may have to wait for is a copy of so many entries. */
  get fullestPart(): number {
    return Math.max(...this.#parts.map((part) => part?.size ?? 0));
  }

  /** What is there now, for good: later changes are made to copies of the parts that they touch. */
  view(): ReadonlyMap<K, V> {
    this.#view ??= new ShardedView(this.#parts, this.#size);
    return this.#view;
  }

  #ownPart(at: number): Map<K, V> {
    if (this.#view !== undefined) {
      this.#view = undefined;
      this.#parts = this.#parts.slice();
      this.#isOwn.fill(0);
    }
    const part = this.#parts[at];
    if (part !== undefined && this.#isOwn[at] === 1) return part;
    const own = new Map(part);
    this.#parts[at] = own;
    this.#isOwn[at] = 1;
    return own;
  }
}

/** Never changes. Its order is that of the parts, which means nothing. */
class ShardedView<K, V> implements ReadonlyMap<K, V> {
  readonly #parts: Parts<K, V>;
  readonly size: number;

  constructor(parts: Parts<K, V>, size: number) {
    this.#parts = parts;
    this.size = size;
  }

  get(key: K): V | undefined {
    return this.#parts[partOf(key)]?.get(key);
  }

  has(key: K): boolean {
    return this.#parts[partOf(key)]?.has(key) ?? false;
  }

  *entries(): Generator<[K, V], undefined> {
    for (const part of this.#parts) if (part !== undefined) yield* part;
  }

  *keys(): Generator<K, undefined> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): Generator<V, undefined> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): Generator<[K, V], undefined> {
    return this.entries();
  }

  forEach(callback: (value: V, key: K, map: ReadonlyMap<K, V>) => void, thisArgument?: unknown): void {
    for (const [key, value] of this) callback.call(thisArgument, value, key, this);
  }
}

/** The same for keys that a Map takes for the same. Objects have nothing to go by, and share one part. */
function partOf(key: unknown): number {
  let hash = 0;
  if (typeof key === "string") {
    const { length } = key;
    hash = length;
    const headEnd = length <= HASHED_CHARACTERS ? length : HASHED_CHARACTERS / 2;
    for (let at = 0; at < headEnd; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
    for (let at = Math.max(headEnd, length - HASHED_CHARACTERS / 2); at < length; at++) {
      hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
    }
  } else if (typeof key === "number") hash = key;
  else if (typeof key === "bigint") hash = Number(BigInt.asUintN(32, key));
  // The upper bits of a product depend on all bits of its factor, the lower ones on the lower ones only.
  return Math.imul(hash, 0x9e3779b1) >>> 23;
}
