/**
 * The pages that people read first, held to what is true: links lead somewhere, programs run and print what they say,
 * and no option and no error code is missing.
 */
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../lib/root.mjs";
import { run } from "../lib/run.mjs";
import { programsOf } from "./doc-programs.mjs";

const top = fileURLToPath(root);
const pages = [
  "README.md",
  "CONTRIBUTING.md",
  "bench/README.md",
  "examples/05-http/README.md",
  "examples/photo-indexer/README.md",
  ...(await readdir(new URL("docs", root))).map((name) => `docs/${name}`),
];

/** @param {string} page */
const read = (page) => readFile(new URL(page, root), "utf8");

describe("links", () => {
  test.each(pages)("of %s lead to files, and to headings in them", async (page) => {
    const broken = [];
    for (const { 1: target = "" } of withoutCode(await read(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [file = "", anchor] = target.split("#");
      const to = file === "" ? page : path.join(path.dirname(page), file);
      // A folder is there as well.
      const text = await read(to).catch((/** @type {NodeJS.ErrnoException} */ { code }) =>
        code === "EISDIR" ? "" : undefined,
      );
      if (text === undefined || (anchor !== undefined && !anchorsOf(text).has(anchor))) broken.push(target);
    }
    expect(broken).toEqual([]);
  });
});

/** @param {string} text */
const withoutBlocks = (text) => text.replaceAll(/^ *```.*?^ *```$/gms, "");
/** @param {string} text */
const withoutCode = (text) => withoutBlocks(text).replaceAll(/`[^`\n]*`/g, "");

/**
 * As GitHub makes them of headings.
 * @param {string} text
 */
function anchorsOf(text) {
  const headings = [...withoutBlocks(text).matchAll(/^#+ (.*)$/gm)].map(({ 1: heading = "" }) => heading.toLowerCase());
  return new Set(headings.map((heading) => heading.replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")));
}

describe("programs", async () => {
  const pagesWithPrograms = ["README.md", "packages/engine/README.md", "docs/in-your-application.md"];
  const programs = (
    await Promise.all(pagesWithPrograms.map(async (page) => programsOf(page, await read(page))))
  ).flat();
  /** @type {string} */
  let folder;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "threadmill-docs-"));
    await mkdir(path.join(folder, "node_modules"));
    await symlink(path.join(top, "examples/node_modules/@threadmill"), path.join(folder, "node_modules/@threadmill"));
    await symlink(path.join(top, "node_modules/@types"), path.join(folder, "node_modules/@types"));
    await writeFile(path.join(folder, "package.json"), '{ "type": "module" }');
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("are found", () => {
    expect(programs.length).toBeGreaterThan(8);
  });

  test.each(programs.map((program) => ({ ...program, title: program.name })))(
    "run, and print what they say: $title",
    async ({ files, main, prints }) => {
      const cwd = await mkdtemp(path.join(folder, "program-"));
      for (const [name, code] of files) await writeFile(path.join(cwd, name), code);
      const sources = [...files.keys()].filter((name) => name.endsWith(".ts"));
      if (sources.length > 0) await compile(sources, cwd);
      const { code, output } = await run(process.execPath, [main.replace(/\.ts$/, ".js")], { cwd, capture: true });
      if (code !== 0) throw new Error(output);
      expect(prints && output.trimEnd().split("\n")).toEqual(prints);
    },
  );
});

/**
 * Checks types too.
 * @param {readonly string[]} sources
 * @param {string} cwd
 */
async function compile(sources, cwd) {
  const tsc = path.join(top, "node_modules/typescript/bin/tsc");
  const options = ["--strict", "--module", "nodenext", "--target", "es2022", "--types", "node"];
  const { code, output } = await run(process.execPath, [tsc, ...options, ...sources], { cwd, capture: true });
  if (code !== 0) throw new Error(output);
}

describe("tables", () => {
  /** @param {string} name */
  const load = (name) => import(new URL(`packages/${name}/dist/index.js`, root).href);

  /**
   * The names in the first column of the table under a heading.
   * @param {string} text
   * @param {string} heading
   */
  function named(text, heading) {
    const section = text.split(`## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
    const cells = [...section.matchAll(/^\| (`[^|]*)\|/gm)].map(({ 1: cell = "" }) => cell);
    return new Set(cells.flatMap((cell) => [...cell.matchAll(/`(\w+)/g)].map(({ 1: name }) => name)));
  }

  /**
   * What the refusal of an unknown option says that there is.
   * @param {(options: object) => unknown} refuse
   */
  function known(refuse) {
    try {
      refuse({ unknown: 1 });
    } catch (error) {
      return new Set(/** @type {Error} */ (error).message.split("known are ")[1]?.split(", "));
    }
    throw new Error("an unknown option was not refused");
  }

  test("of errors have every code", async () => {
    const { ERROR_CODES } = await load("protocol");
    expect(named(await read("docs/errors.md"), "By code")).toEqual(new Set(Object.keys(ERROR_CODES)));
  });

  test("of options have every option", async () => {
    const { createEngine, task } = await load("engine");
    const { defineTask } = await load("workers");
    const text = await read("docs/options.md");
    expect(named(text, "`createEngine(options)`")).toEqual(known(createEngine));
    // The class of columns is told of in the row of handlers.
    expect(named(text, "`defineTask(definition)`").add("output")).toEqual(known(defineTask));
    const engine = createEngine({ threads: 0 });
    expect(named(text, "`engine.run(task, items, options)`")).toEqual(
      known((options) => engine.run(task("/tasks.js"), [], options)),
    );
    await engine.close();
  });
});
