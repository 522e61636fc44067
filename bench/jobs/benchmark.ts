/** Many jobs at a time, and one without an end in sight. */
import type { Benchmark, Contestant } from "../harness/benchmark.js";

const program = (name: string): URL => new URL(`./${name}.js`, import.meta.url);

const live = (pool: "threadmill" | "piscina", count: number): Contestant => ({
  name: `${pool}-${count}`,
  title: `${pool === "piscina" ? "Piscina, one call a job" : "Threadmill"}, ${count.toLocaleString("en-US")} live`,
  program: program(`live-${pool}`),
  settings: { live: count },
});

const stream = (reader: string, title: string): Contestant => ({
  name: reader,
  title: `Threadmill, ${title}`,
  program: program("stream-threadmill"),
  settings: { reader },
});

export const jobs: Benchmark = {
  name: "jobs",
  title: "Jobs",
  parts: [
    {
      name: "live",
      title: "Many live jobs of ten items",
      about:
        "50,000 jobs of 10 items of `x + 1`, 2 threads, each with its handle and result; a new one starts when one has " +
        "ended, so that as many are live all the while as the row says. One round of all to warm up, the median of 3.",
      figures: [{ name: "usPerItem", title: "µs an item", better: "lower" }],
      settings: { threads: 2, jobs: 50_000, repeats: 3 },
      quick: { jobs: 2_000, repeats: 1 },
      contestants: [
        live("threadmill", 10_000),
        live("threadmill", 1_000),
        live("threadmill", 100),
        live("threadmill", 10),
        live("piscina", 10_000),
        live("piscina", 10),
      ],
      bars: [
        {
          text: "µs an item with 10,000 live jobs, of that with 10",
          quantity: { kind: "share", figure: "usPerItem", of: "threadmill-10000", against: "threadmill-10" },
          atMost: 1.2,
        },
        {
          text: "µs an item with 10,000 live jobs",
          quantity: { kind: "figure", figure: "usPerItem", of: "threadmill-10000" },
          atMost: 3,
        },
      ],
    },
    {
      name: "stream",
      title: "A stream of ten million items",
      about:
        "10,000,000 numbers from a generator through `x + 1` on 2 threads, `collect: false`. The slope of the memory is " +
        "that of the second half. By hand: batches of 10,000, two for each thread on their way. 500,000 items to warm up.",
      figures: [
        { name: "nsPerItem", title: "ns an item", better: "lower" },
        { name: "rssBytesPerItem", title: "RSS slope, bytes an item", better: "lower" },
        { name: "peakMiB", title: "peak RSS, MiB", better: "lower" },
      ],
      settings: { threads: 2, items: 10_000_000, warmUpItems: 500_000, batchSize: 10_000 },
      quick: { items: 200_000, warmUpItems: 20_000 },
      contestants: [
        stream("batches", "read by `batches()`"),
        stream("outcomes", "read by `for await`"),
        stream("values", "read by `values()`"),
        stream("none", "not read"),
        { name: "piscina", title: "Piscina, batched by hand", program: program("stream-piscina") },
      ],
      bars: [
        {
          text: "ns an item, read by `batches()`",
          quantity: { kind: "figure", figure: "nsPerItem", of: "batches" },
          atMost: 60,
        },
        {
          text: "RSS slope, bytes an item (an item that is kept takes 8 or more)",
          quantity: { kind: "figure", figure: "rssBytesPerItem", of: "batches" },
          atMost: 2,
        },
      ],
    },
  ],
};
