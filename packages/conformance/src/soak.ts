/**
 * `pnpm test:soak`: the same code as the tests, for as long as you like, with figures. Each part is bounded in time and
 * ends with what it has counted; the program ends with 1 if anything was found.
 *
 *     pnpm test:soak                                   all parts, a minute each
 *     pnpm test:soak simulator chaos --seconds 600     these two, ten minutes each
 *     pnpm test:soak --seed 4711                       from this seed on
 */
import { parseArgs } from "node:util";
import { type CancelFigures, soakCancel } from "./bounds/cancel.js";
import { soakMemory } from "./bounds/memory.js";
import { killCaches } from "./cache-kills/kills.js";
import { searchCache } from "./cache-model/index.js";
import { soakChaos, soakRandomRuns } from "./chaos/soak.js";
import { describeFailure, search } from "./commands/index.js";
import { soakNativeSafety } from "./native-safety/soak.js";
import { huntAll, plantedBugs } from "./planted-bugs/index.js";
import { soakClients } from "./remote/random-clients.js";
import { soakEngineRevocation } from "./revocation/engine-soak.js";
import { soakRevocation } from "./revocation/soak.js";
import { soakShutdown } from "./shutdown/soak.js";
import { neverHappened, soakSimulator } from "./simulator/index.js";
import { searchSnapshot } from "./snapshot-model/index.js";

interface Budget {
  readonly seconds: number;
  readonly seed: number;
}

interface Soaked {
  readonly figures: unknown;
  /** What was found: none means that all was well. */
  readonly found: readonly string[];
}

const parts: Record<string, (budget: Budget) => Soaked | Promise<Soaked>> = {
  simulator: (budget) => {
    const { violations, ...figures } = soakSimulator(budget);
    const found = violations.map(({ seed, violation, script }) => `seed ${seed}: ${violation}\n${script.join("\n")}`);
    const missing = figures.seeds < SEEDS_FOR_ALL ? [] : neverHappened(figures.counters, figures.faults);
    return { figures, found: [...found, ...missing.map((what) => `has never happened: ${what}`)] };
  },
  commands: ({ seconds, seed }) => {
    const report = search(asLongAs({ seconds, seed }));
    const { runs, commands, steps } = report;
    return { figures: { runs, commands, steps }, found: report.failure === undefined ? [] : [describeFailure(report)] };
  },
  "planted-bugs": ({ seed }) => {
    const hunts = huntAll(
      plantedBugs.filter(({ equivalent }) => equivalent === undefined),
      { firstSeed: seed, seeds: 20_000 },
    );
    const survivors = hunts.filter(({ seedsNeeded }) => seedsNeeded === undefined);
    const needed = hunts.flatMap(({ seedsNeeded }) => seedsNeeded ?? []).toSorted((a, b) => a - b);
    const figures = { bugs: hunts.length, median: needed[needed.length >> 1], most: needed.at(-1) };
    return { figures, found: survivors.map(({ file, name }) => `${file}: ${name}`) };
  },
  "random-runs": async (budget) => fromReport(await soakRandomRuns(budget)),
  remote: async (budget) => {
    const { failures, ...figures } = await soakClients(budget);
    return { figures, found: failures.map(({ seed, violations }) => `seed ${seed}: ${violations.join("\n")}`) };
  },
  chaos: async (budget) => fromReport(await soakChaos(budget)),
  revocation: async ({ seconds, seed }) => {
    const figures: Record<string, unknown> = {};
    const found: string[] = [];
    for (const mode of ["items", "lanes", "batches"] as const) {
      const report = await soakRevocation({ seconds: seconds / 4, seed, mode });
      figures[mode] = report;
      if (report.runTwice + report.lost > 0) found.push(`${mode}: ${report.runTwice} run twice, ${report.lost} lost`);
    }
    const report = await soakEngineRevocation({ seconds: seconds / 4, seed });
    figures["engine"] = report;
    if (report.runTwice + report.lost > 0) found.push(`engine: ${report.runTwice} run twice, ${report.lost} lost`);
    return { figures, found };
  },
  "native-safety": async (budget) => {
    const { violations, ...figures } = await soakNativeSafety(budget);
    return { figures, found: violations };
  },
  shutdown: async (budget) => {
    const { violations, late, ...figures } = await soakShutdown(budget);
    return { figures, found: [...violations, ...late] };
  },
  cache: async (budget) => fromSearch(await searchCache(asLongAs(budget))),
  snapshot: async (budget) => fromSearch(await searchSnapshot(asLongAs(budget))),
  "cache-kills": async (budget) => {
    const { violations, ...figures } = await killCaches(budget);
    return { figures, found: violations };
  },
  memory: async () => {
    const figures = await soakMemory({ jobs: 10_000, items: 10_000_000 });
    const { jobs, items, alive } = figures;
    const found: string[] = [];
    if (jobs.heapBytesEach > MOST_BYTES_PER_JOB) found.push(`each job leaves ${jobs.heapBytesEach} bytes behind`);
    for (const bytes of [items.heapBytesEach, items.rssBytesEach]) {
      if (bytes > MOST_BYTES_PER_ITEM) found.push(`each item leaves ${bytes} bytes behind`);
    }
    if (alive.handles + alive.sources > 0) found.push(`settled jobs hold ${JSON.stringify(alive)}`);
    return { figures, found };
  },
  cancel: async () => {
    const figures: Record<string, unknown> = {};
    const found: string[] = [];
    for (const shape of ["job", "jobs", "calls"] as const) {
      // A call for each item is a job for each: docs/reliability.md says what that costs.
      const mostMs = shape === "calls" ? Infinity : MOST_STALL_MS;
      const reports: CancelFigures[] = [];
      // The best of some: other work of the machine stalls anything.
      do reports.push(await soakCancel({ shape, items: 100_000 }));
      while (stallMs(reports) > mostMs && reports.length < CANCEL_TRIES);
      figures[shape] = reports;
      if (stallMs(reports) > mostMs) found.push(`${shape}: a stall of ${stallMs(reports)} ms`);
    }
    return { figures, found };
  },
};

