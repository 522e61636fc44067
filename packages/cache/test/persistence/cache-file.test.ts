import type { FileHandle } from "node:fs/promises";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type CacheFileOptions, type OpenedCacheFile, openCacheFile } from "../../src/persistence/cache-file.js";
import { type Disk, realDisk } from "../../src/persistence/disk.js";
import { CacheFileError, CacheFileInUseError, type CacheFileWarning } from "../../src/persistence/errors.js";
import { MAX_SET_ASIDE } from "../../src/persistence/set-aside.js";
import type { StoredEntry } from "../../src/stored-entry.js";

let folder: string;
let file: string;
let stored: Map<string, StoredEntry>;
let warnings: CacheFileWarning[];
let opened: OpenedCacheFile[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cache-file-"));
  file = join(folder, "labels.cache");
  stored = new Map();
  warnings = [];
  opened = [];
});
afterEach(async () => {
  for (const one of opened) await one.file.close().catch(() => undefined);
  rmSync(folder, { recursive: true, force: true });
});

async function open(options: Partial<CacheFileOptions> = {}): Promise<OpenedCacheFile> {
  const one = await openCacheFile(
    { file, flushMs: 2 ** 30, onWarning: (warning) => warnings.push(warning), ...options },
    () => stored.values(),
  );
  opened.push(one);
  return one;
}

function entry(key: string, value: unknown, about: Partial<StoredEntry> = {}): StoredEntry {
  return {
    key,
    value,
    bytes: 10,
    tags: ["album"],
    storedAtMs: 1_000,
    expiresAtMs: undefined,
    usesDefaultTtl: false,
    lastAccessMs: 2_000,
    accesses: 3,
    ...about,
  };
}

function set(to: OpenedCacheFile, key: string, value: unknown, about: Partial<StoredEntry> = {}): void {
  stored.set(key, entry(key, value, about));
  to.file.changed("content");
}

async function save(...entries: StoredEntry[]): Promise<void> {
  stored = new Map(entries.map((one) => [one.key, one]));
  const one = await open();
  one.file.changed("content");
  await one.file.close();
}

async function reread(options: Partial<CacheFileOptions> = {}): Promise<readonly StoredEntry[]> {
  const one = await open(options);
  await one.file.close();
  return one.entries;
}

function names(): string[] {
  return readdirSync(folder).toSorted();
}

