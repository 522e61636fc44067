import { join } from "node:path";
import {
  CacheFileError,
  CacheFileInUseError,
  ResultCache,
  type CacheEnvironmentOptions,
  type CacheFileOptions,
} from "@threadmill/cache";

/** Words by content and vocabulary; see `label-run.ts` for the keys. */
export type LabelCache = ResultCache<readonly string[]>;

/** What the program's caches may be told, in code or by `cacheOptionsFromEnv`. */
export type CacheSettings = CacheEnvironmentOptions;

/** More than most albums have; all of it is written anew at each change, and taken together in 15 ms. */
const LIMITS = { maxEntries: 50_000, maxBytes: 64 * 1024 * 1024 };

function labelCachePath(indexFolder: string): string {
  return join(indexFolder, "labels.cache");
}

/**
 * Opens the labels that earlier runs have kept. Labels can be made again: a file that is damaged is set aside with a
 * warning, and where none can be kept at all there is a warning and a cache for this run alone. Close it.
 */
export async function openLabelCache(
  indexFolder: string,
  settings: CacheSettings = {},
  onWarning: (warning: Error) => void = (warning) => process.emitWarning(warning),
): Promise<LabelCache> {
  const limits = { ...LIMITS, ...settings };
  const persist: CacheFileOptions = { file: labelCachePath(indexFolder), onWarning };
  try {
    return await ResultCache.open<readonly string[]>({ ...limits, persist });
  } catch (error) {
    if (!(error instanceof CacheFileError || error instanceof CacheFileInUseError)) throw error;
    onWarning(error);
    return new ResultCache<readonly string[]>(limits);
  }
}

/** Writes what is new, and gives the file free. A disk that refuses was reported as a warning, and ends no run. */
export async function closeLabelCache(labels: LabelCache | undefined): Promise<void> {
  try {
    await labels?.close();
  } catch (error) {
    if (!(error instanceof CacheFileError)) throw error;
  }
}
