import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/**
 * Name and version of the decoder, without loading it: sharp is for threads only. A file that one version could not
 * read is tried again by the next.
 */
export function decoderVersion(): string {
  const entry = createRequire(import.meta.url).resolve("sharp");
  for (let folder = dirname(entry); dirname(folder) !== folder; folder = dirname(folder)) {
    try {
      const manifest: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      if (isSharp(manifest)) return `sharp ${manifest.version}`;
    } catch {
      // No package.json at this height; the next one up may have it.
    }
  }
  return "sharp";
}

function isSharp(manifest: unknown): manifest is { version: string } {
  if (typeof manifest !== "object" || manifest === null) return false;
  return (
    "name" in manifest && manifest.name === "sharp" && "version" in manifest && typeof manifest.version === "string"
  );
}
