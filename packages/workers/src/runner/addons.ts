/**
 * Knows whether this thread has loaded a native addon. Node loads every addon through `process.dlopen`, and each
 * thread has a `process` of its own, so wrapping it there shows exactly what this thread has loaded.
 */

/** Calls `onLoad` before an addon is loaded. For threads of ours only: a host's own `process` is left alone. */
export function watchAddons(onLoad: () => void): void {
  const load = process.dlopen.bind(process);
  process.dlopen = (...args: Parameters<typeof load>): void => {
    onLoad();
    load(...args);
  };
}
