/**
 * One listener per distinct signal, however many handles it has: adding 40,000 listeners to one signal takes seconds,
 * and Node warns from the eleventh on.
 */
export class SignalHub {
  readonly #watched = new Map<AbortSignal, { readonly callbacks: Set<() => void>; readonly listener: () => void }>();

  /** Calls back in the same tick as the abort. The function that it answers takes that back. */
  watch(signal: AbortSignal, onAbort: () => void): () => void {
    let entry = this.#watched.get(signal);
    if (entry === undefined) {
      const callbacks = new Set<() => void>();
      const listener = (): void => {
        this.#watched.delete(signal);
        for (const callback of callbacks) callback();
      };
      signal.addEventListener("abort", listener, { once: true });
      entry = { callbacks, listener };
      this.#watched.set(signal, entry);
    }
    const { callbacks, listener } = entry;
    callbacks.add(onAbort);
    return () => {
      callbacks.delete(onAbort);
      if (callbacks.size > 0 || this.#watched.get(signal)?.callbacks !== callbacks) return;
      this.#watched.delete(signal);
      signal.removeEventListener("abort", listener);
    };
  }
}
