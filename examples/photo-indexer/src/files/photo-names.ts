/**
 * Which files count as photos, by name. A name decides only whether a file is looked at: what it is, its first bytes
 * say. So a picture with a wrong suffix is found, and a letter named `.jpg` is reported rather than passed over.
 */

/** Formats that are looked at. Some cannot be read here (HEIC, BMP, …): those are reported by name, not passed over. */
const PHOTO_SUFFIXES = new Set(
  "jpg jpeg jpe jfif png webp gif tif tiff avif heic heif hif jxl jp2 j2k bmp tga psd ico".split(" "),
);

/** Cameras' raw formats. They are TIFF inside, so a decoder would find their postage-stamp preview and be content. */
const RAW_SUFFIXES = new Set("cr2 cr3 crw nef nrw arw srf sr2 dng orf rw2 raf pef srw x3f raw 3fr iiq rwl".split(" "));

export type NameKind = "photo" | "raw" | "other";

/** What a file is by its name. */
export function kindOfName(name: string): NameKind {
  const suffix = suffixOf(name);
  if (PHOTO_SUFFIXES.has(suffix)) return "photo";
  return RAW_SUFFIXES.has(suffix) ? "raw" : "other";
}

/** The part behind the last dot in lower case; empty where there is none, or nothing before it. */
function suffixOf(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot <= 0 ? "" : name.slice(dot + 1).toLowerCase();
}
