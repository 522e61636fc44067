/**
 * One listener on a signal for all who wait with it: a page that asks for a hundred thumbnails does so with the one signal
 * of its request, and Node warns of a leak from the eleventh listener on.
 */

const waiting = new WeakMap<AbortSignal, { readonly callbacks: Set<() => void>; readonly listener: () => void }>();

/** To be called once when the signal is aborted. Each callback is one of its own. */
export function addAbortListener(signal: AbortSignal, callback: () => void): void {
  let hub = waiting.get(signal);
  if (hub === undefined) {
    const callbacks = new Set<() => void>();
    const listener = (): void => {
      waiting.delete(signal);
      for (const one of callbacks) one();
    };
    hub = { callbacks, listener };
    waiting.set(signal, hub);
    signal.addEventListener("abort", listener, { once: true });
  }
  hub.callbacks.add(callback);
}

export function removeAbortListener(signal: AbortSignal, callback: () => void): void {
  const hub = waiting.get(signal);
  if (hub === undefined) return;
  hub.callbacks.delete(callback);
  if (hub.callbacks.size > 0) return;
  waiting.delete(signal);
  signal.removeEventListener("abort", hub.listener);
}
