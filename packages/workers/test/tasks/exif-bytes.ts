/** Writes EXIF by hand, so that tests can say what no camera would. */

/** One tag: its number, and a text, shorts, or (numerator, denominator) pairs. */
type ExifTag = readonly [
  tag: number,
  value:
    string | { readonly shorts: readonly number[] } | { readonly rationals: readonly (readonly [number, number])[] },
];

export interface ExifTags {
  readonly image?: readonly ExifTag[];
  readonly photo?: readonly ExifTag[];
  readonly gps?: readonly ExifTag[];
}

/** A little-endian TIFF structure with the directories given. */
export function exifBytes({ image = [], photo, gps }: ExifTags): Buffer {
  // Two passes: in the first the links point nowhere, and only the sizes of the parts are learned.
  const links = (photoAt: number, gpsAt: number): Entry[] => [
    ...(photo === undefined ? [] : [{ tag: 0x8769, type: 4, count: 1, data: uint32(photoAt) }]),
    ...(gps === undefined ? [] : [{ tag: 0x8825, type: 4, count: 1, data: uint32(gpsAt) }]),
  ];
  const sizeOf = (entries: readonly Entry[]) => directory(entries, 0).length;
  const imageEntries = image.map(entry);
  const photoAt = 8 + sizeOf([...imageEntries, ...links(0, 0)]);
  const photoEntries = (photo ?? []).map(entry);
  const gpsAt = photoAt + sizeOf(photoEntries);
  return Buffer.concat([
    Buffer.from("II*\0", "latin1"),
    uint32(8),
    directory([...imageEntries, ...links(photoAt, gpsAt)], 8),
    directory(photoEntries, photoAt),
    directory((gps ?? []).map(entry), gpsAt),
  ]);
}

/** Puts EXIF into a JPEG, as its first segment. */
export function withExifSegment(jpeg: Uint8Array, exif: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(exif.length + 8);
  const marker = Buffer.from([0xff, 0xe1]);
  return Buffer.concat([
    jpeg.subarray(0, 2),
    marker,
    length,
    Buffer.from("Exif\0\0", "latin1"),
    exif,
    jpeg.subarray(2),
  ]);
}

interface Entry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  readonly data: Buffer;
}

function entry([tag, value]: ExifTag): Entry {
  if (typeof value === "string") {
    const data = Buffer.from(`${value}\0`, "utf8");
    return { tag, type: 2, count: data.length, data };
  }
  if ("shorts" in value) {
    const data = Buffer.alloc(2 * value.shorts.length);
    value.shorts.forEach((short, i) => data.writeUInt16LE(short, 2 * i));
    return { tag, type: 3, count: value.shorts.length, data };
  }
  const data = Buffer.concat(value.rationals.flat().map(uint32));
  return { tag, type: 5, count: value.rationals.length, data };
}

function directory(entries: readonly Entry[], at: number): Buffer {
  const head = Buffer.alloc(2 + 12 * entries.length + 4);
  head.writeUInt16LE(entries.length);
  const values: Buffer[] = [];
  let valueAt = at + head.length;
  entries.forEach(({ tag, type, count, data }, i) => {
    const place = 2 + 12 * i;
    head.writeUInt16LE(tag, place);
    head.writeUInt16LE(type, place + 2);
    head.writeUInt32LE(count, place + 4);
    if (data.length <= 4) data.copy(head, place + 8);
    else {
      head.writeUInt32LE(valueAt, place + 8);
      values.push(data);
      valueAt += data.length;
    }
  });
  return Buffer.concat([head, ...values]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
