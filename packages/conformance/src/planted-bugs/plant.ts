/**
 * The compiled scheduler, or what decides in a thread when a task is imported and set up, with one bug planted in it:
 * copied to a folder of its own, changed in one place, and loaded beside the right one. The sources have no switch for
 * tests in them, and the list must follow the code: a bug whose piece of code is not there exactly once cannot be
 * planted, which is an error.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { REAL_SCHEDULER, type SchedulerUnderTest } from "../simulator/index.js";
import type { PlantedBug } from "./planted-bug.js";

/** Loads copies as they are: no bundler or test runner has to look at a thousand small files. */
const require = createRequire(import.meta.url);
const door = require.resolve("@threadmill/engine/internal/scheduler");
/** A file that imports nothing. */
const readiness = join(dirname(require.resolve("@threadmill/workers/runner")), "readiness.js");

/** A place for copies, removed with all of them by `dispose`. */
export class Nursery {
  readonly #folder = mkdtempSync(join(tmpdir(), "threadmill-planted-"));
  #copies = 0;

  constructor() {
    writeFileSync(join(this.#folder, "package.json"), `{ "type": "module" }`);
  }

  plant(bug: PlantedBug): SchedulerUnderTest {
    const isInThread = basename(readiness) === `${bug.file}.js`;
    const changed = sourceWith(bug, isInThread ? dirname(readiness) : dirname(door));
    const folder = join(this.#folder, String(this.#copies++));
    mkdirSync(folder);
    const file = join(folder, `${bug.file}.js`);
    if (!isInThread) {
      cpSync(dirname(door), folder, { recursive: true, filter: (path) => !/\.(?:d\.ts|map)$/.test(path) });
    }
    writeFileSync(file, changed);
    return { ...REAL_SCHEDULER, ...(require(isInThread ? file : join(folder, basename(door))) as object) };
  }

  dispose(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The file as it is with the bug in it. */
function sourceWith({ file, from, to }: PlantedBug, folder: string): string {
  const pieces = readFileSync(join(folder, `${file}.js`), "utf8").split(from);
  if (pieces.length !== 2) {
    throw new Error(`${file}.js has this piece ${pieces.length - 1} times, and must have it once:\n${from}`);
  }
  return pieces.join(to);
}
