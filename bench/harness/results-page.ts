/** RESULTS.md: for each part a table of its contestants, and one of its bars. */
import type { Bar, Benchmark, Contestant, Part } from "./benchmark.js";
import type { Machine } from "./machine.js";
import { cell, formatNumber, table } from "./markdown.js";
import { bestOf, figureOver, judge, quantityOver, type Runs } from "./quantities.js";
import type { PartResult } from "./run-part.js";
import type { Summary } from "./statistics.js";

/** What one run of a benchmark came to: a line of results.jsonl. */
export interface BenchmarkResult {
  readonly benchmark: string;
  /** Day of the run, as `2026-11-20`. */
  readonly date: string;
  readonly machine: Machine;
  readonly parts: readonly PartResult[];
}

/** Where the plot of a part lies, from the page. */
export function plotPath(benchmark: Benchmark, part: Part): string {
  return `plots/${benchmark.name}-${part.name}.svg`;
}

const HEAD = `# Results

Written by \`pnpm bench\`, not by hand. Each contestant runs in a fresh process; they take turns, A B C A B C, and a ratio
is that of two processes of the same round. Shown are the median of the rounds and, in brackets, the least and the
greatest. What is measured and how, and what was tried: [README](README.md).
`;

/** The page for all benchmarks that have a result. */
export function resultsPage(benchmarks: readonly Benchmark[], results: readonly BenchmarkResult[]): string {
  const sections = benchmarks.flatMap((benchmark) => {
    const result = results.find((one) => one.benchmark === benchmark.name);
    return result === undefined ? [] : [section(benchmark, result)];
  });
  return [HEAD, ...sections].join("\n");
}

function section(benchmark: Benchmark, { date, machine, parts }: BenchmarkResult): string {
  const { processor, cores, memoryGiB, system, node, load } = machine;
  const count = `${cores} ${cores === 1 ? "core" : "cores"}`;
  const where = `${processor}, ${count}, ${memoryGiB} GiB, ${system}, Node ${node}, load before ${load}, ${date}.`;
  const blocks = benchmark.parts.flatMap((part) => {
    const result = parts.find((one) => one.part === part.name);
    return result === undefined ? [] : [partBlock(benchmark, part, result)];
  });
  return [`## ${benchmark.title}\n`, `${where}\n`, ...blocks].join("\n");
}

function partBlock(benchmark: Benchmark, part: Part, { runs, rounds, skipped }: PartResult): string {
  const head = `### ${part.title}\n\n${part.about} ${rounds === 1 ? "One round" : `${rounds} rounds`}.\n`;
  if (skipped !== undefined) return `${head}\nNot run: ${skipped}.\n`;
  const plot = `![${part.title.replaceAll("`", "")}](${plotPath(benchmark, part)})\n`;
  const bars = part.bars.length === 0 ? [] : [`${barTable(part, runs)}\n`];
  return [head, plot, `${contestantTable(part, runs)}\n`, ...bars].join("\n");
}

/** Contestants by figures; the last column says how many times as good the first contestant is. */
export function contestantTable(part: Part, runs: Runs): string {
  const [first] = part.contestants;
  const [main] = part.figures;
  const compared = main.better !== "neither" && part.contestants.length > 1;
  const heads = ["", ...part.figures.map((figure) => figure.title), ...(compared ? [`${shortTitle(first)} is`] : [])];
  const rows = part.contestants.flatMap((contestant) => {
    const series = runs[contestant.name] ?? [];
    if (series.length === 0) return [];
    const without = series.find((run) => run.status !== "ran");
    const figures = part.figures.map((figure) => withSpread(figureOver(runs, contestant.name, figure.name)));
    const title = cell(contestant === first ? `**${contestant.title}**` : contestant.title);
    const note = without === undefined ? title : `${title} (${without.status}: ${cell(without.why)})`;
    return [[note, ...figures, ...(compared ? [comparison(part, runs, contestant)] : [])]];
  });
  return table(heads, ["left", ...heads.slice(1).map(() => "right" as const)], rows);
}

function comparison(part: Part, runs: Runs, contestant: Contestant): string {
  const [first] = part.contestants;
  if (contestant === first) return "";
  const figure = part.figures[0].name;
  const ratio = quantityOver(part, runs, { kind: "speed", figure, of: first.name, against: [contestant.name] });
  return Number.isFinite(ratio.median) ? `${withSpread(ratio)} ×` : "–";
}

/** What was to be reached, and whether it was. */
export function barTable(part: Part, runs: Runs): string {
  const rows = part.bars.map((bar) => {
    const measured = quantityOver(part, runs, bar.quantity);
    return [cell(describe(part, runs, bar)), bounds(bar), withSpread(measured), judge(bar, measured)];
  });
  return table(["to reach", "", "measured", ""], ["left", "right", "right", "left"], rows);
}

/** A bar against the best of several says which one that was. */
function describe(part: Part, runs: Runs, { text, quantity }: Bar): string {
  if (quantity.kind !== "speed" || quantity.against.length < 2) return text;
  const best = bestOf(part, runs, quantity.figure, quantity.against);
  const title = part.contestants.find((contestant) => contestant.name === best)?.title;
  return title === undefined ? text : `${text} (${title})`;
}

function bounds({ atLeast, atMost }: Bar): string {
  const least = atLeast === undefined ? [] : [`≥ ${formatNumber(atLeast)}`];
  const most = atMost === undefined ? [] : [`≤ ${formatNumber(atMost)}`];
  return [...least, ...most].join(", ");
}

function withSpread({ median, least, greatest, count }: Summary): string {
  if (count === 0) return "–";
  const spread = `${formatNumber(least)}–${formatNumber(greatest)}`;
  return count === 1 || least === greatest ? formatNumber(median) : `${formatNumber(median)} (${spread})`;
}

/** Without its settings. */
function shortTitle({ title }: Contestant): string {
  return title.split(/[,:]/, 1)[0] ?? title;
}
