/** Items so small that the way to a thread and back is all there is. */
import type { Benchmark, Contestant, Figure } from "../harness/benchmark.js";

const program = (name: string): URL => new URL(`./${name}.js`, import.meta.url);
const nsPerItem: Figure = { name: "nsPerItem", title: "ns an item", better: "lower" };

const threadmill: Contestant = { name: "threadmill", title: "Threadmill", program: program("threadmill") };

/** A pool's name, and how it is to be called in the tables. */
const inBatches = (peer: string, title: string, form: "Packed" | "Mapped"): Contestant => ({
  name: `${peer}-batched-${form.toLowerCase()}`,
  title: `${title}, batches of 10,000, ${form === "Packed" ? "packed answers" : "answers by `map`"}`,
  program: program("in-batches"),
  settings: { peer, form, batchSize: 10_000 },
});

/** A fiftieth of the items: they take as long. */
const oneByOne = (peer: string, title: string): Contestant => ({
  name: `${peer}-one-by-one`,
  title: `${title}, one call per item`,
  program: program("one-by-one"),
  settings: { peer, items: 20_000, repeats: 3 },
  quick: { items: 1_000 },
});

const PEERS = [
  ["piscina", "Piscina"],
  ["tinypool", "tinypool"],
  ["workerpool", "workerpool"],
  ["poolifier", "Poolifier"],
  ["jest-worker", "jest-worker"],
  ["comlink", "Comlink"],
] as const;

const byHand = ["piscina-batched-packed", "piscina-batched-mapped"];

export const tinyItems: Benchmark = {
  name: "tiny-items",
  title: "Tiny items",
  parts: [
    {
      name: "numbers",
      title: "Numbers: `x + 1`",
      about:
        "1,000,000 numbers, array in, array out, 2 threads. Batches by hand are 10,000 items, handed to the pool at " +
        "once, their answers placed by index. Calls of single items are 20,000, all at once; their time is per item " +
        "too. Each process checks its first answer, runs 5 more to warm up, and reports the median of 9.",
      figures: [nsPerItem],
      settings: { kind: "numbers", threads: 2, items: 1_000_000, warmUps: 5, repeats: 9 },
      quick: { items: 100_000, warmUps: 1, repeats: 1 },
      contestants: [
        threadmill,
        inBatches("piscina", "Piscina", "Packed"),
        inBatches("piscina", "Piscina", "Mapped"),
        {
          name: "piscina-typed",
          title: "Piscina, batches of 10,000, typed arrays moved by hand",
          program: program("typed-by-hand"),
          settings: { batchSize: 10_000 },
        },
        ...PEERS.slice(1).map(([peer, title]) => inBatches(peer, title, "Packed")),
        ...PEERS.map(([peer, title]) => oneByOne(peer, title)),
      ],
      bars: [
        {
          text: "times as fast as Piscina batched by hand at its best",
          quantity: { kind: "speed", figure: "nsPerItem", of: "threadmill", against: byHand },
          atLeast: 1.4,
        },
        {
          text: "times as fast as Piscina with one call per item",
          quantity: { kind: "speed", figure: "nsPerItem", of: "threadmill", against: ["piscina-one-by-one"] },
          atLeast: 200,
        },
      ],
      logarithmic: true,
    },
    {
      name: "mixed",
      title: "Values that no typed array can hold: `x + 1`, and every eighth item `null`",
      about: "As above; the numbers cannot travel as a typed array here.",
      figures: [nsPerItem],
      settings: { kind: "mixed", threads: 2, items: 1_000_000, warmUps: 5, repeats: 9 },
      quick: { items: 100_000, warmUps: 1, repeats: 1 },
      contestants: [threadmill, inBatches("piscina", "Piscina", "Packed"), inBatches("piscina", "Piscina", "Mapped")],
      bars: [
        {
          text: "times as fast as Piscina batched by hand at its best",
          quantity: { kind: "speed", figure: "nsPerItem", of: "threadmill", against: byHand },
          atLeast: 1,
        },
      ],
    },
  ],
};
