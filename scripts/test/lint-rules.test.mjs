/**
 * A rule that cannot fail is worth nothing: each rule that keeps the architecture is given code that breaks it, and
 * code beside it that does not. All snippets are linted in one go, with the repository's own configuration, in a
 * temporary folder that looks like the repository.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../lib/root.mjs";
import { run } from "../lib/run.mjs";

const scheduler = "packages/engine/src/scheduler";

/** What is refused: the rule, where, and the code that breaks it. @type {[rule: string, folder: string, code: string][]} */
const bad = [
  // The scheduler is pure.
  ["threadmill(import-direction)", scheduler, `import { now } from "node:perf_hooks";\nexport const t = now;`],
  ["threadmill(import-direction)", scheduler, `import { shell } from "../shell.js";\nexport const t = shell;`],
  ["threadmill(import-direction)", scheduler, `import type { Shell } from "../shell.js";\nexport type T = Shell;`],
  [
    "threadmill(import-direction)",
    scheduler,
    `import { TaskError } from "@threadmill/protocol";\nexport const t = TaskError;`,
  ],
  [
    "threadmill(import-direction)",
    scheduler,
    `import { EventEmitter } from "eventemitter3";\nexport const t = EventEmitter;`,
  ],
  ["threadmill(import-direction)", scheduler, `export type T = import("node:fs").Stats;`],
  ["threadmill(no-async)", scheduler, `export async function f(): Promise<void> {}`],
  ["threadmill(no-async)", scheduler, `export const f = async () => 1;`],
  ["threadmill(no-async)", scheduler, `export const o = { async *f() { yield 1; } };`],
  ["threadmill(no-async)", scheduler, `export const t = await import("./heap.js");`],
  ["threadmill(no-async)", scheduler, `export const f = async (a) => { for await (const b of a) f(b); };`],
  ["eslint(no-restricted-globals)", scheduler, `export const t = Date.now();`],
  ["eslint(no-restricted-globals)", scheduler, `export const t = new Date();`],
  ["eslint(no-restricted-globals)", scheduler, `export const t = performance.now();`],
  ["eslint(no-restricted-globals)", scheduler, `export const t = setTimeout(f, 1);`],
  ["eslint(no-restricted-globals)", scheduler, `export const t = setInterval(f, 1);`],
  ["eslint(no-restricted-globals)", scheduler, `export const t = setImmediate(f);`],
  ["eslint(no-restricted-globals)", scheduler, `queueMicrotask(f);`],
  ["eslint(no-restricted-globals)", scheduler, `export const t = process.uptime();`],
  ["eslint(no-restricted-globals)", scheduler, `export const t = Promise.resolve(1);`],
  ["eslint(no-restricted-globals)", scheduler, `export const t = crypto.randomUUID();`],
  ["eslint(no-restricted-globals)", scheduler, `export const t = globalThis.setTimeout;`],
  ["eslint(no-restricted-properties)", scheduler, `export const t = Math.random();`],
  ["eslint(no-restricted-properties)", scheduler, `const { random } = Math;\nexport const t = random();`],

  // Imports go one way.
  [
    "threadmill(import-direction)",
    "packages/protocol/src",
    `import { x } from "@threadmill/workers";\nexport const t = x;`,
  ],
  ["threadmill(import-direction)", "packages/protocol/src", `import { x } from "node:fs";\nexport const t = x;`],
  [
    "threadmill(import-direction)",
    "packages/protocol/src",
    `import type { x } from "eventemitter3";\nexport type T = x;`,
  ],
  ["eslint(no-restricted-globals)", "packages/protocol/src", `export const t = setTimeout(f, 1);`],
  [
    "threadmill(import-direction)",
    "packages/workers/src",
    `import { x } from "@threadmill/engine";\nexport const t = x;`,
  ],
  [
    "threadmill(import-direction)",
    "packages/workers/src",
    `import type { x } from "@threadmill/cache";\nexport type T = x;`,
  ],
  ["threadmill(import-direction)", "packages/cache/src", `export { x } from "@threadmill/workers";`],
  ["threadmill(import-direction)", "packages/cache/src", `export * from "@threadmill/engine";`],
  [
    "threadmill(import-direction)",
    "packages/engine/src",
    `import { x } from "@threadmill/workers";\nexport const t = x;`,
  ],
  [
    "threadmill(import-direction)",
    "packages/engine/src",
    `export const t = () => import("@threadmill/workers/embed");`,
  ],
  [
    "threadmill(import-direction)",
    "packages/engine/src",
    `export const t = import.meta.resolve("@threadmill/workers/thumbnail");`,
  ],
  ["threadmill(import-direction)", "packages/engine/src", `export const t = require("@threadmill/monitor");`],

  // One home for each dependency that is hard to contain.
  [
    "threadmill(import-direction)",
    "packages/engine/src",
    `import { Piscina } from "piscina";\nexport const t = Piscina;`,
  ],
  [
    "threadmill(import-direction)",
    "packages/engine/src/runners",
    `import type { Piscina } from "piscina";\nexport type T = Piscina;`,
  ],
  ["threadmill(import-direction)", "packages/engine/src", `import { wrap } from "comlink";\nexport const t = wrap;`],
  [
    "threadmill(import-direction)",
    "packages/engine/src",
    `import { LRUCache } from "lru-cache";\nexport const t = LRUCache;`,
  ],
  ["threadmill(import-direction)", "packages/engine/src", `import sharp from "sharp";\nexport const t = sharp;`],
  ["threadmill(import-direction)", "packages/workers/src", `export const t = () => import("sharp");`],
  [
    "threadmill(import-direction)",
    "packages/workers/src/runner",
    `import * as ort from "onnxruntime-node";\nexport const t = ort;`,
  ],

  // By public names, and nothing imports an example.
  [
    "threadmill(import-direction)",
    "packages/engine/src",
    `import { x } from "../../workers/src/runner/index.js";\nexport const t = x;`,
  ],
  [
    "threadmill(import-direction)",
    "packages/engine/src",
    `export const t = new URL("../../workers/dist/thread-entry.js", import.meta.url);`,
  ],
  [
    "threadmill(import-direction)",
    "packages/engine/src",
    `import { x } from "../test/helpers.js";\nexport const t = x;`,
  ],
  [
    "threadmill(import-direction)",
    "packages/engine/test",
    `import { x } from "../../protocol/src/errors.js";\nexport const t = x;`,
  ],
  [
    "threadmill(import-direction)",
    "packages/engine/test",
    `import { x } from "../../../examples/01-map.mjs";\nexport const t = x;`,
  ],
  [
    "threadmill(import-direction)",
    "packages/conformance/src",
    `import { x } from "@threadmill/photo-indexer";\nexport const t = x;`,
  ],
  [
    "threadmill(import-direction)",
    "examples/01-map",
    `import { x } from "../../packages/engine/src/index.js";\nexport const t = x;`,
  ],
  [
    "threadmill(import-direction)",
    "examples/photo-indexer/src",
    `import { x } from "../../01-map.mjs";\nexport const t = x;`,
  ],
  ["threadmill(import-direction)", "bench", `import { x } from "../examples/01-map.mjs";\nexport const t = x;`],

  // Promises, with types.
  ["typescript(no-floating-promises)", "packages/cache/src", `declare function f(): Promise<void>;\nf();`],
  [
    "typescript(no-misused-promises)",
    "packages/cache/src",
    `declare function f(): Promise<boolean>;\nif (f()) throw new Error("always");`,
  ],
  ["typescript(no-misused-promises)", "packages/cache/src", `[1].forEach(async (x) => { await Promise.resolve(x); });`],
];

