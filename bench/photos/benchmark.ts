/** The work of the photo indexer, on real files. */
import { availableParallelism } from "node:os";
import type { Benchmark, Contestant } from "../harness/benchmark.js";
import { preparePhotos } from "./prepare.js";

/** Fixed when a process starts, and shared by all its threads: as `npm start` sets it. */
const env = { UV_THREADPOOL_SIZE: String(Math.max(4, 2 * availableParallelism())) };

const contestant = (name: string, title: string, program: string, concurrency = 1): Contestant => ({
  name,
  title,
  program: new URL(`./${program}.js`, import.meta.url),
  settings: { concurrency },
  env,
});

export const photos: Benchmark = {
  name: "photos",
  title: "Real photos",
  parts: [
    {
      name: "describe",
      title: "Hash, thumbnail and inference of 600 photos",
      about:
        "Each photo is read, hashed (SHA-256), decoded by sharp to 512 pixels, made into a thumbnail of 256 (WebP), and 64 × 64 " +
        "pixels of it go through the photo indexer's model in ONNX Runtime; the same function for all. 600 photos: the " +
        "files of a folder, again and again; without `--photos` those of the indexer's sample album. sharp and ONNX " +
        `Runtime with one thread each, libuv with ${env.UV_THREADPOOL_SIZE}. The limit is the number of cores divided by ` +
        "the processor time of one photo, described one after the other. 40 photos to warm up.",
      figures: [
        { name: "photosPerSecond", title: "photos a second", better: "higher" },
        { name: "loopDelayP99Ms", title: "main loop delay p99, ms", better: "lower" },
        { name: "loopDelayMaxMs", title: "at most, ms", better: "lower" },
        { name: "cpuMsPerPhoto", title: "processor ms a photo", better: "lower" },
        { name: "described", title: "described", better: "neither" },
      ],
      settings: { threads: 2, photos: 600, warmUps: 40 },
      quick: { photos: 24, warmUps: 4 },
      prepare: preparePhotos,
      contestants: [
        contestant("threadmill", "Threadmill, 4 in flight in each thread", "threadmill", 4),
        contestant("threadmill-8", "Threadmill, 8 in flight in each thread", "threadmill", 8),
        contestant("p-map", "p-map on the main thread, 8 in flight", "p-map", 8),
        contestant("piscina", "Piscina, one photo a call", "piscina"),
        contestant("piscina-4", "Piscina, one photo a call, `concurrentTasksPerWorker: 4`", "piscina", 4),
        contestant("limit", "The limit: cores ÷ processor time of one photo", "limit"),
      ],
      bars: [
        {
          text: "times as fast as p-map",
          quantity: { kind: "speed", figure: "photosPerSecond", of: "threadmill", against: ["p-map"] },
          atLeast: 1.2,
        },
        {
          text: "times as fast as Piscina with one photo a call",
          quantity: { kind: "speed", figure: "photosPerSecond", of: "threadmill", against: ["piscina"] },
          atLeast: 1.25,
        },
        {
          text: "of the limit",
          quantity: { kind: "speed", figure: "photosPerSecond", of: "threadmill", against: ["limit"] },
          atLeast: 0.95,
        },
        {
          text: "main loop delay p99, ms",
          quantity: { kind: "figure", figure: "loopDelayP99Ms", of: "threadmill" },
          atMost: 10,
        },
      ],
    },
    {
      name: "thumbnails",
      title: "Thumbnails alone",
      about:
        "The same 600 photos to files of 256 pixels (WebP, quality 80): the ready task `thumbnail` on 2 threads, the main " +
        "thread writing the files, beside `vipsthumbnail` in 2 processes. 40 photos to warm up.",
      figures: [
        { name: "photosPerSecond", title: "photos a second", better: "higher" },
        { name: "cpuMsPerPhoto", title: "processor ms a photo", better: "lower" },
      ],
      settings: { threads: 2, photos: 600, warmUps: 40 },
      quick: { photos: 24, warmUps: 4 },
      prepare: preparePhotos,
      contestants: [
        contestant("threadmill", "Threadmill, ready task `thumbnail`", "thumbnails-threadmill"),
        contestant("vipsthumbnail", "`vipsthumbnail`, 2 processes", "thumbnails-vips"),
      ],
      bars: [
        {
          text: "of the speed of `vipsthumbnail`",
          quantity: { kind: "speed", figure: "photosPerSecond", of: "threadmill", against: ["vipsthumbnail"] },
          atLeast: 0.9,
        },
      ],
    },
  ],
};
