/** How the engine finds the entry of its threads, whoever has loaded it. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { threadEntryUrl } from "../src/runners/thread-entry.js";

it("is found from the engine's own file", () => {
  expect(existsSync(fileURLToPath(threadEntryUrl(import.meta.url)))).toBe(true);
});

it("is asked for in a bundle, which has no import.meta.url, with the remedy", () => {
  expect(() => threadEntryUrl(undefined)).toThrow(/^the entry of threads .* mark the packages as external$/);
});
