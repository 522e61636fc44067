/** Where a module of this folder lies compiled: what a thread, or another process, can load on every supported Node. */
export function compiled(file: string): URL {
  return new URL(`../../dist/bounds/${file}`, import.meta.url);
}
