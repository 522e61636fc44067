import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ControlBlock } from "@threadmill/protocol";
import { describe, expect, it } from "vitest";
import { guardExit } from "../src/exit-guard.js";

interface Ended {
  readonly code: unknown;
  readonly state: number;
  readonly left: number;
}

/** Only a process that hangs reaches it. */
const PATIENCE_MS = 25_000;

/** Ends a process with a thread in native code; answers how. */
function exits(mode: string, graceMs: number): Promise<Ended> {
  const script = fileURLToPath(new URL("fixtures/exits.mjs", import.meta.url));
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [script, mode, String(graceMs)],
      { timeout: PATIENCE_MS, killSignal: "SIGKILL" },
      (error, stdout, stderr) => {
        if (stdout === "") reject(new Error(stderr, { cause: error }));
        else resolve({ code: error?.code, ...(JSON.parse(stdout) as { state: number; left: number }) });
      },
    );
  });
}

describe("the end of a process", () => {
  it("waits for threads to leave native code, and has the code that was asked for", async () => {
    expect(await exits("leaves", 30_000)).toEqual({ code: 7, state: 3, left: 1 });
  });

  it("waits no longer than its patience for one that does not", async () => {
    expect(await exits("never", 20)).toEqual({ code: 7, state: 2, left: 0 });
  });

  it("is not held up when the guard was taken away", async () => {
    expect(await exits("unguarded", 30_000)).toMatchObject({ code: 7, state: 2 });
  });
});

describe("the guard", () => {
  it("is one listener for all engines, and none when the last has gone", () => {
    const before = process.listenerCount("exit");
    const ends = [1, 2, 3].map(() => guardExit(new ControlBlock(1), 10));
    expect(process.listenerCount("exit")).toBe(before + 1);
    ends[0]!();
    ends[1]!();
    expect(process.listenerCount("exit")).toBe(before + 1);
    ends[2]!();
    ends[2]!();
    expect(process.listenerCount("exit")).toBe(before);
  });
});
