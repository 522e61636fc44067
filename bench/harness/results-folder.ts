/** What is written down: figures of all rounds as data, and the page and the plots that are made of them. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Benchmark } from "./benchmark.js";
import { plotPart } from "./plot-part.js";
import { plotPath, resultsPage, type BenchmarkResult } from "./results-page.js";

const DATA = "results.jsonl";
const PAGE = "RESULTS.md";

/**
 * Puts new results in the place of older ones of the same benchmarks, and makes the page of all. A benchmark that was not
 * run keeps its own: so each section says its machine, Node and day.
 */
export async function writeResults(
  folder: string,
  benchmarks: readonly Benchmark[],
  fresh: readonly BenchmarkResult[],
): Promise<string> {
  const older = await readResults(folder);
  const results = benchmarks.flatMap(({ name }) => {
    const result = [...fresh, ...older].find((one) => one.benchmark === name);
    return result === undefined ? [] : [result];
  });
  await mkdir(join(folder, "plots"), { recursive: true });
  for (const result of fresh) await writePlots(folder, benchmarks, result);
  await writeFile(join(folder, DATA), results.map((result) => `${JSON.stringify(result)}\n`).join(""));
  const page = join(folder, PAGE);
  await writeFile(page, resultsPage(benchmarks, results));
  return page;
}

async function readResults(folder: string): Promise<BenchmarkResult[]> {
  try {
    const lines = (await readFile(join(folder, DATA), "utf8")).split("\n").filter((line) => line !== "");
    return lines.map((line) => JSON.parse(line) as BenchmarkResult);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

async function writePlots(folder: string, benchmarks: readonly Benchmark[], result: BenchmarkResult): Promise<void> {
  const benchmark = benchmarks.find((one) => one.name === result.benchmark);
  for (const part of benchmark?.parts ?? []) {
    const runs = result.parts.find((one) => one.part === part.name)?.runs ?? {};
    const plot = plotPart(part, runs);
    if (benchmark !== undefined && plot !== undefined) await writeFile(join(folder, plotPath(benchmark, part)), plot);
  }
}
