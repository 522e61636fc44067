/** Joins a cache and its file: takes in what the file holds, then lets it follow every change. */
import type { ResultCache } from "../result-cache.js";
import { KEEP, type StoredEntry } from "../stored-entry.js";
import { Slices } from "../slices.js";
import { type CacheFileOptions, openCacheFile } from "./cache-file.js";

const SLICE = { maxMs: 2, maxSteps: 1_024 };
/** Entries that are restored together: each call costs the cache a look at all its bounds. */
const CHUNK = 64;

/**
 * `invalidated`: tags whose entries are not to be taken in, which may grow meanwhile.
 *
 * @throws see `openCacheFile`.
 */
export async function keepInFile<Value>(
  cache: ResultCache<Value>,
  options: CacheFileOptions,
  invalidated: ReadonlySet<string>,
): Promise<void> {
  const isStale = (entry: StoredEntry): boolean => entry.tags.some((tag) => invalidated.has(tag));
  const { entries, file } = await openCacheFile(options, () => cache.dump());
  const slices = new Slices(SLICE);
  try {
    for (let at = 0; at < entries.length; at += CHUNK) {
      // What is in a file was written by a cache of the same values: that is for whoever names the file to see to.
      const chunk = entries.slice(at, at + CHUNK) as StoredEntry<Value>[];
      cache.restore(chunk.filter((entry) => !isStale(entry)));
      if (slices.longStep()) await slices.rest();
    }
  } catch (error) {
    // Nothing has changed in it, so that this only gives it free.
    await file.close();
    throw error;
  }
  cache[KEEP](file);
  if (entries.some(isStale)) file.changed("content");
}