/** From then on, whatever must happen now and then has to have happened. */
const SEEDS_FOR_ALL = 10_000;
/** Less than the smallest thing that could be left behind: an object, or half a pointer. */
const MOST_BYTES_PER_JOB = 100;
const MOST_BYTES_PER_ITEM = 4;
/** What a cancel may hold the main thread up for. */
const MOST_STALL_MS = 50;
const CANCEL_TRIES = 3;

/** The shortest of their longest stalls. */
function stallMs(reports: readonly CancelFigures[]): number {
  return Math.min(...reports.map(({ abortMs, afterMs, longestTurnMs }) => Math.max(abortMs + afterMs, longestTurnMs)));
}

/** What a search is told that is bounded in time alone. */
function asLongAs({ seconds, seed }: Budget): { seed: number; runs: number; budgetMs: number } {
  return { seed, runs: Number.MAX_SAFE_INTEGER, budgetMs: seconds * 1_000 };
}

function fromSearch({ runs, failure }: { readonly runs: number; readonly failure: string | undefined }): Soaked {
  return { figures: { runs }, found: failure === undefined ? [] : [failure] };
}

function fromReport({ failures, ...figures }: { readonly failures: readonly unknown[] }): Soaked {
  return { figures, found: failures.map((failure) => JSON.stringify(failure, undefined, 2)) };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    help: { type: "boolean", default: false },
  },
});
const seconds = Number(values.seconds);
const seed = Number(values.seed);
const unknown = positionals.filter((name) => parts[name] === undefined);
if (values.help || unknown.length > 0 || !(seconds > 0) || !Number.isSafeInteger(seed)) {
  const names = Object.keys(parts).join(" ");
  console.log(`pnpm test:soak [parts…] [--seconds n] [--seed n]\n\nParts (default all): ${names}`);
  for (const name of unknown) console.error(`soak: there is no part ${JSON.stringify(name)}`);
  process.exit(values.help ? 0 : 2);
}

let found = 0;
for (const name of positionals.length > 0 ? positionals : Object.keys(parts)) {
  console.log(`── ${name} (seed ${seed}, Node ${process.versions.node}) ──`);
  const soaked = await (parts[name] as (typeof parts)[string])({ seconds, seed });
  console.log(JSON.stringify(soaked.figures, undefined, 2));
  for (const one of soaked.found) console.error(`FOUND: ${one}`);
  found += soaked.found.length;
}
console.log(found === 0 ? "soak: nothing was found" : `soak: ${found} found`);
process.exitCode = found === 0 ? 0 : 1;
