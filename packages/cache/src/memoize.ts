/** Functions that remember what they answered: a cache and a function behind one call. */
import { InvalidArgumentError } from "@threadmill/protocol";
import { type SetOptions, checkDuration, checkFlag, checkFunction, checkNames } from "./cache-options.js";
import { fingerprint } from "./fingerprint.js";
import { ResultCache } from "./result-cache.js";

export interface MemoizeOptions<Arguments extends unknown[], Answer> {
  /** What the answer depends on, as one text. Default: `fingerprint(arguments)`, some microseconds for small ones. */
  readonly key?: ((...args: Arguments) => string) | undefined;
  /** How long an answer is good for. Default: until something pushes it out. */
  readonly ttlMs?: number | undefined;
  /** What an answer counts for, by `maxBytes`. Default: an estimate. */
  readonly sizeOf?: ((answer: Answer) => number) | undefined;
  /** What `invalidate` can find an answer by. */
  readonly tags?: ((...args: Arguments) => readonly string[]) | undefined;
  /** False: every call goes to the function. Default true. */
  readonly enabled?: boolean | undefined;
  readonly maxEntries?: number | undefined;
  readonly maxBytes?: number | undefined;
  /**
   * A cache of the caller's, in place of one of its own. Its limits are its own; functions that share one need keys
   * that differ.
   */
  readonly cache?: ResultCache<Answer> | undefined;
}

/** The function, as it was, with the cache that it now has. */
export interface Memoized<This, Arguments extends unknown[], Result> {
  (this: This, ...args: Arguments): Result;
  readonly cache: ResultCache<Awaited<Result>>;
  /** Forgets all answers, of all that share the cache. */
  clear(): void;
  /** Forgets the answer to these arguments; true if there was one. */
  forget(...args: Arguments): boolean;
}

/**
 * Calls with the same key get the same answer, by reference. An async function runs once for all who ask meanwhile. What
 * it throws, or rejects with, is not kept. An answer that was being made while something was deleted or invalidated goes
 * to those who asked, and is not kept.
 *
 * @throws {InvalidArgumentError} an option that makes no sense.
 */
export function memoize<Fn extends (this: never, ...args: never[]) => unknown>(
  fn: Fn,
  options?: MemoizeOptions<Parameters<Fn>, Awaited<ReturnType<Fn>>>,
): Memoized<ThisParameterType<Fn>, Parameters<Fn>, ReturnType<Fn>>;
// Told apart, so that types come from the function alone, and never from the options.
export function memoize<This, Arguments extends unknown[], Result>(
  fn: (this: This, ...args: Arguments) => Result,
  options: MemoizeOptions<Arguments, Awaited<Result>> = {},
): Memoized<This, Arguments, Result> {
  type Answer = Awaited<Result>;
  check(fn, options);
  const { key = (...args: Arguments): string => fingerprint(args), ttlMs, sizeOf, tags, enabled = true } = options;
  const { maxEntries, maxBytes } = options;
  const cache = options.cache ?? new ResultCache<Answer>({ maxEntries, maxBytes, enabled });
  // Whether a hit is to be answered as a promise. An ordinary function is asked once to know: it may return one.
  let isAsync = fn instanceof AsyncFunction ? true : undefined;

  function memoized(this: This, ...args: Arguments): Result {
    if (!enabled) return fn.apply(this, args);
    if (isAsync === true) return fetchAnswer(args, () => fn.apply(this, args) as PromiseLike<Answer>) as Result;
    const { id, settings } = about(args);
    if (isAsync === false) {
      const known = cache.lookUp(id);
      if (known.hit) return known.value;
    }
    const { generation } = cache;
    const result = fn.apply(this, args);
    isAsync = isThenable(result);
    if (isThenable(result)) {
      if (cache.generation !== generation) return result;
      // One promise of it: some do their work, a query say, each time that they are waited for.
      const answer = Promise.resolve(result) as Promise<Answer>;
      // Where another load is under way already, this one is not listened to.
      answer.catch(() => undefined);
      return cache.fetch(id, () => answer, { ...settings, sizeOf }) as Result;
    }
    cache.set(id, result as Answer, { ...settings, generation, bytes: sizeOf?.(result as Answer) });
    return result;
  }

  const about = (args: Arguments): { id: string; settings: Pick<SetOptions, "ttlMs" | "tags"> } => {
    const id = key(...args);
    if (typeof id !== "string") throw new InvalidArgumentError(`memoize: key must answer a string, not ${typeof id}`);
    return { id, settings: { ttlMs, tags: tags?.(...args) } };
  };

  /** As an async function does, it rejects whatever goes wrong, also with the key. */
  const fetchAnswer = async (args: Arguments, load: () => PromiseLike<Answer>): Promise<Answer> => {
    const { id, settings } = about(args);
    return cache.fetch(id, load, { ...settings, sizeOf });
  };

  return Object.assign(memoized, {
    cache,
    clear: () => cache.clear(),
    forget: (...args: Arguments) => cache.delete(key(...args)),
  });
}

const OPTIONS = ["key", "ttlMs", "sizeOf", "tags", "enabled", "maxEntries", "maxBytes", "cache"];

const AsyncFunction = (async () => {}).constructor;

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as { readonly then?: unknown }).then === "function"
  );
}

function check(fn: unknown, options: { readonly [Name in keyof MemoizeOptions<never, never>]: unknown }): void {
  if (typeof fn !== "function") throw new InvalidArgumentError("memoize: the first argument must be a function");
  checkNames("memoize", options, OPTIONS);
  checkFunction("key", options.key);
  checkFunction("sizeOf", options.sizeOf);
  checkFunction("tags", options.tags);
  checkFlag("enabled", options.enabled);
  checkDuration("ttlMs", options.ttlMs);
  // The limits are looked at by the cache that they are for.
  if (options.cache === undefined) return;
  if (!(options.cache instanceof ResultCache)) throw new InvalidArgumentError("cache must be a ResultCache");
  if (options.maxEntries !== undefined || options.maxBytes !== undefined) {
    throw new InvalidArgumentError("maxEntries and maxBytes are the cache's own: leave them out, or leave out cache");
  }
}
