/** Where a module of this folder lies compiled: what a thread can load on every supported Node. */
export function compiled(file: string): URL {
  return new URL(`../../dist/revocation/${file}`, import.meta.url);
}
