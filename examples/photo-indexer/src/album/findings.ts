import { readFile } from "node:fs/promises";
import type { Findings } from "./manifest.js";

/** As far as this file looks into `index.json`, which our own renderer wrote. */
interface IndexJson {
  readonly exactDuplicates: readonly (readonly string[])[];
  readonly nearDuplicates: readonly (readonly { readonly files: readonly string[] }[])[];
  readonly broken: readonly { readonly path: string }[];
}

/** What a published index claims, read from its `index.json`: as another program would. */
export async function readFindings(indexJson: string): Promise<Findings> {
  const index = JSON.parse(await readFile(indexJson, "utf8")) as IndexJson;
  return {
    exact: index.exactDuplicates,
    near: index.nearDuplicates.map((group) => group.flatMap(({ files }) => files)),
    broken: index.broken.map(({ path }) => path),
  };
}
