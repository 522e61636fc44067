/** Single calls: what batching cannot help. */
import type { Bar, Benchmark, Contestant } from "../harness/benchmark.js";

const peer = (name: string, title: string): Contestant => ({
  name,
  title,
  program: new URL("./peer.js", import.meta.url),
  settings: { peer: name },
});

const within = (figure: string, against: string, text: string, atMost: number): Bar => ({
  text,
  quantity: { kind: "share", figure, of: "threadmill", against },
  atMost,
});

export const oneAtATime: Benchmark = {
  name: "one-at-a-time",
  title: "One item at a time",
  parts: [
    {
      name: "round-trip",
      title: "Round trip of a single call",
      about:
        "20,000 calls of `x + 1`, each made when the one before has answered, 2 threads; 2,000 more before them to warm " +
        "up. Piscina's idle threads wait in `Atomics.wait` unless `atomics` is `disabled`: that wakes them sooner, and " +
        "freezes their event loops.",
      figures: [
        { name: "p50Us", title: "p50, µs", better: "lower" },
        { name: "p99Us", title: "p99, µs", better: "lower" },
        { name: "meanUs", title: "mean, µs", better: "lower" },
      ],
      settings: { threads: 2, calls: 20_000, warmUps: 2_000 },
      quick: { calls: 500, warmUps: 100 },
      contestants: [
        {
          name: "threadmill",
          title: "Threadmill, `engine.call`",
          program: new URL("./threadmill.js", import.meta.url),
        },
        peer("piscina-atomics-disabled", 'Piscina, `atomics: "disabled"`'),
        peer("piscina", "Piscina, default"),
        peer("tinypool", "tinypool"),
        peer("workerpool", "workerpool"),
        peer("poolifier", "Poolifier"),
        peer("jest-worker", "jest-worker"),
        peer("comlink", "Comlink"),
      ],
      bars: [
        within("p50Us", "piscina-atomics-disabled", 'p50, times that of Piscina with `atomics: "disabled"`', 1.3),
        within("p99Us", "piscina-atomics-disabled", 'p99, times that of Piscina with `atomics: "disabled"`', 1.3),
        within("p50Us", "piscina", "p50, times that of Piscina's default", 1.5),
        within("p99Us", "piscina", "p99, times that of Piscina's default", 1.5),
      ],
    },
  ],
};
