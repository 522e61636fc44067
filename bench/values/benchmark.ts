/** Strings and small objects: cloning them is most of the work, and taking in the answers can stall the main loop. */
import type { Benchmark, Contestant, Figure, Part } from "../harness/benchmark.js";

const program = (name: string): URL => new URL(`./${name}.js`, import.meta.url);

const FIGURES: readonly [Figure, ...Figure[]] = [
  { name: "nsPerItem", title: "ns an item", better: "lower" },
  { name: "loopDelayP99Ms", title: "main loop delay p99, ms", better: "lower" },
  { name: "loopDelayMaxMs", title: "at most, ms", better: "lower" },
];

const threadmill: Contestant = { name: "threadmill", title: "Threadmill", program: program("threadmill") };

const inBatches = (batchSize: number, form: "Packed" | "Mapped"): Contestant => ({
  name: `piscina-${batchSize}-${form.toLowerCase()}`,
  title: `Piscina, batches of ${batchSize.toLocaleString("en-US")}, ${form === "Packed" ? "packed answers" : "answers by `map`"}`,
  program: program("in-batches"),
  settings: { peer: "piscina", form, batchSize },
});

const byHand = [
  inBatches(10_000, "Packed"),
  inBatches(10_000, "Mapped"),
  inBatches(1_000, "Packed"),
  inBatches(256, "Packed"),
];

const part = (kind: "strings" | "objects", title: string): Part => ({
  name: kind,
  title,
  about:
    "500,000 items, array in, array out, 2 threads. Batches by hand as above. Each process checks its first answer, " +
    "runs 5 more to warm up, and reports the median of 7 and the main loop's delay during all 7.",
  figures: FIGURES,
  settings: { kind, threads: 2, items: 500_000, warmUps: 5, repeats: 7 },
  quick: { items: 20_000, warmUps: 1, repeats: 1 },
  contestants: [threadmill, ...byHand],
  bars: [
    {
      text: "times as fast as Piscina batched by hand at its best",
      quantity: {
        kind: "speed",
        figure: "nsPerItem",
        of: "threadmill",
        against: byHand.map((contestant) => contestant.name),
      },
      atLeast: 0.95,
    },
    {
      text: "main loop delay p99, ms",
      quantity: { kind: "figure", figure: "loopDelayP99Ms", of: "threadmill" },
      atMost: 10,
    },
  ],
});

export const values: Benchmark = {
  name: "values",
  title: "Strings and small objects",
  parts: [
    part("strings", "Strings of 13 to 18 characters"),
    part("objects", "Objects: `{ id, name, tags: [2 strings] }` to `{ id, greeting, tags }`"),
  ],
};
