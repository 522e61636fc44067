/** Where a module of this folder lies compiled: what another process can load on every supported Node. */
export function compiled(file: string): URL {
  return new URL(`../../dist/cache-kills/${file}`, import.meta.url);
}
