/** Limits from the environment, for those who ask for it: nothing in this package reads it by itself. */
import { InvalidArgumentError } from "@threadmill/protocol";

export interface CacheEnvironmentOptions {
  readonly maxEntries?: number;
  readonly maxBytes?: number;
  readonly ttlMs?: number;
  readonly enabled?: boolean;
}

const MIB = 1024 * 1024;
const YES = new Set(["1", "true", "yes", "on"]);
const NO = new Set(["0", "false", "no", "off"]);

/** What each variable becomes, and what is right for it; undefined for what is not. */
const variables: Record<string, { readonly right: string; read(text: string): CacheEnvironmentOptions | undefined }> = {
  THREADMILL_CACHE_MAX_SIZE: {
    right: "a whole number of entries above 0 (to switch the cache off: THREADMILL_CACHE_DISABLED=1)",
    read: (text) => {
      const maxEntries = toNumber(text);
      return Number.isSafeInteger(maxEntries) && maxEntries > 0 ? { maxEntries } : undefined;
    },
  },
  THREADMILL_CACHE_MAX_MEMORY_MB: {
    right: "a number above 0, of mebibytes, such as 64 or 0.5",
    read: (text) => {
      const maxBytes = Math.floor(toNumber(text) * MIB);
      return Number.isSafeInteger(maxBytes) && maxBytes > 0 ? { maxBytes } : undefined;
    },
  },
  THREADMILL_CACHE_TTL_SECONDS: {
    right: "a number of seconds above 0 (without an end: leave it unset)",
    read: (text) => {
      const ttlMs = toNumber(text) * 1000;
      return Number.isFinite(ttlMs) && ttlMs > 0 ? { ttlMs } : undefined;
    },
  },
  THREADMILL_CACHE_DISABLED: {
    right: "1, true, yes or on, or 0, false, no or off",
    read: (text) => {
      const word = text.toLowerCase();
      return YES.has(word) ? { enabled: false } : NO.has(word) ? { enabled: true } : undefined;
    },
  },
};

/**
 * The options that the environment names, to be spread over those of the program:
 * `new ResultCache({ maxEntries: 500, ...cacheOptionsFromEnv(process.env) })`. What is unset or empty is left out.
 *
 * @throws {InvalidArgumentError} values that make no sense, all of them in one message, each with what would be right.
 */
export function cacheOptionsFromEnv(env: Readonly<Record<string, string | undefined>>): CacheEnvironmentOptions {
  const options: CacheEnvironmentOptions = {};
  const complaints: string[] = [];
  for (const [name, variable] of Object.entries(variables)) {
    const text = env[name]?.trim() ?? "";
    if (text === "") continue;
    const found = variable.read(text);
    if (found === undefined) complaints.push(`${name} is ${JSON.stringify(text)}, but must be ${variable.right}`);
    else Object.assign(options, found);
  }
  if (complaints.length > 0) throw new InvalidArgumentError(complaints.join("; "));
  return options;
}

/** Plain decimal numbers only: "0x10", "1e3" and "" are numbers to JavaScript, and mistakes in a setting. */
function toNumber(text: string): number {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
}
