/** What a cancel costs: until the next job has answered on every thread. */
import type { Benchmark, Contestant } from "../harness/benchmark.js";
import { iterationsPerMs } from "../harness/spin.js";

/** Fewer cancels for those that take long. */
const peer = (name: string, how: string, cancels: number): Contestant => ({
  name,
  title: `${name === "piscina" ? "Piscina" : name}, ${how}`,
  program: new URL("./peer.js", import.meta.url),
  settings: { peer: name, cancels },
  quick: { cancels: 1 },
});

export const cancel: Benchmark = {
  name: "cancel",
  title: "Cancel",
  parts: [
    {
      name: "running",
      title: "Cancel of running work, until the next job has answered on every thread",
      about:
        "Items of 1 ms run on both threads, which have sharp and ONNX Runtime loaded. The clock runs from the abort until " +
        "the next job, more items of 1 ms, has answered on both. Peers that stop running work kill its thread and start " +
        "another, which loads everything again. Threadmill's 200 cancels, 20 of Piscina's and tinypool's, 5 of " +
        "workerpool's.",
      figures: [
        { name: "p50Ms", title: "p50, ms", better: "lower" },
        { name: "p99Ms", title: "p99, ms", better: "lower" },
        { name: "maxMs", title: "at most, ms", better: "lower" },
        { name: "threadsReplaced", title: "threads replaced", better: "lower" },
        { name: "cancels", title: "cancels", better: "neither" },
      ],
      settings: { threads: 2, cancels: 200 },
      quick: { cancels: 5 },
      rounds: 3,
      prepare: async () => ({ iterationsPerMs: iterationsPerMs() }),
      contestants: [
        { name: "threadmill", title: "Threadmill, `signal`", program: new URL("./threadmill.js", import.meta.url) },
        peer("piscina", "`signal`", 20),
        peer("tinypool", "`signal`", 20),
        peer("workerpool", "`promise.cancel()`", 5),
      ],
      bars: [
        { text: "p50, ms", quantity: { kind: "figure", figure: "p50Ms", of: "threadmill" }, atMost: 3 },
        { text: "p99, ms", quantity: { kind: "figure", figure: "p99Ms", of: "threadmill" }, atMost: 10 },
        {
          text: "threads replaced",
          quantity: { kind: "figure", figure: "threadsReplaced", of: "threadmill" },
          atMost: 0,
        },
      ],
      logarithmic: true,
    },
  ],
};
