/** `pnpm bench`: runs benchmarks side by side, says how they went, and writes the results page. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { benchmarks } from "./benchmarks.js";
import { HELP, readArguments, type Arguments } from "./harness/arguments.js";
import type { Benchmark } from "./harness/benchmark.js";
import { thisMachine } from "./harness/machine.js";
import { formatNumber } from "./harness/markdown.js";
import { barTable, contestantTable, type BenchmarkResult } from "./harness/results-page.js";
import { writeResults } from "./harness/results-folder.js";
import { runPart } from "./harness/run-part.js";

const interrupt = new AbortController();
process.once("SIGINT", () => interrupt.abort());
process.once("SIGTERM", () => interrupt.abort());

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  let given: Arguments;
  try {
    given = readArguments(
      words,
      benchmarks.map((one) => one.name),
    );
  } catch (error) {
    console.error(`bench: ${(error as Error).message}\nTry --help.`);
    return 2;
  }
  if (given.help) console.log(HELP);
  else if (given.list) list();
  else return await run(given);
  return 0;
}

function list(): void {
  for (const { name, title, parts } of benchmarks) {
    console.log(`${name}: ${title}`);
    for (const part of parts) {
      console.log(`  ${part.name}: ${part.title}`);
      for (const contestant of part.contestants) console.log(`    ${contestant.title}`);
    }
  }
}

async function run(given: Arguments): Promise<number> {
  const { names, quick, out } = given;
  const chosen = names.length === 0 ? benchmarks : benchmarks.filter((one) => names.includes(one.name));
  const results: BenchmarkResult[] = [];
  let failed = 0;
  try {
    for (const benchmark of chosen) {
      const result = await runBenchmark(benchmark, given);
      results.push(result);
      failed += result.parts
        .flatMap((part) => Object.values(part.runs).flat())
        .filter((one) => one.status === "failed").length;
    }
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    console.error("bench: interrupted; nothing was written");
    return 130;
  }
  const usual = fileURLToPath(new URL(quick ? "quick" : "..", import.meta.url));
  const page = await writeResults(out === undefined ? usual : resolve(out), benchmarks, results);
  console.log(`\nWritten to ${page}${failed === 0 ? "" : `; ${failed} runs failed`}`);
  return failed === 0 ? 0 : 1;
}

async function runBenchmark(benchmark: Benchmark, { quick, rounds, photos }: Arguments): Promise<BenchmarkResult> {
  const machine = thisMachine();
  const parts = [];
  for (const part of benchmark.parts) {
    console.log(`\n${benchmark.name}, ${part.name}: ${part.title}`);
    const result = await runPart(part, {
      quick,
      rounds,
      photos,
      signal: interrupt.signal,
      onRun: (contestant, round, one) => {
        const [figure] = part.figures;
        const text =
          one.status === "ran"
            ? `${formatNumber(one.figures[figure.name] ?? NaN)} ${figure.title}`
            : `${one.status}: ${one.why}`;
        console.error(`  round ${round + 1}, ${contestant}: ${text}`);
      },
    });
    if (result.skipped === undefined) {
      console.log(`\n${contestantTable(part, result.runs)}`);
      if (part.bars.length > 0) console.log(`\n${barTable(part, result.runs)}`);
    } else console.log(`  not run: ${result.skipped}`);
    parts.push(result);
  }
  return { benchmark: benchmark.name, date: new Date().toISOString().slice(0, 10), machine, parts };
}
