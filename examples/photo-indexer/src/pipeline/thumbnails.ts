import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ThumbnailOptions } from "@threadmill/workers/thumbnail";
import { IndexerError, messageOf } from "../errors.js";

/** Side of the box of a thumbnail. Pixels. */
const BOX = 256;
const QUALITY = 80;

/** What the ready task `thumbnail` is asked for, beside the model's pixels. */
export const THUMBNAIL_OPTIONS: ThumbnailOptions = {
  width: BOX,
  height: BOX,
  fit: "inside",
  format: "webp",
  quality: QUALITY,
};
const PARAMETERS = `${BOX}q${QUALITY}`;

/**
 * Thumbnails are named after what they show: the hash of the content, and how they were made. So `a/b.jpg` and
 * `a_b.jpg`, `cat.png` and `cat.jpg` can never collide, copies share one file, and a renamed photo keeps its own.
 */
export class ThumbnailStore {
  readonly #indexFolder: string;
  readonly #folders = new Set<string>();

  constructor(indexFolder: string) {
    this.#indexFolder = indexFolder;
  }

  /** Where the thumbnail of a content lies: relative to the index folder, with `/` between folders. */
  pathOf(sha256: string): string {
    return `thumbs/${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256}_${PARAMETERS}.webp`;
  }

  /** Whether a thumbnail that the catalog speaks of is still there. An empty one is what a power cut may leave. */
  has(path: string): boolean {
    try {
      return statSync(join(this.#indexFolder, path)).size > 0;
    } catch {
      return false;
    }
  }

  /** Removes a thumbnail, if it is there and can be. */
  remove(path: string): void {
    try {
      rmSync(join(this.#indexFolder, path), { force: true });
    } catch {
      // It takes a few kB, and is not shown to anybody.
    }
  }

  /**
   * Stores a thumbnail; a reader sees the whole file or none.
   *
   * Written synchronously, on purpose: it is 10 kB and takes a tenth of a millisecond, while an asynchronous write would
   * wait four times in libuv's queue, which the decoding of photos keeps full.
   *
   * @throws {IndexerError} `INDEX_NOT_WRITABLE`: a full disk ends the run, it does not make every photo a broken one.
   */
  store(path: string, data: Uint8Array): void {
    const target = join(this.#indexFolder, path);
    // One run at a time writes here, so what a killed one has left under this name is overwritten by the next.
    const temporary = `${target}.tmp`;
    try {
      const folder = dirname(target);
      if (!this.#folders.has(folder)) mkdirSync(folder, { recursive: true });
      this.#folders.add(folder);
      writeFileSync(temporary, data);
      renameSync(temporary, target);
    } catch (error) {
      this.remove(`${path}.tmp`);
      throw new IndexerError("INDEX_NOT_WRITABLE", `a thumbnail cannot be written: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}