/** What is allowed, close to what is refused. @type {[folder: string, code: string][]} */
const good = [
  [scheduler, `import type { ErrorCode } from "@threadmill/protocol";\nexport type T = ErrorCode;`],
  [scheduler, `import { Heap } from "./heap.js";\nexport const t = Heap;`],
  [`${scheduler}/deep`, `import { Heap } from "../heap.js";\nexport const t = Math.max(Heap, 1);`],
  [
    "packages/workers/src",
    `import { x } from "@threadmill/protocol";\nimport { y } from "node:fs";\nexport const t = [x, y];`,
  ],
  [
    "packages/workers/src/tasks",
    `import { x } from "../define-task.js";\nexport const t = [x, () => import("sharp")];`,
  ],
  [
    "packages/workers/test",
    `import { x } from "../src/index.js";\nimport sharp from "sharp";\nexport const t = [x, sharp];`,
  ],
  ["packages/cache/src", `import { LRUCache } from "lru-cache";\nexport const t = LRUCache;`],
  ["packages/engine/src", `export const t = import.meta.resolve("@threadmill/workers/thread-entry");`],
  ["packages/engine/src", `import { x } from "@threadmill/workers/runner";\nexport const t = [x, setTimeout];`],
  ["packages/engine/src/remote", `import { wrap } from "comlink";\nexport const t = wrap;`],
  [
    "packages/engine/test",
    `import { x } from "@threadmill/workers";\nimport { y } from "../src/index.js";\nexport const t = [x, y];`,
  ],
  ["packages/conformance/src", `import { x } from "@threadmill/engine";\nexport const t = x;`],
  [
    "examples/photo-indexer/src",
    `import { x } from "@threadmill/workers/embed";\nimport sharp from "sharp";\nexport const t = [x, sharp];`,
  ],
  ["bench", `import { Piscina } from "piscina";\nexport const t = Piscina;`],
];

