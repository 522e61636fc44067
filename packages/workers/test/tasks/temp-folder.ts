/** A folder for one test file, gone after its last test. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** Answers a function that makes a path in the folder, and writes the bytes there if it is given some. */
export function tempFolder(): (name: string, bytes?: Uint8Array | string) => string {
  const folder = mkdtempSync(join(tmpdir(), "threadmill-tasks-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (name, bytes) => {
    const path = join(folder, name);
    if (bytes !== undefined) writeFileSync(path, bytes);
    return path;
  };
}
