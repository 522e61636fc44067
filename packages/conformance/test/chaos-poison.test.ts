/** Ten thousand items with 7 that kill their thread and 13 that throw: exactly those 20 fail, by index and name. */
import { createEngine } from "@threadmill/engine";
import { describe, expect, test } from "vitest";
import { type PoisonOptions, poisonTasks, runPoison } from "../src/chaos/poison.js";
import { useKit } from "../src/leaks.js";

const given = process.env["THREADMILL_SEED"];
const seed = given === undefined ? Math.floor(Math.random() * 1e9) : Number(given);
const ITEMS = 10_000;
const KILLERS = 7;
const THROWERS = 13;

const kinds = Object.keys(poisonTasks) as PoisonOptions["kind"][];

describe("poison among ten thousand items", () => {
  const kit = useKit({
    createEngine: (options) => createEngine(options),
    slots: 2,
    lacks: {},
    engineOptions: { threads: 2 },
  });

  for (const [at, kind] of kinds.entries()) {
    const threads = (seed + at) % kinds.length === 0 ? 1 : 2;
    test(`stands alone with ${kind} (${threads} thread(s), THREADMILL_SEED=${seed})`, async () => {
      const report = await runPoison({
        seed,
        threads,
        kind,
        items: ITEMS,
        killers: KILLERS,
        throwers: THROWERS,
        createEngine: (options) => kit.engine(options),
      });
      expect(report.failed).toEqual(report.expected);
      expect(report).toMatchObject({ delivered: ITEMS, wrong: 0 });
      expect(report.threadsLost).toBeGreaterThanOrEqual(KILLERS);
      expect(report.threadsLost).toBeLessThanOrEqual(3 * KILLERS);
    });
  }
});
