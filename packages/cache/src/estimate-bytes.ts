/**
 * About how many bytes of memory a value holds: within a tenth for plain data, as test/estimate-bytes.heap.test.ts shows
 * beside the heap. The layouts are V8's on 64 bits (measured on Node 20 and 24). Shared parts are counted once, hidden
 * classes and code not at all, and of what is long only a sample is looked at. No getter of an object is called, and no proxy's trap.
 *
 * What cannot be seen from JavaScript: private fields; what an array that grew by `push` holds in reserve (up to half of
 * it again); that a part of a text keeps the whole; that an object with few fields is kept as a table, because they were
 * added under computed names.
 */
import { types } from "node:util";

const POINTER = 8;
/** A number that is no small integer has an object of its own, but in a list of numbers. */
const BOXED_NUMBER = 16;
const STRING = 16;
/** Strings up to this are kept once however often they are there: V8 does so for keys, literals, and texts of JSON. */
const SHARED_LENGTH = 10;
/** Between that of a literal, 24, and that of a structured clone, whose fields are split in two. */
const OBJECT = 27;
const EMPTY_OBJECT = 56;
/** From so many fields on, an object is a hash table. */
const MANY_FIELDS = 128;
const ARRAY = 32;
const LIST = 16;
const COLLECTION = 32;
const BUFFER = 92;
const VIEW = 100;
const DATE = 104;
const FUNCTION = 64;
/** With its stack trace, before anybody reads it. Reading would run code, that of `Error.prepareStackTrace`. */
const ERROR = 400;
/** What an entry's own record takes, its place in the order and in the table of keys. */
const ENTRY = 220;
/** What a tag takes beside its text, in the entry's list and in the table of tags: one that others have too. */
const TAG = 88;

const SAMPLE = 256;
/** Its multiples fill the space between 0 and 1 evenly, and never repeat. */
const GOLDEN = 0.618_033_988_75;

export function estimateBytes(value: unknown): number {
  return new Estimate().of(value);
}

/** What a cache holds for one entry: the value, the key, the tags, and its own record. */
export function estimateEntryBytes(key: string, value: unknown, tags: readonly string[]): number {
  const tagBytes = tags.reduce((sum, tag) => sum + TAG + stringBytes(tag), 0);
  return ENTRY + stringBytes(key) + tagBytes + estimateBytes(value);
}

class Estimate {
  #bytes = POINTER;
  readonly #seen = new Set<unknown>();
  /** Of what stands for others like it: how much was counted beyond itself. */
  readonly #surplus = new Map<object, number>();
  // Lists of their own rather than the call stack: a value may be nested thousands of levels deep.
  readonly #parts: object[] = [];
  readonly #weights: number[] = [];

  of(value: unknown): number {
    this.#add(value, 1);
    for (let part = this.#parts.pop(); part !== undefined; part = this.#parts.pop()) {
      const weight = this.#weights.pop() ?? 1;
      const before = this.#bytes;
      let own = EMPTY_OBJECT;
      try {
        own = types.isProxy(part) ? EMPTY_OBJECT : this.#own(part, weight);
      } catch {
        // An exotic object that does not want to be looked at, or a length that somebody has redefined.
        this.#bytes = before;
      }
      if (!(own >= 0)) own = EMPTY_OBJECT;
      this.#bytes += own * weight;
      if (weight > 1) this.#surplus.set(part, own * (weight - 1));
    }
    return Math.ceil(this.#bytes);
  }

  /** Beyond the pointer to it. `weight` is how many like it there are. */
  #add(value: unknown, weight: number): void {
    if (typeof value === "object") {
      if (value === null) return;
      if (!this.#seen.has(value)) {
        this.#seen.add(value);
        this.#parts.push(value);
        this.#weights.push(weight);
        return;
      }
      // It was taken for one of many, and is the same one again.
      this.#bytes -= this.#surplus.get(value) ?? 0;
      this.#surplus.delete(value);
    } else if (typeof value === "string") {
      if (value.length <= SHARED_LENGTH) {
        if (this.#seen.has(value)) return;
        this.#seen.add(value);
      }
      this.#bytes += stringBytes(value) * weight;
    } else if (typeof value === "number") {
      if (!isSmall(value)) this.#bytes += BOXED_NUMBER * weight;
    } else if (typeof value === "bigint") {
      this.#bytes += (STRING + POINTER * Math.ceil(value.toString(16).length / 16)) * weight;
    } else if (typeof value === "function") {
      this.#bytes += FUNCTION * weight;
    }
  }

  /** Without what it refers to, which is added. */
  #own(value: object, weight: number): number {
    if (Array.isArray(value)) return this.#array(value, weight);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) return this.#fields(value, weight);
    if (ArrayBuffer.isView(value)) return this.#view(value, weight);
    if (types.isAnyArrayBuffer(value)) return BUFFER + value.byteLength;
    if (types.isMap(value)) return this.#collection(sizeOf(Map, value), Map.prototype.entries.call(value), weight, 3);
    if (types.isSet(value)) return this.#collection(sizeOf(Set, value), Set.prototype.entries.call(value), weight, 2);
    if (types.isDate(value)) return DATE;
    if (types.isNativeError(value)) {
      for (const name of ["message", "cause", "errors"]) this.#field(value, name, weight);
      return ERROR + this.#fields(value, weight);
    }
    return this.#fields(value, weight);
  }

