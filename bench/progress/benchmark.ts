/** What it costs to say how far a job is. */
import type { Benchmark } from "../harness/benchmark.js";

const program = (name: string): URL => new URL(`./${name}.js`, import.meta.url);

export const progress: Benchmark = {
  name: "progress",
  title: "Progress",
  parts: [
    {
      name: "ticks",
      title: "Ten million ticks and a listener at 10 Hz",
      about:
        "A job of 10,000,000 items of `x + 1`, 2 threads, values dropped; every item is a tick. With a listener for " +
        "`progress` at 10 Hz, and without. By hand: batches of 10,000 ticks that only count, silent, or with a message " +
        "for every tick (500,000 ticks, time per tick). One run to warm up, the median of 3.",
      figures: [
        { name: "nsPerTick", title: "ns a tick", better: "lower" },
        { name: "loopDelayP99Ms", title: "main loop delay p99, ms", better: "lower" },
        { name: "loopDelayMaxMs", title: "at most, ms", better: "lower" },
        { name: "events", title: "events a run", better: "neither" },
      ],
      settings: { threads: 2, ticks: 10_000_000, batchSize: 10_000, repeats: 3 },
      quick: { ticks: 200_000, repeats: 1 },
      contestants: [
        {
          name: "listener",
          title: "Threadmill, listener",
          program: program("threadmill"),
          settings: { listener: "yes" },
        },
        {
          name: "none",
          title: "Threadmill, no listener",
          program: program("threadmill"),
          settings: { listener: "no" },
        },
        {
          name: "messages",
          title: "Piscina, a message for every tick",
          program: program("by-hand"),
          settings: { form: "ticksWithMessages", ticks: 500_000 },
          quick: { ticks: 50_000 },
        },
        { name: "silent", title: "Piscina, no progress", program: program("by-hand"), settings: { form: "ticks" } },
      ],
      bars: [
        {
          text: "time with a listener, of that without",
          quantity: { kind: "share", figure: "nsPerTick", of: "listener", against: "none" },
          atMost: 1.02,
        },
        {
          text: "main loop delay p99, ms",
          quantity: { kind: "figure", figure: "loopDelayP99Ms", of: "listener" },
          atMost: 10,
        },
      ],
      logarithmic: true,
    },
  ],
};
