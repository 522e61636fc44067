/** Tells an image's format by its first bytes, so that what sharp cannot read is refused by name. */
import { TiffTags } from "./tiff-tags.js";

/** A loader of sharp, by its name in `sharp.format`. */
type LoaderName = "jpeg" | "png" | "webp" | "gif" | "tiff" | "heif" | "jp2" | "jxl";

export interface ImageFormat {
  /** As people say it: "JPEG", "HEIC", "Camera raw (CR2)". */
  readonly name: string;
  /** The loader that sharp would use; absent for formats that are never handed to sharp. */
  readonly loader?: LoaderName;
  /** Not a picture at all, though a known format. */
  readonly notAnImage?: true;
}

interface Signature extends ImageFormat {
  readonly at?: number;
  readonly magic: string;
}

/**
 * Signatures, as Latin-1 text. Order matters only where one is the start of another.
 *
 * PNG is recognised without its first byte and its line ends: a file whose transfer as text has ruined them is a
 * damaged PNG, not an unknown thing.
 */
const SIGNATURES: readonly Signature[] = [
  { name: "JPEG", loader: "jpeg", magic: "\xff\xd8\xff" },
  { name: "PNG", loader: "png", magic: "\x89PNG" },
  { name: "PNG", loader: "png", at: 4, magic: "\r\n\x1a\n\0\0\0\rIHDR" },
  { name: "PNG", loader: "png", at: 4, magic: "\r\x1a\n\0\0\0\rIHDR" },
  { name: "GIF", loader: "gif", magic: "GIF8" },
  { name: "JPEG XL", loader: "jxl", magic: "\xff\x0a" },
  { name: "JPEG XL", loader: "jxl", magic: "\0\0\0\x0cJXL \r\n\x87\n" },
  { name: "JPEG 2000", loader: "jp2", magic: "\0\0\0\x0cjP  \r\n\x87\n" },
  { name: "JPEG 2000", loader: "jp2", magic: "\xff\x4f\xff\x51" },
  { name: "Camera raw (RAF)", magic: "FUJIFILMCCD-RAW" },
  { name: "Camera raw (ORF)", magic: "IIRO" },
  { name: "Camera raw (ORF)", magic: "IIRS" },
  { name: "Camera raw (ORF)", magic: "MMOR" },
  { name: "Camera raw (RW2)", magic: "IIU\0" },
  { name: "Camera raw (CR2)", at: 8, magic: "CR\x02" },
  { name: "Camera raw (CRW)", at: 6, magic: "HEAPCCDR" },
  { name: "Camera raw (X3F)", magic: "FOVb" },
  { name: "Camera raw (MRW)", magic: "\0MRM" },
  { name: "Photoshop (PSD)", magic: "8BPS" },
  { name: "GIMP (XCF)", magic: "gimp xcf" },
  { name: "PDF", magic: "%PDF" },
  { name: "PostScript", magic: "%!PS" },
  { name: "OpenEXR", magic: "v/1\x01" },
  { name: "Radiance HDR", magic: "#?" },
  { name: "DDS", magic: "DDS " },
  { name: "QOI", magic: "qoif" },
  { name: "FLIF", magic: "FLIF" },
  { name: "BPG", magic: "BPG\xfb" },
  { name: "DjVu", magic: "AT&TFORM" },
  { name: "FLI animation", at: 4, magic: "\x11\xaf" },
  { name: "FLI animation", at: 4, magic: "\x12\xaf" },
  { name: "Matroska video", magic: "\x1a\x45\xdf\xa3", notAnImage: true },
  { name: "ZIP archive", magic: "PK\x03\x04", notAnImage: true },
];

