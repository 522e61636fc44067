import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { defaultIndexFolder } from "../files/index-folder.js";
import type { IndexedPhoto } from "../report/index-json.js";
import { formatCount, plural, printable } from "../report/format.js";
import { PhotoLibrary } from "../search/photo-library.js";

export interface SearchArguments {
  /** The album; it need not be there any more. */
  readonly folder: string;
  readonly words: readonly string[];
  readonly out: string | undefined;
  readonly json: boolean;
}

/** A terminal can take this many names; `--json` prints all. */
const MAX_SHOWN = 1000;

/** Photos of the published index that all of the words fit. @throws {IndexerError} `INDEX_MISSING`, `INDEX_DAMAGED`. */
export async function searchIndex({ folder, words, out }: SearchArguments): Promise<IndexedPhoto[]> {
  const root = await realpath(folder).catch(() => resolve(folder));
  const library = new PhotoLibrary(out === undefined ? defaultIndexFolder(root) : resolve(out));
  await library.reload();
  return library.search(words);
}

/** One photo to a line, with its labels. */
export function foundText(photos: readonly IndexedPhoto[]): string {
  const lines = photos
    .slice(0, MAX_SHOWN)
    .map(({ path, labels }) => `${printable(path)}  ${printable(labels.join(" "))}`);
  const more = photos.length - lines.length;
  return [...lines, ...(more > 0 ? [`… and ${formatCount(more)} more`] : []), plural(photos.length, "photo"), ""].join(
    "\n",
  );
}