  #array(values: readonly unknown[], weight: number): number {
    const { length } = values;
    if (length === 0) return ARRAY;
    const sample = Array.from({ length: Math.min(length, SAMPLE) }, (_, at) => values[placeOf(at, length)]);
    // Numbers lie in the list itself if there is nothing else.
    if (!sample.every((one) => typeof one === "number")) {
      for (const one of sample) this.#add(one, (weight * length) / sample.length);
    }
    return ARRAY + LIST + length * POINTER;
  }

  #fields(value: object, weight: number): number {
    const names = Object.keys(value);
    const { length } = names;
    if (length === 0) return EMPTY_OBJECT;
    if (length < MANY_FIELDS) {
      for (const name of names) this.#field(value, name, weight);
      return OBJECT + length * POINTER;
    }
    const looked = Math.min(length, SAMPLE);
    for (let at = 0; at < looked; at++) {
      const name = names[placeOf(at, length)] ?? "";
      this.#add(name, (weight * length) / looked);
      this.#field(value, name, (weight * length) / looked);
    }
    return 88 + 3 * POINTER * powerOfTwo(length * 1.5);
  }

  #field(value: object, name: string, weight: number): void {
    this.#add(Object.getOwnPropertyDescriptor(value, name)?.value, weight);
  }

  /** `words`: how many each place in the table takes. */
  #collection(size: number, entries: Iterable<[unknown, unknown]>, weight: number, words: 2 | 3): number {
    const looked = Math.min(size, SAMPLE);
    let position = 0;
    let taken = 0;
    for (const [key, value] of entries) {
      if (taken === looked) break;
      if (position++ !== placeOf(taken, size)) continue;
      taken++;
      this.#add(key, (weight * size) / looked);
      if (words === 3) this.#add(value, (weight * size) / looked);
    }
    const places = powerOfTwo(Math.max(size, 4));
    return COLLECTION + LIST + POINTER * (3 + places / 2 + places * words);
  }

  #view(view: ArrayBufferView, weight: number): number {
    const { buffer } = view;
    // A small Buffer lies in a pool with others, which nobody pays for alone. Node 26 makes it longer than it says.
    const beyondPool = buffer.byteLength - Buffer.poolSize;
    const isPooled = Buffer.isBuffer(view) && beyondPool >= 0 && beyondPool <= 64;
    if (isPooled && view.byteLength < Buffer.poolSize / 2) return VIEW + view.byteLength;
    this.#add(buffer, weight);
    return VIEW;
  }
}

/** What it really is: a program may have put anything in its place. */
function sizeOf(kind: MapConstructor | SetConstructor, value: object): number {
  return Reflect.get(kind.prototype as object, "size", value) as number;
}

/** Where to look: in each stretch at another place, for values often follow a pattern, of which even steps see one part. */
function placeOf(at: number, length: number): number {
  return length <= SAMPLE ? at : Math.floor(((at + ((at * GOLDEN) % 1)) * length) / SAMPLE);
}

function powerOfTwo(atLeast: number): number {
  return 2 ** Math.ceil(Math.log2(atLeast));
}

/** A small integer lies where its pointer would be. */
function isSmall(value: number): boolean {
  return (value | 0) === value && !Object.is(value, -0);
}

function stringBytes(text: string): number {
  const { length } = text;
  return STRING + 8 * Math.ceil((isLatin1(text) ? length : length * 2) / 8);
}

const WIDE = /[^\0-\u00ff]/;
/** Up to here a text is read as a whole, a matter of microseconds. */
const READ_WHOLE = 16_384;
const PIECE = 64;

/** One byte a character, unless a single one needs two. */
function isLatin1(text: string): boolean {
  const { length } = text;
  if (length <= READ_WHOLE) return !WIDE.test(text);
  for (let at = 0; at < SAMPLE; at++) {
    const start = placeOf(at, length - PIECE);
    if (WIDE.test(text.slice(start, start + PIECE))) return false;
  }
  return true;
}
