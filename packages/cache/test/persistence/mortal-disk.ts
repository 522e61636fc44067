/** A disk that fails at its n-th call: once, or for good, as for a process that dies there. A write then stops halfway. */
import type { FileHandle } from "node:fs/promises";
import { type Disk, realDisk } from "../../src/persistence/disk.js";

export class MortalDisk {
  /** What was called, with the last part of the file's name. */
  readonly calls: string[] = [];
  #callsLeft = Infinity;
  #isForGood = false;

  failAfter(calls: number, { isForGood }: { readonly isForGood: boolean }): void {
    this.#callsLeft = calls;
    this.#isForGood = isForGood;
  }

  heal(): void {
    this.#callsLeft = Infinity;
  }

  readonly disk: Disk = new Proxy(realDisk, {
    get: (target, name) => {
      const call = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>;
      return async (...args: unknown[]) => {
        const [path] = args;
        this.#count(`${String(name)} ${String(path).replace(/^.*[/\\]/, "")}`);
        const answer = await call.apply(target, args);
        return name === "open" ? this.#wrap(answer as FileHandle, String(path)) : answer;
      };
    },
  });

  #wrap(handle: FileHandle, path: string): FileHandle {
    return new Proxy(handle, {
      get: (target, name) => {
        const member = Reflect.get(target, name) as unknown;
        if (typeof member !== "function") return member;
        const call = member as (...args: unknown[]) => Promise<unknown>;
        return async (...args: unknown[]) => {
          try {
            this.#count(`${String(name)} ${path.replace(/^.*[/\\]/, "")}`);
          } catch (error) {
            // A dead process has no open files either.
            if (name === "close") await target.close();
            if (name === "write") await this.#writeHalf(target, args);
            throw error;
          }
          // What a process has written outlives it, also unsynced; and syncing takes most of the time of such a test.
          return name === "sync" ? undefined : call.apply(target, args);
        };
      },
    });
  }

  async #writeHalf(handle: FileHandle, [bytes, offset, length, position]: unknown[]): Promise<void> {
    if (!Buffer.isBuffer(bytes) || typeof length !== "number") return;
    await handle.write(bytes, offset as number, length >> 1, position as number);
  }

  #count(call: string): void {
    this.calls.push(call);
    if (this.#callsLeft-- > 0) return;
    if (!this.#isForGood) this.heal();
    throw Object.assign(new Error(`${call}: made to fail`), { code: "EIO", syscall: call });
  }
}
