/** What a pool costs before it does anything. */
import type { Benchmark, Contestant } from "../harness/benchmark.js";

const contestant = (peer: string, title: string, packages = peer): Contestant => ({
  name: peer,
  title,
  program: new URL("./program.js", import.meta.url),
  settings: { peer, packages },
});

export const footprint: Benchmark = {
  name: "footprint",
  title: "Footprint",
  parts: [
    {
      name: "footprint",
      title: "Memory of a thread, time to the first result, size of the install",
      about:
        "Memory: what the process's RSS grows by when 8 idle threads are added, each of which has answered once. First " +
        "result: from before the library is imported until one of 2 new threads has answered. Install: the files of the " +
        "package and of all that it depends on, optional parts that are installed included, without sharp and ONNX " +
        "Runtime, which are the user's own choice.",
      figures: [
        { name: "rssPerThreadMiB", title: "MiB a thread", better: "lower" },
        { name: "firstResultMs", title: "first result, ms", better: "lower" },
        { name: "installMB", title: "install, MB", better: "lower" },
        { name: "packages", title: "packages", better: "lower" },
      ],
      settings: { threads: 8, iterations: 100_000 },
      contestants: [
        contestant("threadmill", "Threadmill", "@threadmill/engine @threadmill/workers"),
        contestant("piscina", "Piscina"),
        contestant("tinypool", "tinypool"),
        contestant("workerpool", "workerpool"),
        contestant("poolifier", "Poolifier"),
        contestant("jest-worker", "jest-worker"),
        contestant("comlink", "Comlink"),
      ],
      bars: [],
    },
  ],
};
