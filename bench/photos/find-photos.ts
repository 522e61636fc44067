/** The photos below a folder. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { number, text } from "../harness/report.js";

const PHOTO = /\.(jpe?g|png|webp|avif|gif|tiff?)$/i;

/** As many paths as wanted, in the same order everywhere; a small folder is gone through several times. */
export function photosToDescribe(): string[] {
  const found = findPhotos(text("folder"));
  return Array.from({ length: number("photos") }, (_, i) => found[i % found.length] ?? "");
}

/** @throws {Error} there is none. */
export function findPhotos(folder: string): string[] {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && PHOTO.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  if (paths.length === 0) throw new Error("there are no photos in the folder");
  return paths.toSorted();
}
