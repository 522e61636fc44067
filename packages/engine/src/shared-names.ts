/** Names for shared memory in fingerprints: it is known by identity, for all threads see the same bytes, whatever they become. */

const names = new WeakMap<SharedArrayBuffer, number>();
let next = 1;

/** The same name whenever this memory is met in this thread. */
export function nameShared(buffer: SharedArrayBuffer): number {
  const known = names.get(buffer);
  if (known !== undefined) return known;
  const name = next++;
  names.set(buffer, name);
  return name;
}
