/**
 * Random histories of several clients of one engine. A failure prints its seed; `THREADMILL_SEED` runs that one again,
 * and `THREADMILL_RUNS` sets how many there are.
 */
import { describe, expect, test } from "vitest";
import { watchLeaks } from "../src/leaks.js";
import { playClients } from "../src/remote/random-clients.js";

const given = process.env["THREADMILL_SEED"];
const runs = given === undefined ? Number(process.env["THREADMILL_RUNS"] ?? 12) : 1;
const first = given === undefined ? Math.floor(Math.random() * 1e9) : Number(given);

describe.each([
  ["inline", 0],
  ["two threads", 2],
])("random histories of remote clients, %s", (_, threads) => {
  watchLeaks();
  for (let seed = first; seed < first + runs; seed++) {
    test(`keep every promise (THREADMILL_SEED=${seed})`, async () => {
      const report = await playClients({ seed, threads });
      expect(report.violations, `seed ${seed}:\n${report.script.join("\n")}`).toEqual([]);
    });
  }
});
