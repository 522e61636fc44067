/** What a snapshot tells its listeners. */

export interface SnapshotProgress {
  readonly done: number;
  /** Undefined: not known yet. */
  readonly total: number | undefined;
}

/**
 * Told after what they tell of, in its order. A listener may use the snapshot; what it throws, or rejects with, becomes a
 * process warning (`THREADMILL_LISTENER`). After each `start` comes exactly one of `swap`, `fail` and `abort`.
 */
export interface SnapshotEvents<K, V> {
  /** A load has begun; `generation` is what it makes if it succeeds. */
  start: (event: { readonly generation: number }) => void;
  progress: (event: SnapshotProgress) => void;
  /** The new value is the current one. */
  swap: (event: { readonly generation: number; readonly entries: number; readonly elapsedMs: number }) => void;
  fail: (event: { readonly error: unknown }) => void;
  /** The last caller has left. */
  abort: (event: { readonly reason: unknown }) => void;
  patch: (event: { readonly key: K; readonly value: V }) => void;
  remove: (event: { readonly key: K }) => void;
}
