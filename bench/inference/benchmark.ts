/** Which settings of ONNX Runtime, and how many images at once, make a pool of threads fastest. */
import type { Benchmark, Contestant } from "../harness/benchmark.js";

const contestant = (threads: number, intraOpThreads: number, images: number): Contestant => ({
  name: `${threads}-${intraOpThreads}-${images}`,
  title: [
    threads === 1 ? "1 thread" : `${threads} threads`,
    intraOpThreads === 0 ? "intra-op as it comes" : `intra-op ${intraOpThreads}`,
    images === 1 ? "one image a run" : `${images} images a run`,
  ].join(", "),
  program: new URL("./program.js", import.meta.url),
  settings: { threads, intraOpThreads, images },
});

/** What the ready task `embed` does on two cores. */
const usual = { ...contestant(2, 1, 16), title: "Default: 2 threads, intra-op 1, 16 images a run" };
const others = [2, 1]
  .flatMap((threads) =>
    [1, 2, 0].flatMap((intraOp) => [1, 4, 16].map((images) => contestant(threads, intraOp, images))),
  )
  .filter(({ name }) => name !== usual.name);

export const inference: Benchmark = {
  name: "inference",
  title: "Inference alone",
  parts: [
    {
      name: "settings",
      title: "Threads, ONNX Runtime's own threads, and images a run",
      about:
        "1,000 images through a chain of 6 convolutions of 64 × 64 × 8. The first row is what the ready task `embed` does: " +
        "a thread for each core, `intraOpNumThreads: 1`, 16 images a run. One job to warm up, the median of 3.",
      figures: [{ name: "perSecond", title: "images a second", better: "higher" }],
      settings: { items: 1_000, size: 64, layers: 6, repeats: 3 },
      quick: { items: 32, repeats: 1 },
      rounds: 3,
      contestants: [usual, ...others],
      bars: [
        {
          text: "times as fast as the best other setting (0.97 is the same within noise)",
          quantity: {
            kind: "speed",
            figure: "perSecond",
            of: usual.name,
            against: others.map((other) => other.name),
          },
          atLeast: 0.97,
        },
      ],
    },
  ],
};
