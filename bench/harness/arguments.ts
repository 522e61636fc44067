/** The command line. */
import { parseArgs } from "node:util";

export interface Arguments {
  /** Benchmarks to run; all, if none is named. */
  readonly names: readonly string[];
  readonly quick: boolean;
  readonly list: boolean;
  readonly help: boolean;
  readonly rounds: number | undefined;
  readonly photos: string | undefined;
  readonly out: string | undefined;
}

export const HELP = `Usage: pnpm bench [<name> …] [options]

Measures Threadmill and its peers in the same run, and writes bench/RESULTS.md, bench/results.jsonl and bench/plots.

Options
      --quick            few items and one round, to see that all of it runs; written to bench/dist/quick
      --rounds <n>       how often each contestant runs (default: as the benchmark says, mostly 5)
      --photos <folder>  photos for the benchmark of that name (default: the photo indexer's sample album)
      --out <folder>     where the results go
      --list             the benchmarks, their parts and contestants
  -h, --help             this text

Exit codes: 0 all ran, whether or not they reached their bars; 1 something failed; 2 wrong usage; 130 interrupted
`;

/** @throws {Error} with a message for the person who typed it. */
export function readArguments(words: readonly string[], known: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
      rounds: { type: "string" },
      photos: { type: "string" },
      out: { type: "string" },
    },
  });
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`there is no benchmark "${unknown}". Benchmarks: ${known.join(", ")}`);
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isSafeInteger(rounds) && rounds > 0)) {
    throw new Error(`--rounds must be a whole number above 0, not ${values.rounds}`);
  }
  const { quick, list, help, photos, out } = values;
  return { names: positionals, quick, list, help, rounds, photos, out };
}
