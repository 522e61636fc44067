import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { appendFileSync, mkdirSync, symlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import contentHashDefault, { contentHash } from "../../src/tasks/content-hash.js";
import { runOne, runTask } from "./run-task.js";
import { tempFolder } from "./temp-folder.js";

const file = tempFolder();
const MIB = 1024 * 1024;

describe("content-hash", () => {
  it("answers the SHA-256 and the size of a file, of whatever size", async () => {
    for (const sizeBytes of [0, 1, 1000, MIB - 1, MIB, MIB + 1, 3 * MIB + 17]) {
      const bytes = randomBytes(sizeBytes);
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      expect(await runOne(contentHash, file(`size-${sizeBytes}`, bytes))).toEqual({ sha256, sizeBytes });
    }
  });

  it("takes a path alone or in an object, and is the module's default export too", async () => {
    const path = file("same", "same");
    expect(await runOne(contentHash, { path })).toEqual(await runOne(contentHash, path));
    expect(contentHashDefault).toBe(contentHash);
  });

  it("fails for good when the file is not there, and keeps the system's reason", async () => {
    const missing = runOne(contentHash, file("missing"));
    await expect(missing).rejects.toMatchObject({ code: "FILE_UNREADABLE", final: true, cause: { code: "ENOENT" } });
  });

  it("refuses folders", async () => {
    mkdirSync(file("folder"));
    await expect(runOne(contentHash, file("folder"))).rejects.toMatchObject({ code: "NOT_A_FILE", final: true });
  });

  it.skipIf(process.platform === "win32")(
    "refuses a named pipe at once instead of waiting for its writer (skipped on Windows: it has none)",
    async () => {
      execFileSync("mkfifo", [file("pipe")]);
      await expect(runOne(contentHash, file("pipe"))).rejects.toMatchObject({ code: "NOT_A_FILE", final: true });
    },
  );

  it.skipIf(process.platform === "win32")(
    "refuses devices, which have no end (skipped on Windows: it has none)",
    async () => {
      await expect(runOne(contentHash, "/dev/zero")).rejects.toMatchObject({ code: "NOT_A_FILE", final: true });
    },
  );

  it.skipIf(process.platform === "win32")(
    "follows a symbolic link only when told to (skipped on Windows: a right is needed to make one)",
    async () => {
      const path = file("target", "content");
      symlinkSync(path, file("link"));
      await expect(runOne(contentHash, file("link"))).rejects.toMatchObject({ code: "NOT_A_FILE", final: true });
      const followed = await runOne(contentHash, file("link"), { followSymlinks: true });
      expect(followed).toEqual(await runOne(contentHash, path));
    },
  );

  it("stops between two chunks when it is cancelled, with the reason of the cancel", async () => {
    const path = file("long", Buffer.alloc(20 * MIB));
    const reason = new Error("not needed any more");
    let checks = 0;
    const { outcomes } = await runTask(contentHash, [path], {
      onCheck: (check, cancel) => {
        checks = check;
        if (check === 4) cancel(reason);
      },
    });
    expect(outcomes).toEqual([{ status: "failed", error: reason }]);
    // The rest of its 20 chunks was never asked for.
    expect(checks).toBe(4);
  });

  it("does not open the file when it was cancelled before", async () => {
    const reason = new Error("too late");
    const { outcomes } = await runTask(contentHash, [file("missing")], { onCheck: (_, cancel) => cancel(reason) });
    expect(outcomes).toEqual([{ status: "failed", error: reason }]);
  });

  it("fails, worth a retry, when the file is written to while it is read", async () => {
    const path = file("growing", Buffer.alloc(3 * MIB));
    const { outcomes } = await runTask(contentHash, [path], {
      onCheck: (check) => {
        if (check === 3) appendFileSync(path, "more");
      },
    });
    expect(outcomes).toMatchObject([{ status: "failed", error: { code: "FILE_CHANGED" } }]);
    expect(outcomes[0]).not.toHaveProperty("error.final");
  });

  it("refuses items that are no path", async () => {
    for (const item of ["", "a\0b", 5, null, {}, { path: "" }]) {
      await expect(runOne(contentHash, item as string)).rejects.toMatchObject({ code: "INVALID_ITEM", final: true });
    }
  });

  it("refuses wrong options in setup, by name and value", async () => {
    const setup = (options: unknown) => runOne(contentHash, file("same"), options as { followSymlinks: boolean });
    await expect(setup({ followSymlinks: "yes" })).rejects.toThrow(
      'content-hash: option followSymlinks must be true or false, not "yes"',
    );
    await expect(setup({ followLinks: true })).rejects.toThrow("content-hash: unknown option followLinks");
    await expect(setup("fast")).rejects.toThrow("content-hash: options must be an object");
  });
});