const folder = mkdtempSync(path.join(tmpdir(), "threadmill-lint-"));
/** @type {Map<string, string[]>} */
const findings = new Map();

/** @param {string} kind @param {number} index @param {string} dir */
const fileOf = (kind, index, dir) => `${dir}/${kind}-${index}.ts`;

beforeAll(async () => {
  for (const name of [".oxlintrc.json", "tsconfig.base.json", "scripts/lint", "scripts/lib/root.mjs"]) {
    cpSync(fileURLToPath(new URL(name, root)), path.join(folder, name), { recursive: true });
  }
  writeFileSync(
    path.join(folder, "tsconfig.json"),
    `{ "extends": "./tsconfig.base.json", "compilerOptions": { "types": [] }, "include": ["**/*.ts"] }`,
  );
  /** @param {string} file @param {string} code */
  const write = (file, code) => {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), `${code}\n`);
  };
  for (const [index, [, dir, code]] of bad.entries()) write(fileOf("bad", index, dir), code);
  for (const [index, [dir, code]] of good.entries()) write(fileOf("good", index, dir), code);
  write(
    "packages/engine/src/runners/piscina-runner.ts",
    `import { Piscina } from "piscina";\nexport const t = Piscina;`,
  );

  const bin = fileURLToPath(new URL("node_modules/.bin/", root));
  const { output } = await run(path.join(bin, "oxlint"), ["--type-aware", "--format", "json"], {
    cwd: folder,
    env: { ...process.env, OXLINT_TSGOLINT_PATH: path.join(bin, "tsgolint") },
    capture: true,
  });
  /** @type {{ diagnostics: { code: string, filename: string }[] }} */
  const { diagnostics } = JSON.parse(output);
  for (const { code, filename } of diagnostics) {
    const file = filename.replaceAll("\\", "/");
    findings.set(file, [...(findings.get(file) ?? []), code]);
  }
});

afterAll(() => rmSync(folder, { recursive: true }));

describe("is refused", () => {
  test.each(bad.map(([rule, dir, code], index) => ({ rule, dir, code, index })))(
    "by $rule in $dir: $code",
    ({ rule, dir, index }) => {
      expect(findings.get(fileOf("bad", index, dir)) ?? []).toContain(rule);
    },
  );
});

describe("is allowed", () => {
  /** @param {string} file */
  const ourFindings = (file) =>
    (findings.get(file) ?? []).filter((code) => code.startsWith("threadmill") || code.includes("no-restricted"));

  test.each(good.map(([dir, code], index) => ({ dir, code, index })))("in $dir: $code", ({ dir, index }) => {
    expect(ourFindings(fileOf("good", index, dir))).toEqual([]);
  });

  test("piscina in its one file", () => {
    expect(ourFindings("packages/engine/src/runners/piscina-runner.ts")).toEqual([]);
  });
});
