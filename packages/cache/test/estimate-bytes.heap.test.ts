import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

interface Figure {
  readonly kind: string;
  readonly heap: number;
  readonly estimate: number;
}

describe("the estimate beside the heap", () => {
  it("is within a tenth of what plain data takes, and a cache within a tenth of what it says", async () => {
    const program = fileURLToPath(new URL("fixtures/heap-growth.mjs", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", program]);
    const figures = JSON.parse(stdout) as Figure[];
    expect(figures.length).toBeGreaterThan(20);
    const off = figures
      .map(({ kind, heap, estimate }) => ({ kind, heap, estimate, ratio: estimate / heap }))
      .filter(({ ratio }) => !(ratio > 0.9 && ratio < 1.1));
    expect(off).toEqual([]);
  }, 120_000);
});
