/** Where the module lies that each thread begins with: in the package of workers, as the engine's own file sees it. */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

/**
 * The URL of the entry of threads, seen from the file at `importer`: an `import.meta.url`, which bundles to CommonJS
 * have not. Not by `import.meta.resolve`: what test runners load has none, Vitest 3 for linked packages say.
 */
export function threadEntryUrl(importer: string | undefined): string {
  try {
    // Without an importer, it throws as it does for a package that is not there.
    return pathToFileURL(createRequire(importer as string).resolve("@threadmill/workers/thread-entry")).href;
  } catch (cause) {
    const remedy = "If the engine is in a bundle, leave @threadmill/* out of that: mark the packages as external";
    throw new Error(`the entry of threads in @threadmill/workers was not found. ${remedy}`, { cause });
  }
}
