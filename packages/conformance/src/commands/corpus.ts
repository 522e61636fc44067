/** Lists of commands that once failed, on a scheduler with a bug in it: planted, or real and fixed since. */
import { readFileSync, readdirSync } from "node:fs";
import type { CommandHistory } from "./command.js";

export interface CorpusEntry extends CommandHistory {
  /** What broke. */
  readonly name: string;
  /** The planted bug that it shows; without one, it has shown a real one. */
  readonly bug?: string;
}

/** All entries of a folder, each with its file's name. */
export function readCorpus(folder: URL): readonly (readonly [file: string, entry: CorpusEntry])[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
  return files
    .toSorted()
    .map((file) => [file, JSON.parse(readFileSync(new URL(file, folder), "utf8")) as CorpusEntry] as const);
}
