/** What a camera wrote about a photograph, as far as an index wants it. */
import { TiffTags, type TagDirectory } from "./tiff-tags.js";

/** Where a photograph was taken. */
export interface PhotoPlace {
  /** Degrees, north positive, -90 to 90. */
  readonly latitude: number;
  /** Degrees, east positive, -180 to 180. */
  readonly longitude: number;
  /** Metres above the sea, below it negative. */
  readonly altitudeMetres?: number;
}

/** Every field is absent where the file does not say it, or says something impossible. */
export interface PhotoExif {
  /**
   * When the picture was taken, by the camera's own clock: `2024-05-07T17:33:04`, with the fraction of a second and the
   * offset from UTC (`2024-05-07T17:33:04.046+08:00`) where the file has them. Without an offset nobody knows the zone,
   * and none is invented; the strings of one camera sort by time all the same.
   */
  readonly takenAt?: string;
  /**
   * The tag that `takenAt` comes from. `DateTime` is the last change of the file by a program that keeps EXIF: better
   * than nothing, and worse than the other two.
   */
  readonly takenAtTag?: "DateTimeOriginal" | "DateTimeDigitized" | "DateTime";
  readonly cameraMake?: string;
  readonly cameraModel?: string;
  readonly lensModel?: string;
  readonly exposureSeconds?: number;
  readonly fNumber?: number;
  readonly iso?: number;
  readonly focalLengthMm?: number;
  /** The focal length that shows the same angle on 35 mm film. */
  readonly focalLength35Mm?: number;
  readonly flashFired?: boolean;
  readonly place?: PhotoPlace;
}

/** Texts are cut here: a camera's name is short, and a stranger's file may say anything. */
const MAX_TEXT_CHARS = 200;

/**
 * Reads EXIF, with or without its `Exif\0\0` prefix. Never throws for what the bytes say: a broken tag is absent, and
 * bytes that are no EXIF at all give undefined.
 */
export function readExif(bytes: Uint8Array): PhotoExif | undefined {
  const prefix = bytes.byteLength >= 6 && Buffer.from(bytes.subarray(0, 4)).toString("latin1") === "Exif";
  const tiff = TiffTags.open(prefix ? bytes.subarray(6) : bytes);
  if (tiff === undefined) return undefined;
  const image = tiff.first();
  const photo = tiff.linked(image, 0x8769);
  const text = (directory: TagDirectory, tag: number) => tiff.text(directory, tag, MAX_TEXT_CHARS);
  const positive = (tag: number) => {
    const value = tiff.numbers(photo, tag, 1)?.[0];
    return value !== undefined && Number.isFinite(value) && value > 0 ? value : undefined;
  };
  const flash = tiff.numbers(photo, 0x9209, 1)?.[0];
  return withoutUndefined({
    ...readTakenAt(tiff, image, photo),
    cameraMake: text(image, 0x010f),
    cameraModel: text(image, 0x0110),
    lensModel: text(photo, 0xa434),
    exposureSeconds: positive(0x829a),
    fNumber: positive(0x829d),
    iso: positive(0x8827),
    focalLengthMm: positive(0x920a),
    focalLength35Mm: positive(0xa405),
    flashFired: flash === undefined ? undefined : (flash & 1) === 1,
    place: readPlace(tiff, tiff.linked(image, 0x8825)),
  });
}

function readTakenAt(
  tiff: TiffTags,
  image: TagDirectory,
  photo: TagDirectory,
): Pick<PhotoExif, "takenAt" | "takenAtTag"> {
  const candidates = [
    { tag: "DateTimeOriginal", date: tiff.text(photo, 0x9003, 40), fraction: 0x9291, offset: 0x9011 },
    { tag: "DateTimeDigitized", date: tiff.text(photo, 0x9004, 40), fraction: 0x9292, offset: 0x9012 },
    { tag: "DateTime", date: tiff.text(image, 0x0132, 40), fraction: 0x9290, offset: 0x9010 },
  ] as const;
  for (const { tag, date, fraction, offset } of candidates) {
    const local = date === undefined ? undefined : readDate(date);
    if (local === undefined) continue;
    const digits = /^\d{1,9}/.exec(tiff.text(photo, fraction, 20) ?? "")?.[0];
    const zone = /^[+-](0\d|1[0-4]):[0-5]\d$/.exec(tiff.text(photo, offset, 20) ?? "")?.[0];
    return { takenAt: `${local}${digits === undefined ? "" : `.${digits}`}${zone ?? ""}`, takenAtTag: tag };
  }
  return {};
}

/**
 * `2024:05:07 17:33:04` as `2024-05-07T17:33:04`. Some programs write dashes or a T, which is read too. A date that
 * does not exist is none: cameras with a flat battery write zeros, and a library that counts them on gives 1899.
 */
function readDate(text: string): string | undefined {
  const match = /^(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)/.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const date = new Date(`${local}Z`);
  // A date that overflows (31 February) parses as another day, or not at all: only one that comes back is real.
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(local) ? local : undefined;
}

function readPlace(tiff: TiffTags, gps: TagDirectory): PhotoPlace | undefined {
  const degrees = (tag: number, refTag: number, negative: string, limit: number) => {
    const parts = tiff.numbers(gps, tag, 3);
    const ref = tiff.text(gps, refTag, 4)?.toUpperCase();
    if (parts === undefined || ref === undefined) return undefined;
    const value = parts.reduce((sum, part, i) => sum + part / 60 ** i, 0);
    return Number.isFinite(value) && value >= 0 && value <= limit ? (ref === negative ? -value : value) : undefined;
  };
  const latitude = degrees(2, 1, "S", 90);
  const longitude = degrees(4, 3, "W", 180);
  if (latitude === undefined || longitude === undefined) return undefined;
  const height = tiff.numbers(gps, 6, 1)?.[0];
  const below = tiff.numbers(gps, 5, 1)?.[0] === 1;
  const known = height !== undefined && Number.isFinite(height);
  return { latitude, longitude, ...(known ? { altitudeMetres: below ? -height : height } : {}) };
}

function withoutUndefined(fields: { [Name in keyof PhotoExif]: PhotoExif[Name] | undefined }): PhotoExif {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
