export { estimateBytes } from "./estimate-bytes.js";
export { fingerprint } from "./fingerprint.js";
export type { FingerprintOptions } from "./fingerprint.js";
export { ResultCache } from "./result-cache.js";
export type { ResultCacheOptions, ResultCacheStats } from "./result-cache.js";
