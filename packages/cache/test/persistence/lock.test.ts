import {
  readdirSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Disk, realDisk } from "../../src/persistence/disk.js";
import { CacheFileInUseError } from "../../src/persistence/errors.js";
import { FileLock, sweep } from "../../src/persistence/lock.js";
import { ownerHere } from "../../src/persistence/owner.js";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-"));
  file = join(folder, "labels.cache");
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

/** As a process leaves it that was killed. */
function leaveDeadLock(path = `${file}.lock`, token = "00000000deadbeef"): void {
  writeFileSync(path, JSON.stringify({ ...ownerHere(), pid: 2 ** 30, token }));
}

function names(): string[] {
  return readdirSync(folder).toSorted();
}

describe("the lock of a file", () => {
  it("is one's own until it is released, and then the next one's", async () => {
    const lock = await FileLock.acquire(realDisk, file);
    expect(names()).toEqual(["labels.cache.lock"]);
    const refusal = await FileLock.acquire(realDisk, file).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(CacheFileInUseError);
    expect(refusal).toMatchObject({ code: "CACHE_FILE_IN_USE", file, pid: process.pid });
    expect((refusal as Error).message).toContain(`this process (${process.pid})`);
    expect((refusal as Error).message).toContain(`delete ${file}.lock`);
    await lock.release();
    expect(names()).toEqual([]);
    await (await FileLock.acquire(realDisk, file)).release();
  });

  it("is taken over from a dead owner", async () => {
    leaveDeadLock();
    const lock = await FileLock.acquire(realDisk, file);
    expect(names()).toEqual(["labels.cache.lock"]);
    expect(readFileSync(`${file}.lock`, "utf8")).toContain(lock.token);
    await lock.release();
  });

  it("is taken over from one that died while it took it over", async () => {
    leaveDeadLock();
    leaveDeadLock(`${file}.lock.break-00000000deadbeef`, "1111111111111111");
    leaveDeadLock(`${file}.lock.break-00000000deadbeef.break-1111111111111111`, "2222222222222222");
    const lock = await FileLock.acquire(realDisk, file);
    await sweep(realDisk, file, lock.token);
    expect(names()).toEqual(["labels.cache.lock"]);
    await lock.release();
  });

  it("is left alone while somebody alive takes it over", async () => {
    leaveDeadLock();
    writeFileSync(`${file}.lock.break-00000000deadbeef`, JSON.stringify(ownerHere()));
    await expect(FileLock.acquire(realDisk, file)).rejects.toThrow(CacheFileInUseError);
  });

  it("is not taken from one who has taken it over in between", async () => {
    leaveDeadLock();
    let winner: FileLock | undefined;
    const overtaken: Disk = {
      ...realDisk,
      // It has seen the dead lock and goes to replace it, when it is overtaken on the way.
      link: async (from, to) => {
        if (String(to).includes(".break-")) winner ??= await FileLock.acquire(realDisk, file);
        await realDisk.link(from, to);
      },
    };
    await expect(FileLock.acquire(overtaken, file)).rejects.toThrow(CacheFileInUseError);
    await winner?.confirm();
    expect(names()).toEqual(["labels.cache.lock"]);
    await winner?.release();
  });

  it("has one owner, however many come at once", async () => {
    for (let round = 0; round < 20; round++) {
      if (round % 2 === 1) leaveDeadLock();
      const tries = await Promise.allSettled(Array.from({ length: 8 }, () => FileLock.acquire(realDisk, file)));
      const won = tries.filter((one) => one.status === "fulfilled");
      const lost = tries.filter((one) => one.status === "rejected");
      expect(won).toHaveLength(1);
      for (const { reason } of lost) expect(reason).toBeInstanceOf(CacheFileInUseError);
      await won[0]?.value.release();
      expect(names()).toEqual([]);
    }
  });

  it("is a stranger's as long as its heart beats", async () => {
    const path = `${file}.lock`;
    writeFileSync(path, JSON.stringify({ ...ownerHere(), host: "another-host", token: "3333333333333333" }));
    const refusal = await FileLock.acquire(realDisk, file).catch((error: unknown) => error);
    expect(String(refusal)).toContain("another-host");
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(path, longAgo, longAgo);
    await (await FileLock.acquire(realDisk, file)).release();
  });

  it("is waited out if nobody can read it", async () => {
    const path = `${file}.lock`;
    writeFileSync(path, "");
    await expect(FileLock.acquire(realDisk, file)).rejects.toMatchObject({ code: "CACHE_FILE_IN_USE", pid: undefined });
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(path, longAgo, longAgo);
    await (await FileLock.acquire(realDisk, file)).release();
  });

  it("is waited out, too, if it was last touched in times to come, by a clock that was wrong", async () => {
    writeFileSync(`${file}.lock`, "");
    const future = new Date(Date.now() + 1e10);
    utimesSync(`${file}.lock`, future, future);
    const lock = await FileLock.acquire(realDisk, file);
    expect(readFileSync(`${file}.lock`, "utf8")).toContain(lock.token);
    await lock.release();
  });

  it("leaves no draft on a disk that is full", async () => {
    const full: Disk = {
      ...realDisk,
      writeFile: (async (path: string) => {
        await realDisk.writeFile(path, "");
        throw Object.assign(new Error("no space"), { code: "ENOSPC", syscall: "write" });
      }) as Disk["writeFile"],
    };
    await expect(FileLock.acquire(full, file)).rejects.toMatchObject({ code: "ENOSPC" });
    expect(names()).toEqual([]);
  });

  it("that another has taken over is not kept alive by who had it before", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const opened: string[] = [];
    let looked = 0;
    const disk: Disk = {
      ...realDisk,
      open: (path, ...rest) => {
        opened.push(String(path));
        return realDisk.open(path, ...rest);
      },
      stat: (async (path: string) => {
        const stat = await realDisk.stat(path);
        looked++;
        return stat;
      }) as Disk["stat"],
    };
    const lock = await FileLock.acquire(disk, file);
    leaveDeadLock();
    vi.advanceTimersByTime(5_000);
    await vi.waitFor(() => expect(looked).toBeGreaterThan(0));
    // It has looked, and what comes of that would follow at once.
    await new Promise((resolve) => setImmediate(resolve));
    expect(opened).toEqual([]);
    await expect(lock.confirm()).rejects.toMatchObject({ code: "CACHE_FILE_LOST" });
    expect(vi.getTimerCount()).toBe(0);
    await lock.release();
  });

  it("beats as long as it is held", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const lock = await FileLock.acquire(realDisk, file);
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(`${file}.lock`, longAgo, longAgo);
    vi.advanceTimersByTime(5_000);
    await vi.waitFor(() => expect(statSync(`${file}.lock`).mtimeMs).toBeGreaterThan(longAgo.getTime() + 30_000), {
      timeout: 20_000,
    });
    await lock.confirm();
    await lock.release();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is noticed to be lost, and then neither confirmed nor removed", async () => {
    const lock = await FileLock.acquire(realDisk, file);
    await lock.confirm();
    leaveDeadLock();
    await expect(lock.confirm()).rejects.toMatchObject({ code: "CACHE_FILE_LOST" });
    await lock.release();
    expect(names()).toEqual(["labels.cache.lock"]);
  });

  it("is made again if somebody removes it", async () => {
    const lock = await FileLock.acquire(realDisk, file);
    rmSync(`${file}.lock`);
    await lock.confirm();
    expect(names()).toEqual(["labels.cache.lock"]);
    await lock.release();
  });

  it("works where files cannot be linked", async () => {
    const noLinks: Disk = {
      ...realDisk,
      link: () => Promise.reject(Object.assign(new Error("no links"), { code: "EPERM" })),
    };
    const lock = await FileLock.acquire(noLinks, file);
    await expect(FileLock.acquire(noLinks, file)).rejects.toThrow(CacheFileInUseError);
    await lock.release();
    expect(names()).toEqual([]);
  });

  it("leaves files alone that only look like its own", async () => {
    const others = ["labels.cache.lock.txt", "labels.cache.tmp-mine", "labels.cache2.tmp-0123456789abcdef"];
    for (const name of others) writeFileSync(join(folder, name), "");
    for (const name of ["labels.cache.tmp-0123456789abcdef", "labels.cache.lock.0123456789abcdef"]) {
      writeFileSync(join(folder, name), "");
    }
    await sweep(realDisk, file, "4444444444444444");
    expect(names()).toEqual(others.toSorted());
    expect(basename(file)).toBe("labels.cache");
  });

  it("is not refused for what cannot be swept away", async () => {
    mkdirSync(`${file}.tmp-0123456789abcdef`);
    await sweep(realDisk, file, "4444444444444444");
    expect(names()).toEqual(["labels.cache.tmp-0123456789abcdef"]);
    const unlisted: Disk = {
      ...realDisk,
      readdir: vi.fn<() => Promise<never>>().mockRejectedValue(new Error("EACCES")),
    };
    await sweep(unlisted, file, "4444444444444444");
  });
});
