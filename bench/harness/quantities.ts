/** From the figures of all rounds to the numbers that bars are about. Ratios are of the same round, then their median. */
import type { Bar, Figure, Figures, Part, Quantity } from "./benchmark.js";
import { summarise, type Summary } from "./statistics.js";

/** What one run came to: figures, or why there are none. */
export type Run =
  | { readonly status: "ran"; readonly figures: Figures }
  /** `skipped`: the program found that it has no place on this machine. */
  | { readonly status: "failed" | "skipped"; readonly why: string };

/** The runs of each contestant, by its name, in the order of the rounds. */
export type Runs = Readonly<Record<string, readonly Run[]>>;

/** One figure of one contestant over the rounds; without those in which it failed. */
export function figureOver(runs: Runs, contestant: string, figure: string): Summary {
  const values = (runs[contestant] ?? []).flatMap((run) => {
    const value = run.status === "ran" ? run.figures[figure] : undefined;
    return value === undefined ? [] : [value];
  });
  return summarise(values);
}

/** NaN, with a count of 0, where no round has all the figures that it takes. */
export function quantityOver(part: Pick<Part, "figures">, runs: Runs, quantity: Quantity): Summary {
  if (quantity.kind === "figure") return figureOver(runs, quantity.of, quantity.figure);
  const { figure, of } = quantity;
  const better = betterOf(part, figure);
  const opponents = quantity.kind === "speed" ? quantity.against : [quantity.against];
  const ratios: number[] = [];
  for (const [round] of (runs[of] ?? []).entries()) {
    const own = figureIn(runs, of, figure, round);
    const others = opponents.flatMap((name) => figureIn(runs, name, figure, round) ?? []);
    if (own === undefined || others.length === 0) continue;
    const best = better === "higher" ? Math.max(...others) : Math.min(...others);
    if (quantity.kind === "share") ratios.push(own / best);
    else ratios.push((better === "higher" ? own / best : best / own) / (quantity.divisor ?? 1));
  }
  return summarise(ratios);
}

/** Which of several opponents was the best, by the median: a bar against "the best of" says which one that was. */
export function bestOf(
  part: Pick<Part, "figures">,
  runs: Runs,
  figure: string,
  names: readonly string[],
): string | undefined {
  const better = betterOf(part, figure);
  let best: { name: string; value: number } | undefined;
  for (const name of names) {
    const { median: value, count } = figureOver(runs, name, figure);
    if (count === 0) continue;
    if (best === undefined || (better === "higher" ? value > best.value : value < best.value)) best = { name, value };
  }
  return best?.name;
}

export type Verdict = "reached" | "missed" | "not measured";

export function judge(
  { atLeast, atMost }: Pick<Bar, "atLeast" | "atMost">,
  { median: value, count }: Summary,
): Verdict {
  if (count === 0 || Number.isNaN(value)) return "not measured";
  if (atLeast !== undefined && value < atLeast) return "missed";
  if (atMost !== undefined && value > atMost) return "missed";
  return "reached";
}

function figureIn(runs: Runs, contestant: string, figure: string, round: number): number | undefined {
  const run = runs[contestant]?.[round];
  return run?.status === "ran" ? run.figures[figure] : undefined;
}

function betterOf(part: Pick<Part, "figures">, name: string): Figure["better"] {
  const figure = part.figures.find((one) => one.name === name);
  if (figure === undefined) throw new Error(`there is no figure ${name}`);
  return figure.better;
}
