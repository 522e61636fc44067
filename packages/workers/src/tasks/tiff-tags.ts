/**
 * Reads the tags of a TIFF structure: the form of EXIF, and of most cameras' raw files.
 *
 * Written for bytes that lie. A tag's count says how many values follow, up to four billion, and any number of tags may
 * claim the same bytes: a reader that makes an array of each as it goes (exif-reader 2.0.3 does) turns a JPEG of 65 KB
 * into gigabytes and ends the process, which no thread contains. Here a directory is a list of places; a value is read
 * when it is asked for, and the caller says how many numbers it can use.
 */

/** One tag: where its values lie. */
interface Tag {
  readonly type: number;
  readonly count: number;
  readonly offset: number;
}

/** A directory of tags, by tag number. */
export type TagDirectory = ReadonlyMap<number, Tag>;

/** Bytes per value, by TIFF type: byte, ascii, short, long, rational, signed forms, float, double. */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];
/** The longest directory that is looked at; cameras write fewer than 100 tags. */
const MAX_TAGS = 1000;

export class TiffTags {
  readonly #view: DataView;
  readonly #littleEndian: boolean;

  private constructor(view: DataView, littleEndian: boolean) {
    this.#view = view;
    this.#littleEndian = littleEndian;
  }

  /** The reader of a TIFF structure, or undefined where the bytes do not start one. */
  static open(bytes: Uint8Array): TiffTags | undefined {
    if (bytes.byteLength < 8) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const order = view.getUint16(0);
    if (order !== 0x4949 && order !== 0x4d4d) return undefined;
    const littleEndian = order === 0x4949;
    return view.getUint16(2, littleEndian) === 42 ? new TiffTags(view, littleEndian) : undefined;
  }

  /** The first directory; empty where its place is outside the bytes. */
  first(): TagDirectory {
    return this.directory(this.#view.getUint32(4, this.#littleEndian));
  }

  /** The directory that a tag of `parent` points to; empty where there is none. */
  linked(parent: TagDirectory, tag: number): TagDirectory {
    const offset = this.numbers(parent, tag, 1)?.[0];
    return offset === undefined ? new Map() : this.directory(offset);
  }

  /** The directory at `offset`. Of a tag that comes twice the first one holds. */
  private directory(offset: number): TagDirectory {
    const tags = new Map<number, Tag>();
    if (offset < 8 || offset + 2 > this.#view.byteLength) return tags;
    const length = Math.min(this.#view.getUint16(offset, this.#littleEndian), MAX_TAGS);
    for (let i = 0; i < length; i++) {
      const at = offset + 2 + 12 * i;
      if (at + 12 > this.#view.byteLength) break;
      const number = this.#view.getUint16(at, this.#littleEndian);
      const type = this.#view.getUint16(at + 2, this.#littleEndian);
      const count = this.#view.getUint32(at + 4, this.#littleEndian);
      const size = (TYPE_BYTES[type] ?? 0) * count;
      if (size === 0 || tags.has(number)) continue;
      // Up to four bytes are kept in the tag itself; more lie elsewhere.
      tags.set(number, { type, count, offset: size <= 4 ? at + 8 : this.#view.getUint32(at + 8, this.#littleEndian) });
    }
    return tags;
  }

  /** The first `max` numbers of a tag, or undefined where it is absent, not a number, or outside the bytes. */
  numbers(directory: TagDirectory, number: number, max: number): number[] | undefined {
    const tag = directory.get(number);
    if (tag === undefined || tag.type === 2) return undefined;
    const step = TYPE_BYTES[tag.type] ?? 0;
    const length = Math.min(tag.count, max);
    if (tag.offset + step * length > this.#view.byteLength) return undefined;
    return Array.from({ length }, (_, i) => this.#number(tag.type, tag.offset + step * i));
  }

  /** A tag's text up to its first zero byte, as UTF-8 or else Latin-1, trimmed; undefined where nothing is left. */
  text(directory: TagDirectory, number: number, maxChars: number): string | undefined {
    const tag = directory.get(number);
    // Some programs write their names as plain bytes, type 7.
    if (tag === undefined || (tag.type !== 2 && tag.type !== 7) || tag.offset >= this.#view.byteLength)
      return undefined;
    // Four bytes a character at the most; what lies beyond is never looked at.
    const length = Math.min(tag.count, maxChars * 4, this.#view.byteLength - tag.offset);
    const bytes = Buffer.from(this.#view.buffer, this.#view.byteOffset + tag.offset, length);
    const end = bytes.indexOf(0);
    const content = end < 0 ? bytes : bytes.subarray(0, end);
    const utf8 = content.toString("utf8");
    const text = (utf8.includes("\ufffd") ? content.toString("latin1") : utf8).trim().slice(0, maxChars);
    return text === "" ? undefined : text;
  }

  #number(type: number, at: number): number {
    const view = this.#view;
    const little = this.#littleEndian;
    switch (type) {
      case 3:
        return view.getUint16(at, little);
      case 4:
        return view.getUint32(at, little);
      case 5:
        return view.getUint32(at, little) / view.getUint32(at + 4, little);
      case 6:
        return view.getInt8(at);
      case 8:
        return view.getInt16(at, little);
      case 9:
        return view.getInt32(at, little);
      case 10:
        return view.getInt32(at, little) / view.getInt32(at + 4, little);
      case 11:
        return view.getFloat32(at, little);
      case 12:
        return view.getFloat64(at, little);
      default:
        return view.getUint8(at);
    }
  }
}
