/** Items that compute: what matters is that no thread waits for another at the end. */
import type { Bar, Benchmark, Contestant, Figure, Part } from "../harness/benchmark.js";
import { iterationsPerMs } from "../harness/spin.js";

const THREADS = 2;
const program = (name: string): URL => new URL(`./${name}.js`, import.meta.url);

const FIGURES: readonly [Figure, ...Figure[]] = [
  { name: "ms", title: "ms a job", better: "lower" },
  { name: "shareAlone", title: "share of it with an idle thread", better: "lower" },
];

const inBatches = (batchSize: number): Contestant => ({
  name: `piscina-${batchSize}`,
  title: `Piscina, ${batchTitle(batchSize)}`,
  program: program("in-batches"),
  settings: { batchSize },
});

/** One item a call is no batch: it is shown beside the bars, not in them. It wins where items are long enough. */
const byHand = [inBatches(10), inBatches(100), inBatches(0)];

const contestants = [
  { name: "threadmill", title: "Threadmill", program: program("threadmill") },
  inBatches(1),
  ...byHand,
  { name: "one-thread", title: "One plain thread", program: program("one-thread") },
] as const;

function batchTitle(batchSize: number): string {
  if (batchSize === 0) return "one batch for each thread";
  return batchSize === 1 ? "one item a call" : `batches of ${batchSize}`;
}

const bars = (atLeast: number): Bar[] => [
  {
    text: "times as fast as Piscina batched by hand at its best",
    quantity: { kind: "speed", figure: "ms", of: "threadmill", against: byHand.map((contestant) => contestant.name) },
    atLeast,
  },
  {
    text: "of two times one plain thread",
    quantity: { kind: "speed", figure: "ms", of: "threadmill", against: ["one-thread"], divisor: THREADS },
    atLeast: 0.95,
  },
  {
    text: "share of the job in which a thread is idle",
    quantity: { kind: "figure", figure: "shareAlone", of: "threadmill" },
    atMost: 0.05,
  },
];

const part = (shape: string, items: number, title: string, what: string, atLeast: number): Part => ({
  name: shape,
  title,
  about:
    `${what} 2 threads; the work is counted in loop iterations, so that it is the same for all. Batches by hand are ` +
    "queued at once, and a free thread takes the next. Each process runs the first 100 items to warm up, and reports " +
    "the median of 3 jobs.",
  figures: FIGURES,
  settings: { shape, items, threads: THREADS, repeats: 3 },
  quick: { items: Math.ceil(items / 10), repeats: 1 },
  prepare: async () => ({ iterationsPerMs: iterationsPerMs() }),
  contestants,
  bars: bars(atLeast),
});

export const cpuBound: Benchmark = {
  name: "cpu-bound",
  title: "Items that compute",
  parts: [
    part("even", 1_000, "Even: 1 ms an item", "1,000 items of 1 ms.", 0.97),
    part("mixed", 1_000, "Mixed: 90 % take 0.1 ms, 10 % take 10 ms", "1,000 items, shuffled.", 1.1),
    part("late", 1_008, "Slow items after fast ones", "1,000 items of 0.1 ms, then 8 of 50 ms.", 1.1),
  ],
};
