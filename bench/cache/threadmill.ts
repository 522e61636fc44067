/** ResultCache, with sizes that the caller gives or that it estimates itself. */
import { ResultCache } from "@threadmill/cache";
import { number, skip, text } from "../harness/report.js";
import { measure } from "./measure.js";
import { PHOTO_BYTES, type Photo, keyOf, makePhoto } from "./photos.js";

const cache = new ResultCache<Photo>({ maxEntries: number("entries"), maxBytes: number("maxBytes") });

/** As a caller sees it who knows the size. */
interface TakesSizes {
  set(key: string, value: Photo, options: { readonly bytes: number }): boolean;
}
const sized: TakesSizes = cache;
const given = { bytes: PHOTO_BYTES };

const isGiven = text("size") === "given";
if (isGiven) {
  sized.set(keyOf(0), makePhoto(0), given);
  if (cache.stats.bytes !== PHOTO_BYTES) skip("this ResultCache takes no sizes");
}

await measure({
  get: (key) => cache.get(key),
  set: isGiven ? (key, photo) => sized.set(key, photo, given) : (key, photo) => cache.set(key, photo),
  count: () => cache.stats.entries,
});
