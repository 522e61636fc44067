/** How long a small job waits beside a large one. */
import type { Benchmark, Contestant, Part } from "../harness/benchmark.js";
import { iterationsPerMs } from "../harness/spin.js";

const program = (name: string): URL => new URL(`./${name}.js`, import.meta.url);
const threadmill: Contestant = { name: "threadmill", title: "Threadmill", program: program("threadmill") };

const piscina = (batchMs: number, batchesInHand: number): Contestant => ({
  name: `piscina-${batchMs}-${batchesInHand}`,
  title: `Piscina, batches of ${batchMs} ms, ${batchesInHand === 1 ? "none" : "one"} waiting behind each`,
  program: program("piscina"),
  settings: { batchMs, batchesInHand },
});

const part = (name: string, title: string, about: string, settings: Part["settings"], atMost?: number): Part => ({
  name,
  title,
  about:
    `${about} Jobs of 10 items of \`x + 1\` come at odd moments; the clock runs from \`run\` to the first result. Batches ` +
    "by hand are run to their end: the less they hold, and the fewer wait, the sooner it is a small job's turn, and the " +
    "more often threads wait for work.",
  figures: [
    { name: "p99Ms", title: "p99, ms", better: "lower" },
    { name: "p50Ms", title: "p50, ms", better: "lower" },
    { name: "maxMs", title: "at most, ms", better: "lower" },
  ],
  settings: { threads: 2, samples: 300, leadMs: 500, temperature: "warm", ...settings },
  quick: { samples: 10, leadMs: 100 },
  rounds: 3,
  prepare: async () => ({ iterationsPerMs: iterationsPerMs() }),
  contestants: [threadmill, piscina(10, 2), piscina(10, 1)],
  bars:
    atMost === undefined
      ? []
      : [
          {
            text: "p99 within one item plus 5 ms, ms",
            quantity: { kind: "figure", figure: "p99Ms", of: "threadmill" },
            atMost,
          },
        ],
});

const MILLION = "A job of a million items runs on both threads,";

export const fairness: Benchmark = {
  name: "fairness",
  title: "Fairness",
  parts: [
    part(
      "warm",
      "First result of a small job beside a million items",
      `${MILLION} 0.02 ms each.`,
      { itemMs: 0.02 },
      5.02,
    ),
    part("long-items", "The same, with items of 5 ms", `${MILLION} 5 ms each.`, { itemMs: 5 }, 10),
    {
      ...part(
        "cold",
        "The same, with a task that no thread has loaded",
        `${MILLION} 0.02 ms each. Each small job's module is new to all threads and has to be imported.`,
        { itemMs: 0.02, temperature: "cold", samples: 100 },
      ),
      contestants: [threadmill],
    },
  ],
};
