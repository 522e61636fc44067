/**
 * Invalidations across modules: what has changed is said once, by its tag, and everybody who keeps something made of it
 * hears of it, caches and others, without knowing of each other.
 */
import { checkTag } from "./cache-options.js";
import { callSafely } from "./safe-call.js";

type InvalidationCallback = (tag: string) => unknown;

/** What the hub asks of a cache. */
interface TaggedCache {
  /** Lets go of what has the tag, without saying so to the hub. */
  dropTagged(tag: string): readonly string[];
}

const callbacks = new Set<{ readonly callback: InvalidationCallback }>();
/** Held weakly: a cache that nobody uses any more is nobody's to invalidate. */
const caches = new Set<WeakRef<TaggedCache>>();
const collected = new FinalizationRegistry<WeakRef<TaggedCache>>((reference) => caches.delete(reference));
/** Tags that are being told of: a callback that invalidates in turn starts no circle. */
const underWay = new Set<string>();

/**
 * The callback hears of every tag that is invalidated, by {@link invalidate} or by one cache. What it throws, or rejects
 * with, becomes a process warning (`THREADMILL_LISTENER`), and the others are called all the same.
 *
 * @returns what ends it.
 */
export function onInvalidate(callback: InvalidationCallback): () => void {
  if (typeof callback !== "function") throw new TypeError("onInvalidate: the callback must be a function");
  // Of its own, so that a callback that is given twice is there twice, and ends twice.
  const subscription = { callback };
  callbacks.add(subscription);
  return () => {
    callbacks.delete(subscription);
  };
}

/**
 * What has this tag is out of date, everywhere: in all caches of this process that ever stored it or load it now. Loads
 * that are running store nothing. Then the callbacks are told.
 *
 * @returns how many entries went.
 * @throws {InvalidArgumentError} a tag that is no text: nothing can have it.
 */
export function invalidate(tag: string): number {
  checkTag(tag);
  let entries = 0;
  for (const reference of [...caches]) entries += reference.deref()?.dropTagged(tag).length ?? 0;
  announce(tag);
  return entries;
}

/** A cache's place in the hub. The cache must hold it: the hub does not. */
export interface Following {
  readonly cache: TaggedCache;
  readonly reference: WeakRef<TaggedCache>;
}

export function follow(cache: TaggedCache): Following {
  const reference = new WeakRef(cache);
  caches.add(reference);
  collected.register(cache, reference, reference);
  return { cache, reference };
}

export function unfollow({ reference }: Following): void {
  caches.delete(reference);
  collected.unregister(reference);
}

export function announce(tag: string): void {
  if (underWay.has(tag)) return;
  underWay.add(tag);
  for (const { callback } of [...callbacks]) callSafely(callback, tag);
  underWay.delete(tag);
}
