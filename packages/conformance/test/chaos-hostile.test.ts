/** Tasks that work against their own thread: what they can reach is theirs to spoil, and nothing beyond it is. */
import { createEngine } from "@threadmill/engine";
import { describe, expect, test } from "vitest";
import { playHostile } from "../src/chaos/hostile.js";
import { sabotages } from "../src/fixtures/chaotic-hostile.js";
import { useKit } from "../src/leaks.js";

const given = process.env["THREADMILL_SEED"];
const seed = given === undefined ? Math.floor(Math.random() * 1e9) : Number(given);

describe("a task that works against its thread", () => {
  const kit = useKit({
    createEngine: (options) => createEngine(options),
    slots: 2,
    lacks: {},
    engineOptions: { threads: 2 },
  });

  for (const [at, sabotage] of sabotages.entries()) {
    const threads = 1 + ((seed + at) % 2);
    test(`by ${sabotage} harms nothing beyond it (${threads} thread(s), THREADMILL_SEED=${seed})`, async () => {
      const { violations } = await playHostile(sabotage, {
        seed,
        threads,
        patienceMs: 10_000,
        createEngine: (options) => kit.engine(options),
      });
      expect(violations).toEqual([]);
    });
  }
});
