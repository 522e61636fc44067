/** All benchmarks, in the order of the page. */
import { cache } from "./cache/benchmark.js";
import { cancelInference } from "./cancel-inference/benchmark.js";
import { cancel } from "./cancel/benchmark.js";
import { columns } from "./columns/benchmark.js";
import { cpuBound } from "./cpu-bound/benchmark.js";
import { fairness } from "./fairness/benchmark.js";
import { footprint } from "./footprint/benchmark.js";
import type { Benchmark } from "./harness/benchmark.js";
import { inference } from "./inference/benchmark.js";
import { jobs } from "./jobs/benchmark.js";
import { oneAtATime } from "./one-at-a-time/benchmark.js";
import { photos } from "./photos/benchmark.js";
import { progress } from "./progress/benchmark.js";
import { tinyItems } from "./tiny-items/benchmark.js";
import { values } from "./values/benchmark.js";

export const benchmarks: readonly Benchmark[] = [
  tinyItems,
  values,
  columns,
  oneAtATime,
  cpuBound,
  cancel,
  cancelInference,
  progress,
  jobs,
  fairness,
  photos,
  inference,
  cache,
  footprint,
];
