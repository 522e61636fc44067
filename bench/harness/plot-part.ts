/** The plot of a part: its first figure, a bar for each contestant. */
import type { Part } from "./benchmark.js";
import { drawPlot, type PlotBar } from "./plot.js";
import { figureOver, type Runs } from "./quantities.js";

/** Undefined where nothing ran. */
export function plotPart(part: Part, runs: Runs): string | undefined {
  const [figure] = part.figures;
  const bars = part.contestants.flatMap((contestant, place): PlotBar[] => {
    const { median, least, greatest, count } = figureOver(runs, contestant.name, figure.name);
    if (count === 0) return [];
    const accented = place === 0 || contestant.title.startsWith("Threadmill");
    return [{ label: plain(contestant.title), value: median, least, greatest, accented }];
  });
  if (bars.length === 0) return undefined;
  const better = figure.better === "neither" ? "" : `, ${figure.better} is better`;
  return drawPlot({
    title: plain(part.title),
    subtitle: `${figure.title}${better}`,
    bars,
    logarithmic: part.logarithmic === true,
  });
}

function plain(markdown: string): string {
  return markdown.replaceAll("`", "");
}
