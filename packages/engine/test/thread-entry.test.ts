/** How the engine finds the entry of its threads, whoever has loaded it. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const fixture = fileURLToPath(new URL("fixtures/import-meta.mjs", import.meta.url));

it.each([
  ["is found without import.meta.resolve, which test runners may not have", "url", /^1$/],
  [
    "is asked for in a bundle, with the remedy",
    "nothing",
    /^Error: the entry of threads .* mark the packages as external$/,
  ],
])("the entry of threads %s", async (_, has, says) => {
  const flags = ["--experimental-vm-modules", "--no-warnings"];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, fixture, has]);
  expect(stdout).toMatch(says);
});
