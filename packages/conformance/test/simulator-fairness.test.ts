/** Huge jobs first, then small ones: nobody waits for longer than the bound, and shares even out (L5). */
import { describe, expect, it } from "vitest";
import { simulate } from "../src/simulator/index.js";

const first = Number(process.env["THREADMILL_SEED"] ?? 1);
const runs = Number(process.env["THREADMILL_RUNS"] ?? (process.env["THREADMILL_SEED"] === undefined ? 3_000 : 1));

describe("slots", () => {
  it(`are shared fairly (${runs} seeds from THREADMILL_SEED=${first})`, { timeout: 600_000 }, () => {
    for (let seed = first; seed < first + runs; seed++) {
      const { violations, script } = simulate(seed, { profile: "fairness" });
      expect(violations, `seed ${seed}\n${script.join("\n")}`).toEqual([]);
    }
  });
});
