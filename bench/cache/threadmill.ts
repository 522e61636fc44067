/** ResultCache, with sizes that the caller gives or that it estimates itself. */
import { ResultCache } from "@threadmill/cache";
import { number, text } from "../harness/report.js";
import { measure } from "./measure.js";
import { PHOTO_BYTES, type Photo } from "./photos.js";

const cache = new ResultCache<Photo>({ maxEntries: number("entries"), maxBytes: number("maxBytes") });

const given = { bytes: PHOTO_BYTES };

await measure({
  get: (key) => cache.get(key),
  set: text("size") === "given" ? (key, photo) => cache.set(key, photo, given) : (key, photo) => cache.set(key, photo),
  count: () => cache.stats.entries,
});
