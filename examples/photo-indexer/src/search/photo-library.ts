/** A published index in memory, for a program that reads while runs go on. */
import { open } from "node:fs/promises";
import { Snapshot, type ReloadOptions } from "@threadmill/cache";
import { IndexerError, systemCode } from "../errors.js";
import { indexJsonPath } from "../pipeline/renderings.js";
import { photosOfIndexJson, type IndexedPhoto } from "../report/index-json.js";

/**
 * The photos of one complete run, by path: never a mixture of two, and never a part of one. A run that is under way is
 * not seen; after it has ended, {@link reload} puts its index in the place of the last one, beside which it is read.
 *
 * It reads `index.json`, which is replaced in one step: so it needs no lock, and holds up no run.
 */
export class PhotoLibrary {
  readonly #photos: Snapshot<string, IndexedPhoto>;

  constructor(indexFolder: string) {
    this.#photos = new Snapshot({ load: ({ signal }) => readPhotos(indexJsonPath(indexFolder), signal) });
  }

  /** By path; undefined before the first {@link reload}. What was taken stays as it is. */
  get photos(): ReadonlyMap<string, IndexedPhoto> | undefined {
    return this.#photos.current;
  }

  /**
   * Reads the published index anew. Readers go on meanwhile, with the last one.
   *
   * @throws {IndexerError} `INDEX_MISSING`, `INDEX_DAMAGED`.
   */
  async reload(options?: ReloadOptions): Promise<void> {
    await this.#photos.reload(options);
  }

  /** Photos that all of the words fit, in the order of their paths. */
  search(words: readonly string[]): IndexedPhoto[] {
    const wanted = words.map((word) => word.toLowerCase());
    const found = [...(this.#photos.current?.values() ?? [])].filter((photo) =>
      wanted.every((word) => fits(photo, word)),
    );
    return found.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  }
}

/** A label as a whole ("red" is not "monochrome red"), and a part of the path, the camera or the time. */
function fits({ labels, path, camera, takenAt }: IndexedPhoto, word: string): boolean {
  if (labels.some((label) => label.toLowerCase() === word)) return true;
  return [path, camera, takenAt].some((text) => text !== undefined && text.toLowerCase().includes(word));
}

async function* readPhotos(
  indexJson: string,
  signal: AbortSignal,
): AsyncGenerator<readonly [string, IndexedPhoto], void, undefined> {
  const file = await openIndex(indexJson);
  try {
    const text = file.createReadStream({ encoding: "utf8", autoClose: false, signal });
    for await (const photo of photosOfIndexJson(text)) yield [photo.path, photo];
  } finally {
    await file.close();
  }
}

async function openIndex(indexJson: string) {
  try {
    return await open(indexJson, "r");
  } catch (error) {
    const code = systemCode(error);
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
    throw new IndexerError("INDEX_MISSING", `there is no index at ${indexJson}; index the folder first`, {
      cause: error,
    });
  }
}