/** Formats whose signature is too short to trust alone. */
const CHECKED: readonly (ImageFormat & { readonly matches: (head: string) => boolean })[] = [
  { name: "WebP", loader: "webp", matches: (head) => head.startsWith("RIFF") && head.startsWith("WEBP", 8) },
  { name: "AVI video", notAnImage: true, matches: (head) => head.startsWith("RIFF") && head.startsWith("AVI ", 8) },
  // The size of the header that follows: 12, 40, 52, 56, 64, 108 or 124 bytes, or a wrong one in a broken file.
  { name: "BMP", matches: (head) => /^BM[\s\S]{12}[\s\S]\0\0\0/.test(head) || /^BM[\s\S]{4}\0\0\0\0/.test(head) },
  // How many pictures, 1 to 255, after the sign of an icon or a cursor.
  { name: "ICO", matches: (head) => ["\0\0\x01\0", "\0\0\x02\0"].includes(head.slice(0, 4)) && isIn(head, 4, 1, 255) },
  // Version, whether packed, and bits per pixel.
  {
    name: "PCX",
    matches: (head) => head.startsWith("\n") && isIn(head, 1, 0, 5) && isIn(head, 2, 0, 1) && isIn(head, 3, 1, 8),
  },
  { name: "PNM", matches: (head) => /^P[1-7][ \t\r\n#]/.test(head) },
  { name: "SVG", matches: (head) => /<svg[\s>]/i.test(head) && /^[\s\xef\xbb\xbf]*</.test(head) },
];

function isIn(head: string, at: number, min: number, max: number): boolean {
  const code = head.charCodeAt(at);
  return code >= min && code <= max;
}

/** As far as a text is searched for `<svg`, and brands are looked for: libvips looks at 1,000 bytes too. */
const HEAD_BYTES = 1000;

/** The format of an image, or undefined where the bytes start like none that this package knows. */
export function sniffFormat(bytes: Uint8Array): ImageFormat | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, HEAD_BYTES)).toString("latin1");
  if (head.startsWith("ftyp", 4)) return fromBrands(head);
  const known =
    SIGNATURES.find(({ at, magic }) => head.startsWith(magic, at ?? 0)) ?? CHECKED.find((f) => f.matches(head));
  if (known !== undefined) return known;
  return /^(II[*+]\0|MM\0[*+])/.test(head) ? fromTags(bytes) : undefined;
}

/** HEIC, AVIF and films share one container; its first box lists the brands that the file keeps to. */
function fromBrands(head: string): ImageFormat {
  const boxBytes = Math.min(head.length, Buffer.from(head.slice(0, 4), "latin1").readUInt32BE());
  const brands = [head.slice(8, 12)];
  for (let at = 16; at + 4 <= boxBytes; at += 4) brands.push(head.slice(at, at + 4));
  const has = (...names: string[]) => names.some((name) => brands.includes(name));
  if (has("avif", "avis")) return { name: "AVIF", loader: "heif" };
  if (has("heic", "heix", "heim", "heis", "hevc", "hevx")) return { name: "HEIC", loader: "heif" };
  if (has("mif1", "msf1", "miaf")) return { name: "HEIF", loader: "heif" };
  if (has("crx ")) return { name: "Camera raw (CR3)" };
  return { name: "MP4 or QuickTime video", notAnImage: true };
}

/** Compressions that only cameras write: of Nikon, Sony, Pentax, Epson, Samsung, Kodak. */
const RAW_COMPRESSIONS = new Set([262, 32767, 32769, 32770, 34713, 65000, 65535]);
/** Photometric interpretations of a sensor's mosaic: colour filter array, and DNG's linear form. */
const RAW_PHOTOMETRICS = new Set([32803, 34892]);

/**
 * Most raw files are TIFFs whose first picture is a small preview. sharp would read that and call it the photograph:
 * no error, and a thumbnail of 160 pixels.
 */
function fromTags(bytes: Uint8Array): ImageFormat {
  const tiff = TiffTags.open(bytes);
  const tags = tiff?.first() ?? new Map<never, never>();
  const value = (tag: number) => tiff?.numbers(tags, tag, 1)?.[0] ?? -1;
  if (value(0xc612) !== -1) return { name: "Camera raw (DNG)" };
  const isPreview = value(0x00fe) === 1;
  const hasMore = value(0x014a) !== -1;
  const hasMake = tiff?.text(tags, 0x010f, 20) !== undefined;
  const raw =
    RAW_COMPRESSIONS.has(value(0x0103)) || RAW_PHOTOMETRICS.has(value(0x0106)) || (isPreview && hasMore && hasMake);
  return raw ? { name: "Camera raw" } : { name: "TIFF", loader: "tiff" };
}
