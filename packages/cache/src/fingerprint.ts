/** Ids made of content: equal values give equal ids, whatever V8 thinks of their shape. */
import { type Hash, createHash } from "node:crypto";
import { types } from "node:util";

export interface FingerprintOptions {
  /**
   * A name for shared memory, whose content can change at any time. Without it, shared memory is refused.
   */
  readonly nameShared?: (buffer: SharedArrayBuffer) => string | number;
}

/**
 * The same parts give the same id, any difference another: content hashes, sizes, versions, options. Keys of objects
 * may come in any order. Knows what a structured clone knows, and reads class instances as their fields. Of a file, a
 * hash of its content says most; size and mtime together say when it is to be hashed again, an mtime alone does not: two
 * writes can fall into one tick of the clock.
 *
 * @returns 32 hexadecimal digits.
 * @throws {TypeError} what has no content to speak of: functions, symbols, signals, URLs (pass their `href`), and
 *   objects that do not show it: a Blob, a key, a promise.
 * @throws {RangeError} a value that is nested thousands of levels deep.
 */
export function fingerprint(parts: unknown, options: FingerprintOptions = {}): string {
  const hash = createHash("sha256");
  new Writer(hash, options).write(parts, "the value");
  return hash.digest("hex").slice(0, 32);
}

/** Writes a value as tagged, length-prefixed pieces, so that no two values give the same bytes. */
class Writer {
  readonly #hash: Hash;
  readonly #options: FingerprintOptions;
  /** Objects that are being written, for values that hold themselves. */
  readonly #open: object[] = [];

  constructor(hash: Hash, options: FingerprintOptions) {
    this.#hash = hash;
    this.#options = options;
  }

  write(value: unknown, path: string): void {
    switch (typeof value) {
      case "undefined":
      case "boolean":
        this.#piece("primitive", String(value));
        break;
      case "number":
        this.#piece("number", Object.is(value, -0) ? "-0" : String(value));
        break;
      case "bigint":
        this.#piece("bigint", String(value));
        break;
      case "string":
        this.#piece("string", value);
        break;
      case "object":
        if (value === null) this.#piece("primitive", "null");
        else this.#object(value, path);
        break;
      default:
        throw new TypeError(`${path} is a ${typeof value}, which has no content`);
    }
  }

  #object(value: object, path: string): void {
    if (value instanceof URL) throw new TypeError(`${path} is a URL, which does not survive a clone; pass its href`);
    if (value instanceof AbortSignal) throw new TypeError(`${path} is an AbortSignal, which cannot cross threads`);
    const depth = this.#open.indexOf(value);
    if (depth !== -1) {
      this.#piece("again", String(depth));
      return;
    }
    this.#open.push(value);
    this.#content(value, path);
    this.#open.pop();
  }

  #content(value: object, path: string): void {
    if (value instanceof ArrayBuffer) this.#bytes("buffer", new Uint8Array(value));
    else if (value instanceof SharedArrayBuffer) this.#shared("shared", value, path);
    else if (ArrayBuffer.isView(value)) this.#view(value, path);
    else if (value instanceof Date) this.#piece("date", String(value.getTime()));
    else if (value instanceof RegExp) this.#piece("regexp", String(value));
    else if (Array.isArray(value)) {
      this.#piece("array", String(value.length));
      for (let at = 0; at < value.length; at++) this.write(value[at], `${path}[${at}]`);
    } else if (value instanceof Map) {
      this.#piece("map", String(value.size));
      for (const [key, one] of value) {
        this.write(key, `a key of ${path}`);
        this.write(one, `an entry of ${path}`);
      }
    } else if (value instanceof Set) {
      this.#piece("set", String(value.size));
      for (const one of value) this.write(one, `an entry of ${path}`);
    } else if (types.isBoxedPrimitive(value)) {
      this.#piece("boxed", "");
      this.write(value.valueOf(), path);
    } else {
      const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
      if (fields.length === 0 && hidesContent(value)) {
        throw new TypeError(`${path} is a ${nameOf(value)}, whose content cannot be seen`);
      }
      if (value instanceof Error) {
        fields.unshift(["name", value.name], ["message", value.message]);
        for (const name of ["cause", "errors"])
          if (isHidden(value, name)) fields.push([name, Reflect.get(value, name)]);
      }
      this.#piece("object", String(fields.length));
      for (const [key, one] of fields) {
        this.#piece("key", key);
        this.write(one, `${path}.${key}`);
      }
    }
  }

  #view(view: ArrayBufferView, path: string): void {
    const kind = view.constructor.name;
    if (view.buffer instanceof SharedArrayBuffer) {
      this.#shared(`${kind} ${view.byteOffset} ${view.byteLength}`, view.buffer, path);
    } else {
      this.#bytes(kind, new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    }
  }

  #shared(kind: string, buffer: SharedArrayBuffer, path: string): void {
    const { nameShared } = this.#options;
    if (nameShared === undefined) throw new TypeError(`${path} is shared memory, whose content can change at any time`);
    this.#piece(kind, String(nameShared(buffer)));
  }

  #bytes(kind: string, bytes: Uint8Array): void {
    this.#piece(kind, String(bytes.byteLength));
    this.#hash.update(bytes);
  }

  #piece(tag: string, text: string): void {
    this.#hash.update(`${tag} ${text.length} `).update(text, "utf16le");
  }
}

/** Of a class, or of what has none. */
function nameOf(value: object): string {
  return (value as { readonly constructor?: { readonly name: string } }).constructor?.name ?? "special object";
}

/** A field that is there, and not listed. */
function isHidden(value: object, name: string): boolean {
  return Object.getOwnPropertyDescriptor(value, name)?.enumerable === false;
}

/** All of a kind would be the same. What a program has made itself, and has no fields, is taken for what it seems. */
function hidesContent(value: object): boolean {
  const kind = Object.prototype.toString.call(value);
  const isPlain = kind === "[object Object]" || kind === "[object Error]" || kind === "[object Arguments]";
  return !isPlain || types.isKeyObject(value);
}
