/** What a cache can be told, and what is wrong with it. Everything is looked at before anything changes. */
import { InvalidArgumentError } from "@threadmill/protocol";

export interface CacheLimits {
  /** Entries kept at the most. Default 64. */
  readonly maxEntries?: number | undefined;
  /** Estimated bytes kept at the most; a value that is larger alone is not kept at all. Default 64 MiB. */
  readonly maxBytes?: number | undefined;
  /** How long an entry is good for, from when it was stored. Default `Infinity`: until something pushes it out. */
  readonly ttlMs?: number | undefined;
}

export interface ResultCacheOptions<Value = unknown> extends CacheLimits {
  /**
   * What a value counts for, by `maxBytes`. It is taken as it is: without it, the value is estimated and its key and its
   * place in the cache are added.
   */
  readonly sizeOf?: ((value: Value, key: string) => number) | undefined;
  /** False: nothing is kept and no load is shared, as if there were no cache. Default true. */
  readonly enabled?: boolean | undefined;
  /** The clock, in milliseconds since 1970; for tests. Default `Date.now`, which goes on while the machine sleeps. */
  readonly now?: (() => number) | undefined;
}

export interface SetOptions {
  /** This entry's own time to live; `Infinity`: it never expires. Default: the cache's, also when that is changed. */
  readonly ttlMs?: number | undefined;
  /** What `invalidate` can find it by. */
  readonly tags?: readonly string[] | undefined;
  /** What it counts for, in place of `sizeOf` or the estimate. */
  readonly bytes?: number | undefined;
  /**
   * The cache's `generation` when the value began to be made: it is not stored if anything was deleted or invalidated
   * since. `fetch` does this by itself, and by key.
   */
  readonly generation?: number | undefined;
}

export const DEFAULT_LIMITS = { maxEntries: 64, maxBytes: 64 * 1024 * 1024, ttlMs: Infinity };

const LIMITS = ["maxEntries", "maxBytes", "ttlMs"];
const OPTIONS = [...LIMITS, "sizeOf", "enabled", "now"];
const SET_OPTIONS = ["ttlMs", "tags", "bytes", "generation"];

export function checkOptions(options: ResultCacheOptions<never>): void {
  checkNames("ResultCache", options, OPTIONS);
  checkBounds(options);
  checkFunction("sizeOf", options.sizeOf);
  checkFunction("now", options.now);
  checkFlag("enabled", options.enabled);
}

export function checkLimits(limits: CacheLimits): void {
  checkNames("resize", limits, LIMITS);
  checkBounds(limits);
}

/** What an entry is stored with, but for its tags, of which the cache makes a list of its own. */
export function checkSetOptions(options: SetOptions): void {
  checkNames("set", options, SET_OPTIONS);
  checkDuration("ttlMs", options.ttlMs);
  const { generation } = options;
  if (generation === undefined || typeof generation === "number") return;
  throw new InvalidArgumentError(`generation must be a number, as the cache gave it, not ${show(generation)}`);
}

/** A misspelt option that is silently ignored costs an evening: the cache would be bounded, or lasting, in name only. */
export function checkNames(where: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw new InvalidArgumentError(`${where}: options must be an object, not ${show(options)}`);
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    throw new InvalidArgumentError(`${where}: unknown option ${JSON.stringify(name)}; known are ${known.join(", ")}`);
  }
}

function checkBounds(limits: CacheLimits): void {
  checkWhole("maxEntries", limits.maxEntries);
  checkWhole("maxBytes", limits.maxBytes);
  checkDuration("ttlMs", limits.ttlMs);
}

export function checkDuration(name: string, value: unknown): void {
  if (value === undefined || (typeof value === "number" && value > 0)) return;
  throw new InvalidArgumentError(`${name} must be a number of milliseconds above 0, or Infinity, not ${show(value)}`);
}

export function checkSignal(signal: unknown): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw new InvalidArgumentError(`signal must be an AbortSignal, not ${show(signal)}`);
}

export function checkKey(key: unknown): void {
  if (typeof key !== "string") throw new InvalidArgumentError(`a key must be a string, not ${show(key)}`);
}

export function checkTag(tag: unknown): void {
  if (typeof tag !== "string") throw new InvalidArgumentError(`a tag must be a string, not ${show(tag)}`);
}

/** Each tag once, in a list of the cache's own. */
export function checkTags(tags: unknown): readonly string[] {
  if (tags === undefined) return NO_TAGS;
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === "string")) {
    throw new InvalidArgumentError("tags must be a list of strings");
  }
  return tags.length === 0 ? NO_TAGS : [...new Set<string>(tags)];
}

const NO_TAGS: readonly string[] = [];

/** A size as the cache counts it: whole, and never nothing. */
export function checkBytes(name: string, bytes: unknown): number {
  if (typeof bytes === "number" && bytes >= 0 && bytes <= Number.MAX_SAFE_INTEGER) return Math.max(1, Math.ceil(bytes));
  throw new InvalidArgumentError(`${name} must be a number of bytes, 0 or more, not ${show(bytes)}`);
}

export function checkFunction(name: string, value: unknown): void {
  if (value === undefined || typeof value === "function") return;
  throw new InvalidArgumentError(`${name} must be a function, not ${show(value)}`);
}

export function checkFlag(name: string, value: unknown): void {
  if (value === undefined || typeof value === "boolean") return;
  throw new InvalidArgumentError(`${name} must be true or false, not ${show(value)}`);
}

function checkWhole(name: string, value: unknown): void {
  if (value === undefined || (Number.isSafeInteger(value) && Number(value) > 0)) return;
  throw new InvalidArgumentError(`${name} must be a whole number above 0, not ${show(value)}`);
}

/** What was given may be anything, also something that cannot become text. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "function" ? "a function" : String(value);
}
