import { cacheOptionsFromEnv } from "@threadmill/cache";
import { IndexerError, messageOf } from "../errors.js";
import type { CacheSettings } from "../labels/label-cache.js";

/** What the environment says of the caches. @throws {IndexerError} `USAGE`: each value that makes no sense, by name. */
export function cacheSettings(env: Readonly<Record<string, string | undefined>>): CacheSettings {
  try {
    return cacheOptionsFromEnv(env);
  } catch (error) {
    throw new IndexerError("USAGE", messageOf(error), { cause: error });
  }
}
