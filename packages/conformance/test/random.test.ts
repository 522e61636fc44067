/**
 * Random histories over real threads and inline. A failure prints its seed; `THREADMILL_SEED` runs that one again, and
 * `THREADMILL_RUNS` sets how many there are.
 */
import { createEngine } from "@threadmill/engine";
import { describe, expect, test } from "vitest";
import { watchLeaks } from "../src/leaks.js";
import { runRandomly } from "../src/random-run.js";

const given = process.env["THREADMILL_SEED"];
const runs = given === undefined ? Number(process.env["THREADMILL_RUNS"] ?? 20) : 1;
const first = given === undefined ? Math.floor(Math.random() * 1e9) : Number(given);

describe.each([
  ["inline", 0],
  ["one thread", 1],
  ["two threads", 2],
])("random histories, %s", (_, threads) => {
  watchLeaks();
  for (let seed = first; seed < first + runs; seed++) {
    test(`keep every promise (THREADMILL_SEED=${seed})`, async () => {
      const report = await runRandomly({
        seed,
        mayDie: threads > 0,
        createEngine: (options) => createEngine({ ...options, threads }),
      });
      expect(report.violations, `seed ${seed}:\n${report.script.join("\n")}`).toEqual([]);
    });
  }
});
