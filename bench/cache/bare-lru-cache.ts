/** lru-cache as it comes: bounded by entries only, or also by bytes that the caller gives or `estimateBytes` tells. */
import { estimateBytes } from "@threadmill/cache";
import { LRUCache } from "lru-cache";
import { number, text } from "../harness/report.js";
import { measure } from "./measure.js";
import { PHOTO_BYTES, type Photo } from "./photos.js";

const max = number("entries");
const maxSize = number("maxBytes");
const size = text("size");

const cache =
  size === "none"
    ? new LRUCache<string, Photo>({ max })
    : size === "given"
      ? new LRUCache<string, Photo>({ max, maxSize })
      : new LRUCache<string, Photo>({ max, maxSize, sizeCalculation: estimateBytes });
const given = { size: PHOTO_BYTES };

await measure({
  get: (key) => cache.get(key),
  set: size === "given" ? (key, photo) => cache.set(key, photo, given) : (key, photo) => cache.set(key, photo),
  count: () => cache.size,
});
