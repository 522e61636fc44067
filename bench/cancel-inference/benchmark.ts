/** Cancels in the middle of `session.run`, where terminating the thread would abort the process. */
import type { Benchmark } from "../harness/benchmark.js";

const figureOf = (figure: string) => ({ kind: "figure", figure, of: "threadmill" }) as const;

export const cancelInference: Benchmark = {
  name: "cancel-inference",
  title: "1,000 cancels in running inference",
  parts: [
    {
      name: "inference",
      title: "Cancels of running inference",
      about:
        "A chain of convolutions of some milliseconds in ONNX Runtime runs on both threads and is cancelled, at another " +
        "moment each time. The clock runs from the abort until both threads have let go. Speed is that of 200 " +
        "inferences before the first and after the last. Piscina, whose signal terminates the thread, gets 20 cancels, " +
        "and its process aborts in one of the first.",
      figures: [
        { name: "survived", title: "cancels survived", better: "higher" },
        { name: "p50Ms", title: "p50, ms", better: "lower" },
        { name: "p99Ms", title: "p99, ms", better: "lower" },
        { name: "speedAfter", title: "speed after, of before", better: "higher" },
        { name: "threadsReplaced", title: "threads replaced", better: "lower" },
        { name: "modelsLoaded", title: "models loaded", better: "lower" },
      ],
      settings: { threads: 2, cancels: 1_000 },
      quick: { cancels: 20 },
      rounds: 3,
      contestants: [
        { name: "threadmill", title: "Threadmill, `signal`", program: new URL("./threadmill.js", import.meta.url) },
        { name: "piscina", title: "Piscina, `signal`", program: new URL("./piscina.js", import.meta.url) },
      ],
      bars: [
        { text: "speed after the cancels, of that before", quantity: figureOf("speedAfter"), atLeast: 0.95 },
        { text: "threads replaced", quantity: figureOf("threadsReplaced"), atMost: 0 },
        { text: "p50 until every thread has let go, ms", quantity: figureOf("p50Ms"), atMost: 10 },
      ],
      logarithmic: true,
    },
  ],
};
