/** The snippets of docs/caching.md, run as they stand: each is a program of its own, and says itself what must be true. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const page = await readFile(path.resolve(import.meta.dirname, "../../../docs/caching.md"), "utf8");
const snippets = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""], at) => {
  const heading =
    page
      .slice(0, page.indexOf(code))
      .match(/^## .*$/gm)
      ?.at(-1) ?? "";
  return { name: `${heading.slice(3)} (${at + 1})`, code };
});

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "threadmill-docs-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("there are snippets", () => {
  expect(snippets.length).toBeGreaterThan(6);
});

test.each(snippets)("$name", async ({ name, code }) => {
  expect(code).toContain("assert.");
  const file = path.join(folder, `${name.replaceAll(/\W+/g, "-")}.mjs`);
  const built = new URL("../dist/index.js", import.meta.url).href;
  await writeFile(file, code.replaceAll('"@threadmill/cache"', JSON.stringify(built)));
  await promisify(execFile)(process.execPath, [file]);
});