describe("a cache in a file", () => {
  it("comes back with all that is known of each entry, in its order", async () => {
    const lone = "half a pair \ud800";
    const entries = [
      entry("photo", new Map([["roots", new Float32Array([1, 2])]])),
      entry(lone, new Date(5), { tags: [], expiresAtMs: 9e15, usesDefaultTtl: true }),
      entry("", undefined),
    ];
    await save(...entries);
    expect(names()).toEqual(["labels.cache"]);
    expect(await reread()).toStrictEqual(entries);
    expect(warnings).toEqual([]);
  });

  it("is empty and writes nothing before anything has changed", async () => {
    const one = await open({ file: join(folder, "new", "folder", "x.cache") });
    expect(one.entries).toEqual([]);
    await one.file.flush();
    expect(readdirSync(join(folder, "new", "folder"))).toEqual(["x.cache.lock"]);
  });

  it("is for its user alone", async () => {
    await save(entry("a", 1));
    expect(statSync(file).mode & 0o777).toBe(process.platform === "win32" ? 0o666 : 0o600);
  });

  it("neither saves nor gives back what has expired", async () => {
    await save(entry("short", 1, { expiresAtMs: Date.now() + 60_000 }), entry("gone", 2, { expiresAtMs: 5 }));
    expect((await reread()).map(({ key }) => key)).toEqual(["short"]);
    expect(await reread({ now: () => Date.now() + 60_001 })).toEqual([]);
  });

  it("leaves out what cannot be serialised, says so once, and saves the rest", async () => {
    const one = await open();
    set(one, "a", 1);
    set(one, "handler", { run: () => 1 });
    set(one, "b", 2);
    await one.file.flush();
    set(one, "another", Symbol("s"));
    await one.file.close();
    expect(warnings.map(({ code }) => code)).toEqual(["CACHE_ENTRY_NOT_SAVED"]);
    expect(warnings[0]).toMatchObject({ file: one.file.path, message: expect.stringContaining('"handler"') as string });
    expect((await reread()).map(({ key }) => key)).toEqual(["a", "b"]);
  });

  it("holds what was set before a flush, also while another write runs", async () => {
    const one = await open();
    set(one, "a", 1);
    const first = one.file.flush();
    set(one, "b", 2);
    const second = one.file.flush();
    set(one, "c", 3);
    await Promise.all([first, second]);
    await stealing(one, async () => {
      expect((await reread()).map(({ key }) => key)).toEqual(expect.arrayContaining(["a", "b"]));
    });
  });

  it("is the cache at one instant, whatever changes while it is written", async () => {
    const one = await open();
    const generation = (value: number): void => {
      for (let at = 0; at < 5_000; at++) stored.set(`k${at}`, entry(`k${at}`, value));
      one.file.changed("content");
    };
    generation(1);
    const flushed = one.file.flush();
    generation(2);
    await flushed;
    const values = await stealing(one, () => reread());
    expect(values.map(({ value }) => value)).toEqual(Array.from({ length: 5_000 }, () => 1));
  });

  it("goes on in memory after the close, which gives the file free", async () => {
    const one = await open();
    set(one, "a", 1);
    await Promise.all([one.file.close(), one.file.close()]);
    set(one, "b", 2);
    await expect(one.file.flush()).rejects.toMatchObject({ code: "CACHE_FILE_CLOSED" });
    expect((await reread()).map(({ key }) => key)).toEqual(["a"]);
  });

  it("is made where a link leads, and the link stays one", async () => {
    const target = join(folder, "disk", "data");
    symlinkSync(join("disk", "data"), join(folder, "second link"));
    symlinkSync(join(folder, "second link"), file);
    await save(entry("a", 1));
    expect(readdirSync(join(folder, "disk"))).toEqual(["data"]);
    expect(statSync(target).size).toBeGreaterThan(72);
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    expect((await reread()).map(({ key }) => key)).toEqual(["a"]);
  });

  it("has one owner, by whatever way it is reached", async () => {
    const first = await open();
    mkdirSync(join(folder, "real"));
    symlinkSync(folder, join(folder, "real", "link"));
    await expect(open()).rejects.toThrow(CacheFileInUseError);
    await expect(open({ file: join(folder, "real", "link", "labels.cache") })).rejects.toThrow(CacheFileInUseError);
    await first.file.close();
    await expect(reread()).resolves.toEqual([]);
  });

  it("stays where a link leads", async () => {
    mkdirSync(join(folder, "real"));
    writeFileSync(join(folder, "real", "data"), "");
    symlinkSync(join(folder, "real", "data"), file);
    await save(entry("a", 1));
    expect(readdirSync(join(folder, "real")).filter((name) => name === "data")).toEqual(["data"]);
    expect(statSync(join(folder, "real", "data")).size).toBeGreaterThan(72);
    expect((await reread()).map(({ key }) => key)).toEqual(["a"]);
  });

  it("refuses options that make no sense, and a file that is a folder", async () => {
    await expect(open({ flushMs: -1 })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(open({ file: undefined as never })).rejects.toThrow("file must be the path of a file, not undefined");
    await expect(open({ onWarning: 5 as never })).rejects.toThrow("onWarning must be a function");
    await expect(open({ flushMs: NaN })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(open({ flushMs: "500" as never })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(open({ file: 5n as never })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    mkdirSync(file);
    await expect(open()).rejects.toMatchObject({ code: "CACHE_FILE_UNUSABLE" });
    rmSync(file, { recursive: true });
    // The lock was given back.
    expect(names()).toEqual([]);
    writeFileSync(join(folder, "plain"), "");
    await expect(open({ file: join(folder, "plain", "x.cache") })).rejects.toMatchObject({
      code: "CACHE_FILE_UNUSABLE",
    });
  });
});

/** Reads the file while its owner has it open, as after a crash of the owner. */
async function stealing<T>(from: OpenedCacheFile, read: () => Promise<T>): Promise<T> {
  const { path } = from.file;
  const copy = `${path}.copy`;
  writeFileSync(copy, readFileSync(path));
  const before = file;
  file = copy;
  try {
    return await read();
  } finally {
    file = before;
  }
}

describe("a file that cannot be trusted", () => {
  it("is moved aside wherever a byte is wrong", async () => {
    await save(entry("a", [1, 2, 3]), entry("b", "text"));
    const good = readFileSync(file);
    for (let at = 0; at < good.length; at++) {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] ?? 0) ^ (1 << (at % 8));
      writeFileSync(file, bad);
      expect(await reread(), `byte ${at}`).toEqual([]);
      const aside = names().filter((name) => name !== "labels.cache");
      expect(aside, `byte ${at}`).toHaveLength(1);
      expect(readFileSync(join(folder, aside[0]!)).equals(bad)).toBe(true);
      rmSync(join(folder, aside[0]!));
    }
    expect(warnings).toHaveLength(good.length);
  });

  it("is moved aside wherever it is cut off, and when something follows", async () => {
    await save(entry("a", [1, 2, 3]), entry("b", "text"));
    const good = readFileSync(file);
    for (let length = 0; length < good.length; length++) {
      writeFileSync(file, good);
      truncateSync(file, length);
      expect(await reread()).toEqual([]);
    }
    writeFileSync(file, Buffer.concat([good, Buffer.from([0])]));
    expect(await reread()).toEqual([]);
    expect(warnings.every(({ code }) => code === "CACHE_FILE_DAMAGED")).toBe(true);
    // Many of them within one millisecond.
    expect(names().filter((name) => name.includes(".damaged-"))).toHaveLength(MAX_SET_ASIDE);
  });

  it("is left alone if it is a device: it is refused, not moved aside", async () => {
    const device = join(folder, "null");
    const moved: string[] = [];
    const disk: Disk = {
      ...realDisk,
      stat: (async (path: string) =>
        path === device ? statSync("/dev/null") : await realDisk.stat(path)) as unknown as Disk["stat"],
      rename: (from, to) => {
        moved.push(String(from));
        return realDisk.rename(from, to);
      },
    };
    writeFileSync(device, "");
    await expect(open({ file: device, disk })).rejects.toMatchObject({
      code: "CACHE_FILE_UNUSABLE",
      message: expect.stringContaining("it is no file") as string,
    });
    expect([moved, names()]).toEqual([[], ["null"]]);
  });

  it("may hold entries that no cache has written: they are left out, the others are read", async () => {
    await save(entry("good", 1), entry("no size", 2, { bytes: NaN }), entry("no tags", 3, { tags: [5 as never] }));
    expect((await reread()).map(({ key }) => key)).toEqual(["good"]);
    expect(warnings).toMatchObject([{ code: "CACHE_ENTRY_NOT_RESTORED", cause: { code: "INVALID_ARGUMENT" } }]);
  });

  it("is kept whole if a newer version wrote it", async () => {
    await save(entry("a", 1));
    const newer = Buffer.from(readFileSync(file));
    newer.writeUInt32LE(2, 16);
    const { createHash } = await import("node:crypto");
    createHash("sha256").update(newer.subarray(0, 20)).digest().copy(newer, 20, 0, 4);
    writeFileSync(file, newer);
    expect(await reread()).toEqual([]);
    expect(warnings).toMatchObject([
      { code: "CACHE_FILE_NEWER", message: expect.stringContaining("format 2") as string },
    ]);
    const [aside] = names();
    expect(aside).toContain(".newer-");
    expect(readFileSync(join(folder, aside!)).equals(newer)).toBe(true);
  });

  it("is no reason to fail: the warning goes to the process unless somebody listens", async () => {
    writeFileSync(file, "a diary, not a cache");
    const heard = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    try {
      const one = await openCacheFile({ file }, () => []);
      await one.file.close();
      expect(heard.mock.calls).toMatchObject([[{ code: "CACHE_FILE_DAMAGED", name: "CacheFileWarning" }]]);
      writeFileSync(file, "another");
      const failing = await openCacheFile(
        {
          file,
          onWarning: () => {
            throw new Error("a bad listener");
          },
        },
        () => [],
      );
      await failing.file.close();
      writeFileSync(file, "a third");
      const onWarning = vi.fn<() => unknown>(() => Promise.reject(new Error("a bad async one")));
      const rejecting = await openCacheFile({ file, onWarning }, () => []);
      await rejecting.file.close();
      await vi.waitFor(() => expect(heard.mock.calls).toHaveLength(3));
      for (const [at, text] of [
        [1, "a bad listener"],
        [2, "a bad async one"],
      ] as const) {
        expect(heard.mock.calls[at]).toMatchObject([expect.stringContaining(text), { code: "THREADMILL_LISTENER" }]);
      }
    } finally {
      heard.mockRestore();
    }
  });
});

/** A disk whose next writes fail as told. */
class FailingDisk {
  failing = new Set<"open" | "write" | "sync" | "rename">();
  readonly disk: Disk = {
    ...realDisk,
    open: (async (path: string, flags: string, mode?: number) => {
      const isTemporary = path.includes(".tmp-");
      if (isTemporary) this.#check("open", "EACCES");
      const handle = await realDisk.open(path, flags, mode);
      return isTemporary ? this.#wrap(handle) : handle;
    }) as Disk["open"],
    rename: async (from, to) => {
      if (String(from).includes(".tmp-")) this.#check("rename", "EPERM");
      await realDisk.rename(from, to);
    },
  };

  #check(call: "open" | "write" | "sync" | "rename", code: string): void {
    if (this.failing.has(call)) throw Object.assign(new Error(`${code}: made to fail`), { code, syscall: call });
  }

  #wrap(handle: FileHandle): FileHandle {
    return new Proxy(handle, {
      get: (target, name) => {
        if (name === "write") this.#check("write", "ENOSPC");
        if (name === "sync") this.#check("sync", "EIO");
        const member: unknown = Reflect.get(target, name);
        return typeof member === "function" ? (member.bind(target) as unknown) : member;
      },
    });
  }
}

