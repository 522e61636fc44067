/** Ranges of shared memory: how close to a loop that somebody has written for it. */
import type { Benchmark, Contestant, Figure } from "../harness/benchmark.js";

const program = (name: string): URL => new URL(`./${name}.js`, import.meta.url);
const nsPerItem: Figure = { name: "nsPerItem", title: "ns an element", better: "lower" };

const threadmill = (name: string, title: string, input: "shared" | "own"): Contestant => ({
  name,
  title,
  program: program("threadmill"),
  settings: { input },
});

export const columns: Benchmark = {
  name: "columns",
  title: "Numeric columns",
  parts: [
    {
      name: "roots",
      title: "`Math.sqrt` of 10 million floats",
      about:
        "A `Float32Array` in shared memory, `Float32Array` out, 2 threads; the output is new each time, for all of them. By " +
        "hand: two workers that are sent the two arrays and their half, and loop over it. Threadmill's threads have served " +
        "three other handlers before. An input of the caller's own is copied into shared memory once, which the last row " +
        "shows. Each process runs 3 to warm up, and reports the median of 7.",
      figures: [nsPerItem],
      settings: { threads: 2, items: 10_000_000, warmUps: 3, repeats: 7 },
      quick: { items: 1_000_000, warmUps: 1, repeats: 1 },
      contestants: [
        threadmill("threadmill", "Threadmill, shared input", "shared"),
        { name: "by-hand", title: "two workers, a loop by hand", program: program("by-hand") },
        { name: "one-thread", title: "the main thread alone", program: program("main-thread") },
        threadmill("threadmill-copied", "Threadmill, input copied", "own"),
      ],
      bars: [
        {
          text: "of the speed of a loop written by hand on the same threads",
          quantity: { kind: "speed", figure: "nsPerItem", of: "threadmill", against: ["by-hand"] },
          atLeast: 0.85,
        },
      ],
    },
  ],
};
