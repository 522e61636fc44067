/**
 * Random lists of commands on a cache, beside a simple model of it. `THREADMILL_SEED` runs a seed again, `THREADMILL_RUNS`
 * sets how many lists there are.
 */
import { expect, test } from "vitest";
import { searchCache } from "../src/cache-model/index.js";

const seed = Number(process.env["THREADMILL_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const runs = Number(process.env["THREADMILL_RUNS"] ?? 300);

test(`a cache agrees with the model, whatever is done (THREADMILL_SEED=${seed})`, async () => {
  const report = await searchCache({ seed, runs });
  expect(report.failure).toBeUndefined();
  expect(report.runs).toBe(runs);
}, 120_000);
