/** Puts what libvips says about a file into the classes that a person can act on. */
import type { ImageFormat } from "./image-format.js";
import { sniffFormat } from "./image-format.js";
import { ItemError, TransientItemError } from "./item-error.js";
import type { SharpModule } from "./open-sharp.js";

/**
 * The format of an image that sharp is worth asking about.
 *
 * Only what starts like an allowed format is handed to sharp: the allow-list does not depend on what libvips would make
 * of the bytes, nor on which loaders another part of the process has opened.
 *
 * @param want `pixels` also refuses HEIC where the build has no HEVC decoder; its `header` can be read all the same.
 * @throws {ItemError} `NOT_AN_IMAGE`, `UNSUPPORTED_FORMAT`.
 */
export function checkFormat(
  sharp: SharpModule,
  bytes: Uint8Array,
  label: string,
  want: "header" | "pixels",
): ImageFormat {
  const format = sniffFormat(bytes);
  if (format === undefined) throw new ItemError("NOT_AN_IMAGE", `${label} is not an image of a known format`);
  if (format.notAnImage === true) throw new ItemError("NOT_AN_IMAGE", `${label} is not an image but ${format.name}`);
  const loader = format.loader === undefined ? undefined : sharp.format[format.loader]?.input;
  const canLoad = loader?.buffer === true;
  // Prebuilt sharp names .avif alone: its HEIF loader opens HEIC, and then has no HEVC decoder for the pixels.
  const suffixes: readonly string[] = loader?.fileSuffix ?? [];
  const lacksHevc = want === "pixels" && format.name === "HEIC" && !suffixes.includes(".heic");
  if (!canLoad || lacksHevc) throw unsupported(label, format);
  return format;
}

/** What libvips says where a file is sound and this build lacks a part for it. */
const UNSUPPORTED =
  /has not been built in|support is not configured|Unsupported JPEG (data precision|process)|arithmetic|samples_per_pixel not a whole number|Unsupported feature|exceeds channel limit/i;
const TOO_LARGE =
  /exceeds pixel limit|Maximum supported image dimension|too large for the|image dimensions? too large/i;

/** What libvips's loaders call themselves in its messages. */
const LOADER_NAMES: Readonly<Record<string, ImageFormat["loader"]>> = {
  VipsJpeg: "jpeg",
  vipspng: "png",
  webp: "webp",
  gifload: "gif",
  gifload_buffer: "gif",
  tiff2vips: "tiff",
  heif: "heif",
};

/**
 * libvips keeps one log of errors for the whole process, and whoever fails first takes what all threads have written to
 * it. So the words may be another picture's, or gone. Those of another loader can be told; those of the same cannot.
 */
function ownWords(message: string, { loader }: ImageFormat): string {
  const isOwn = (line: string): boolean => {
    const speaker = LOADER_NAMES[/^\s*(\w+):/.exec(line)?.[1] ?? ""];
    return speaker === undefined || speaker === loader;
  };
  const lines = message.replace(/^Input (buffer|file) (has corrupt header:|contains unsupported image format)/, "");
  return lines.split("\n").filter(isOwn).join("\n");
}

/** The error of one item, made from what sharp threw. */
export function imageError(cause: unknown, label: string, format: ImageFormat): Error {
  const message = ownWords(cause instanceof Error ? cause.message : String(cause), format);
  const detail = shorten(message);
  if (message.startsWith("timeout:")) {
    const text = `${label} took longer than timeoutSeconds (${detail})`;
    return new TransientItemError("IMAGE_TIMEOUT", text, { cause });
  }
  if (/out of memory|unable to allocate|cannot allocate/i.test(message)) {
    return new TransientItemError("OUT_OF_MEMORY", `${label}: ${detail}`, { cause });
  }
  if (TOO_LARGE.test(message)) return new ItemError("IMAGE_TOO_LARGE", `${label}: ${detail}`, { cause });
  if (UNSUPPORTED.test(message)) return unsupported(label, format, detail, cause);
  return new ItemError("IMAGE_CORRUPT", `${label} is damaged or cut short (${format.name}: ${detail})`, { cause });
}

function unsupported(label: string, format: ImageFormat, detail?: string, cause?: unknown): ItemError {
  const what = detail === undefined ? format.name : `this kind of ${format.name}`;
  const why = detail === undefined ? "" : ` (${detail})`;
  const text = `${label}: ${what} is not supported by this build of sharp${why}`;
  return new ItemError("UNSUPPORTED_FORMAT", text, cause === undefined ? undefined : { cause });
}

/** libvips repeats itself once per attempt at a row: each sentence once, the first three, and no prefixes. */
function shorten(message: string): string {
  const lines = message
    .split("\n")
    .map((line) =>
      line
        .trim()
        .replace(/^(VipsJpeg|vipspng|tiff2vips|heif|webp|gifload(_buffer)?|source):/, "")
        .trim(),
    )
    .filter((line) => line !== "" && !line.startsWith("Warning treated as error"));
  const text = [...new Set(lines)].slice(0, 3).join("; ").slice(0, 300);
  return text === "" ? "its header cannot be read" : text;
}