describe("a disk that fails", () => {
  it.each(["open", "write", "sync", "rename"] as const)(
    "costs neither the last good file nor what comes later: %s",
    async (call) => {
      await save(entry("old", 1));
      const failing = new FailingDisk();
      const one = await open({ disk: failing.disk });
      failing.failing.add(call);
      set(one, "new", 2);
      const failure = await one.file.flush().catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(CacheFileError);
      expect(failure).toMatchObject({ code: "CACHE_FILE_NOT_WRITTEN", cause: { syscall: call } });
      await expect(one.file.flush()).rejects.toThrow(CacheFileError);
      // Said once, until a write has gone well.
      expect(warnings.map(({ code }) => code)).toEqual(["CACHE_FILE_NOT_WRITTEN"]);
      expect(names()).toEqual(["labels.cache", "labels.cache.lock"]);
      expect((await stealing(one, () => reread())).map(({ key }) => key)).toEqual(["old"]);
      rmSync(`${one.file.path}.copy`);
      failing.failing.clear();
      await one.file.flush();
      failing.failing.add(call);
      set(one, "newer", 3);
      await expect(one.file.close()).rejects.toThrow(CacheFileError);
      expect(warnings).toHaveLength(2);
      expect((await reread()).map(({ key }) => key)).toEqual(["old", "new"]);
    },
  );

  it.each(["EINVAL", "EPERM", "ENOTSUP"])("is none if only its folders cannot be synced: %s", async (code) => {
    const disk: Disk = {
      ...realDisk,
      open: (async (path: string, flags: string, mode?: number) => {
        const handle = await realDisk.open(path, flags, mode);
        if (path !== folder) return handle;
        handle.sync = () => Promise.reject(Object.assign(new Error("no sync of folders"), { code, syscall: "fsync" }));
        return handle;
      }) as Disk["open"],
    };
    const one = await open({ disk });
    set(one, "a", 1);
    await one.file.flush();
    await one.file.close();
    expect(warnings).toEqual([]);
    expect((await reread()).map(({ key }) => key)).toEqual(["a"]);
  });

  it("is asked again after a second at the earliest, and half a minute at the latest, whatever flushMs is", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    try {
      const failing = new FailingDisk();
      failing.failing.add("open");
      const one = await open({ disk: failing.disk, flushMs: 0 });
      set(one, "a", 1);
      const waits: number[] = [];
      const armed = vi.spyOn(globalThis, "setTimeout");
      for (let failure = 0; failure < 8; failure++) {
        await expect(one.file.flush()).rejects.toMatchObject({ code: "CACHE_FILE_NOT_WRITTEN" });
        waits.push(Number(armed.mock.calls.at(-1)?.[1]));
      }
      expect(waits[0]).toBeGreaterThanOrEqual(1_000);
      expect(waits.every((wait, at) => wait >= Math.min(2 ** (at + 1) * 1_000, 30_000) && wait <= 30_000)).toBe(true);
      failing.failing.clear();
    } finally {
      vi.useRealTimers();
    }
  });

  it("is not rested from for days after a write in which the machine slept", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    try {
      const disk: Disk = {
        ...realDisk,
        rename: async (from, to) => {
          if (String(from).includes(".tmp-")) vi.advanceTimersByTime(60 * 3_600_000);
          await realDisk.rename(from, to);
        },
      };
      const one = await open({ disk, flushMs: 10 });
      set(one, "a", 1);
      await one.file.flush();
      const armed = vi.spyOn(globalThis, "setTimeout");
      set(one, "b", 2);
      expect(Number(armed.mock.calls.at(-1)?.[1])).toBeLessThanOrEqual(5 * 60_000);
    } finally {
      vi.useRealTimers();
    }
  });

  it("may lose its folder, and have it again", async () => {
    const away = join(folder, "usb");
    file = join(away, "x.cache");
    const one = await open();
    set(one, "a", 1);
    await one.file.flush();
    rmSync(away, { recursive: true });
    set(one, "b", 2);
    await expect(one.file.flush()).rejects.toMatchObject({ cause: { code: "ENOENT" } });
    mkdirSync(away);
    await one.file.flush();
    await one.file.close();
    expect((await reread()).map(({ key }) => key)).toEqual(["a", "b"]);
  });

  it("is not written to any more once somebody else has the file", async () => {
    const one = await open();
    set(one, "a", 1);
    await one.file.flush();
    const before = readFileSync(file);
    writeFileSync(`${file}.lock`, JSON.stringify({ pid: 4_242, host: "h", token: "0123456789abcdef" }));
    set(one, "b", 2);
    await expect(one.file.flush()).rejects.toMatchObject({ code: "CACHE_FILE_LOST" });
    await expect(one.file.flush()).rejects.toMatchObject({ code: "CACHE_FILE_LOST" });
    await one.file.close();
    expect(warnings.map(({ code }) => code)).toEqual(["CACHE_FILE_LOST"]);
    expect(names()).toEqual(["labels.cache", "labels.cache.lock"]);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it("leaves nothing lying about after a crash and an open", async () => {
    await save(entry("a", 1));
    writeFileSync(`${file}.tmp-0123456789abcdef`, "half");
    writeFileSync(`${file}.lock.0123456789abcdef`, "half");
    await reread();
    expect(names()).toEqual(["labels.cache"]);
  });

  it("is not touched if the cache cannot say what it holds", async () => {
    await save(entry("a", 1));
    const one = await openCacheFile({ file, flushMs: 2 ** 30, onWarning: (warning) => warnings.push(warning) }, () => {
      throw new Error("no dump today");
    });
    one.file.changed("content");
    await expect(one.file.flush()).rejects.toMatchObject({ code: "CACHE_FILE_NOT_WRITTEN" });
    await expect(one.file.close()).rejects.toThrow("no dump today");
    expect((await reread()).map(({ key }) => key)).toEqual(["a"]);
  });
});
