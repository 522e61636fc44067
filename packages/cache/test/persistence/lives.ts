/** Random lives of a cache file: changes, flushes, failures and crashes at any call to the disk, against a simple model. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { type CacheFile, openCacheFile } from "../../src/persistence/cache-file.js";
import type { StoredEntry } from "../../src/stored-entry.js";
import { MortalDisk } from "./mortal-disk.js";

type State = ReadonlyMap<string, number>;

class Life {
  readonly #folder: string;
  readonly #disk = new MortalDisk();
  readonly #warnings: string[] = [];
  #file: CacheFile | undefined;
  /** What the cache holds. */
  #state = new Map<string, number>();
  /** What the file may hold, had the process died now. */
  #possible: State[] = [new Map()];

  constructor(folder: string) {
    this.#folder = folder;
  }

  async open(): Promise<void> {
    this.#disk.heal();
    const { entries, file } = await openCacheFile(
      {
        file: join(this.#folder, "x.cache"),
        flushMs: 2 ** 30,
        disk: this.#disk.disk,
        onWarning: ({ code }) => this.#warnings.push(code),
      },
      () => [...this.#state].map(([key, value]) => entryOf(key, value)),
    );
    this.#file = file;
    this.#state = new Map(entries.map(({ key, value }) => [key, (value as { count: number }).count]));
    const isPossible = this.#possible.some((state) => isDeepStrictEqual(state, this.#state));
    assert.ok(isPossible, `${show(this.#state)} is none of ${this.#possible.map(show).join(", ")}`);
    this.#possible = [new Map(this.#state)];
    const names = await readdir(this.#folder);
    const strange = names.filter((name) => !["x.cache", "x.cache.lock"].includes(name));
    assert.deepEqual([strange, this.#warnings.filter((code) => code !== "CACHE_FILE_NOT_WRITTEN")], [[], []]);
  }

  set(key: string, value: number): void {
    this.#state.set(key, value);
    this.#file?.changed("content");
  }

  delete(key: string): void {
    if (this.#state.delete(key)) this.#file?.changed("content");
  }

  /** `failAt`: the call to the disk that fails, if it comes so far. */
  async flush(failAt = Infinity, { isForGood }: { isForGood: boolean } = { isForGood: false }): Promise<boolean> {
    const wanted = new Map(this.#state);
    this.#disk.failAfter(failAt, { isForGood });
    const isSaved = await (this.#file?.flush() ?? Promise.resolve()).then(
      () => true,
      () => false,
    );
    // A failure may have come after the step that counts.
    this.#possible = isSaved ? [wanted] : [...this.#possible, wanted];
    return isSaved;
  }

  async crash(failAt: number): Promise<void> {
    await this.flush(failAt, { isForGood: true });
    this.#disk.failAfter(0, { isForGood: true });
    await this.#file?.close().catch(() => undefined);
    const lock = join(this.#folder, "x.cache.lock");
    const owner = JSON.parse(await readFile(lock, "utf8")) as object;
    // A number above the largest that any system gives out.
    await writeFile(lock, JSON.stringify({ ...owner, pid: 2 ** 30 }));
    await this.open();
  }

  async close(): Promise<void> {
    this.#disk.heal();
    await this.#file?.close();
    this.#possible = [new Map(this.#state)];
  }
}

export function entryOf(key: string, count: number): StoredEntry {
  return {
    key,
    value: { count, roots: new Float64Array([count, Math.sqrt(Math.abs(count))]) },
    bytes: 1,
    tags: [],
    storedAtMs: 0,
    expiresAtMs: undefined,
    usesDefaultTtl: false,
    lastAccessMs: 0,
    accesses: 0,
  };
}

function show(state: State): string {
  return JSON.stringify([...state]);
}

type Step = (life: Life) => Promise<void> | void;

const key = fc.constantFrom("a", "b", "c", "d");
const call = fc.integer({ min: 0, max: 24 });
const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(key, fc.integer()).map(
        ([one, value]): Step =>
          (life) =>
            life.set(one, value),
      ),
    },
    {
      weight: 2,
      arbitrary: key.map(
        (one): Step =>
          (life) =>
            life.delete(one),
      ),
    },
    { weight: 2, arbitrary: fc.constant<Step>(async (life) => void (await life.flush())) },
    {
      weight: 2,
      arbitrary: call.map(
        (at): Step =>
          async (life) =>
            void (await life.flush(at)),
      ),
    },
    {
      weight: 3,
      arbitrary: call.map(
        (at): Step =>
          (life) =>
            life.crash(at),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.constant<Step>(async (life) => {
        await life.close();
        await life.open();
      }),
    },
  ),
  { maxLength: 25 },
);

export interface LivesSearch {
  readonly seed: number;
  readonly runs: number;
}

/** @returns what was found, or `undefined` if all was well. */
export async function searchLives({ seed, runs }: LivesSearch): Promise<string | undefined> {
  const root = await mkdtemp(join(tmpdir(), "cache-lives-"));
  const property = fc.asyncProperty(steps, async (list) => {
    const folder = await mkdtemp(join(root, "life-"));
    const life = new Life(folder);
    await life.open();
    for (const step of list) await step(life);
    // It comes to rest: once nothing fails any more, everything is saved.
    assert.ok(await life.flush());
    await life.close();
    await life.open();
    await life.close();
    assert.ok(!(await readdir(folder)).includes("x.cache.lock"));
  });
  try {
    const details = await fc.check(property, { seed, numRuns: runs });
    return details.failed ? fc.defaultReportMessage(details) : undefined;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
