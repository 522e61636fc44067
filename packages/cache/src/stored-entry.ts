/** What a cache knows of one entry, as it is written to a file and read back, and what it tells the keeper of the file. */
import { InvalidArgumentError } from "@threadmill/protocol";

export interface StoredEntry<Value = unknown> {
  readonly key: string;
  readonly value: Value;
  /** What it counts for, by the bound in bytes. */
  readonly bytes: number;
  readonly tags: readonly string[];
  /** Times are those of the cache's clock, by default the system's (`Date.now`), so that they hold across processes. */
  readonly storedAtMs: number;
  /** Undefined: never. */
  readonly expiresAtMs: number | undefined;
  /** True: the expiry is that of the cache, and follows it when that changes. False: the entry's own. */
  readonly usesDefaultTtl: boolean;
  readonly lastAccessMs: number;
  readonly accesses: number;
}

/** @throws {InvalidArgumentError} what is no stored entry: it comes from a file, or from wherever a program kept it. */
export function checkStored(entry: unknown): void {
  const { key, bytes, tags, storedAtMs, expiresAtMs, usesDefaultTtl, lastAccessMs, accesses } = (entry ??
    {}) as Partial<Record<keyof StoredEntry, unknown>>;
  const rights: Record<string, boolean> = {
    key: typeof key === "string",
    bytes: Number.isSafeInteger(bytes) && Number(bytes) > 0,
    tags: Array.isArray(tags) && tags.every((tag) => typeof tag === "string"),
    storedAtMs: Number.isFinite(storedAtMs),
    expiresAtMs: expiresAtMs === undefined || (typeof expiresAtMs === "number" && !Number.isNaN(expiresAtMs)),
    usesDefaultTtl: typeof usesDefaultTtl === "boolean",
    lastAccessMs: Number.isFinite(lastAccessMs),
    accesses: Number.isFinite(accesses),
  };
  for (const [name, isRight] of Object.entries(rights)) {
    if (!isRight) throw new InvalidArgumentError(`this is no stored entry: its ${name} is not one that a cache writes`);
  }
}

/**
 * Whether an entry that expires is good now. One that was stored in times to come is not: the clock was set back since,
 * and it would outlive its time by as much.
 */
export function isInTime(storedAtMs: number, expiresAtMs: number, nowMs: number): boolean {
  return storedAtMs <= nowMs && nowMs < expiresAtMs;
}

/** `content`: what a restart would miss. `access`: only the order and the times of last use. */
export type CacheChange = "content" | "access";

/** Whoever keeps a cache's content beyond its process. It must not throw. */
export interface CacheKeeper {
  /** Called at every change, often: it must be cheap. */
  changed(change: CacheChange): void;
  /** Resolves when all that has changed is safe. */
  flush(): Promise<void>;
  /** A last flush; the content is let go afterwards. */
  close(): Promise<void>;
}

/** How a keeper is given to a cache: `cache[KEEP](keeper)`. Inside this package only. */
export const KEEP = Symbol("keep");
