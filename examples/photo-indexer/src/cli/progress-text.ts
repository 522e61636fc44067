import type { RunProgress } from "../progress.js";
import { formatCount, formatDuration } from "../report/format.js";

const STAGES = {
  drawing: "Drawing",
  reading: "Indexing",
  comparing: "Comparing",
  labelling: "Labelling",
  publishing: "Publishing",
} as const;
const UNITS = {
  drawing: "pictures/s",
  reading: "photos/s",
  comparing: "blocks/s",
  labelling: "photos/s",
  publishing: "photos/s",
} as const;
const BAR_CELLS = 24;

/** One line for a terminal of `columns`; never longer, since a line that wraps cannot be overwritten. */
export function progressLine(progress: RunProgress, columns: number): string {
  const { stage, done, total, broken, perSecond, etaMs } = progress;
  const share = total === undefined || total === 0 ? 0 : Math.min(1, done / total);
  const filled = Math.round(share * BAR_CELLS);
  const bar = total === undefined ? "counting…".padEnd(BAR_CELLS) : "█".repeat(filled) + "░".repeat(BAR_CELLS - filled);
  const count = total === undefined ? formatCount(done) : `${formatCount(done)}/${formatCount(total)}`;
  const parts = [
    `${STAGES[stage].padEnd(10)} ${bar} ${count}`,
    broken > 0 ? `${formatCount(broken)} broken` : "",
    `${perSecond < 10 ? perSecond.toFixed(1) : formatCount(perSecond)} ${UNITS[stage]}`,
    done === total ? "" : etaMs === undefined ? "estimating…" : `${formatDuration(etaMs)} left`,
  ];
  return parts
    .filter((part) => part !== "")
    .join("  ")
    .slice(0, Math.max(1, columns - 1));
}

/** A line for a log: no bar, nothing is overwritten. */
export function progressLogLine({ stage, done, total, broken, perSecond }: RunProgress): string {
  const of = total === undefined ? "" : ` of ${formatCount(total)}`;
  const bad = broken > 0 ? `, ${formatCount(broken)} broken` : "";
  return `${STAGES[stage]}: ${formatCount(done)}${of}${bad}, ${formatCount(perSecond)} ${UNITS[stage]}`;
}
