import type { BrokenFile } from "../catalog/records.js";
import { formatBytes, formatCount, formatDuration, plural, printable } from "../report/format.js";
import type { RunReport } from "../report/report.js";

/** A terminal can take this many names; the rest is in `index.json`. */
const MAX_BROKEN_SHOWN = 1000;

/** What a person wants to read when the run is over. */
export function summaryText(report: RunReport): string {
  const { counts, exactDuplicates: exact, nearDuplicates: near, passedOver } = report;
  const rows: [string, string][] = [
    ["Photos", `${formatCount(report.photos)} in the index (${plural(report.distinctContents, "different content")})`],
    ["Work", workText(report)],
    ["Speed", speedText(report)],
    [
      "Duplicates",
      exact.groups === 0
        ? "no exact ones"
        : `${plural(exact.groups, "group")} of exact ones, ${plural(exact.extraFiles, "file")} (${formatBytes(exact.extraBytes)}) could go`,
    ],
    [
      "Alike",
      near.groups === 0
        ? "no near duplicates"
        : `${plural(near.groups, "group")} of near duplicates, ${plural(near.extraFiles, "photo")} beside the best ones`,
    ],
    [
      "Broken",
      counts.broken === 0
        ? "none"
        : `${plural(counts.broken, "file")}, listed ${report.broken.length > 0 ? "below" : "in the index"}`,
    ],
    ["Passed over", passedOverText(passedOver)],
    ["Index", report.index],
    ["Catalog", report.catalog],
    ["Contact sheet", report.contactSheet],
  ];
  const shown = rows.filter(([, text]) => text !== "");
  const width = Math.max(...shown.map(([name]) => name.length));
  const table = shown.map(([name, text]) => `  ${name.padEnd(width)}  ${printable(text)}`).join("\n");
  const broken = brokenText(report.broken);
  const title = `Indexed ${printable(report.album)} in ${formatDuration(report.elapsedMs)}`;
  return `${title}\n\n${table}\n${broken === "" ? "" : `\n${broken}`}`;
}

/** The broken files by reason, each by name. Empty where there are none. */
export function brokenText(broken: readonly BrokenFile[]): string {
  if (broken.length === 0) return "";
  const byCode = new Map<string, BrokenFile[]>();
  for (const file of broken.slice(0, MAX_BROKEN_SHOWN)) {
    const files = byCode.get(file.code) ?? [];
    files.push(file);
    byCode.set(file.code, files);
  }
  const remembered = broken.filter((file) => file.remembered).length;
  const note = remembered > 0 ? `, ${formatCount(remembered)} known from before (--retry-failed tries them again)` : "";
  const lines = [`Broken files (${formatCount(broken.length)}${note}):`];
  for (const [code, files] of [...byCode].toSorted(([, a], [, b]) => b.length - a.length)) {
    lines.push(`  ${titleOf(code)} (${formatCount(files.length)})`);
    for (const { path, reason } of files) lines.push(`    ${printable(path)}: ${printable(reason)}`);
  }
  if (broken.length > MAX_BROKEN_SHOWN)
    lines.push(`  … and ${formatCount(broken.length - MAX_BROKEN_SHOWN)} more in index.json`);
  return `${lines.join("\n")}\n`;
}

const TITLES: Readonly<Record<string, string>> = {
  FILE_EMPTY: "Empty",
  FILE_UNREADABLE: "Cannot be read",
  FOLDER_UNREADABLE: "Folders that cannot be read",
  FILE_CHANGED: "Written to while they were read",
  FILE_TOO_LARGE: "Too many bytes",
  NOT_A_FILE: "Not a regular file",
  NOT_AN_IMAGE: "Not an image",
  UNSUPPORTED_FORMAT: "Formats that this indexer cannot read",
  IMAGE_CORRUPT: "Damaged or cut short",
  IMAGE_TOO_LARGE: "Too many pixels",
  IMAGE_TIMEOUT: "Took too long",
  TASK_TIMEOUT: "Took too long",
  OUT_OF_MEMORY: "Not enough memory",
  INFERENCE_FAILED: "The model failed on them",
  THREAD_LOST: "Took their thread down",
  TOO_DEEP: "Nested too deep",
};

function titleOf(code: string): string {
  return TITLES[code] ?? code;
}

function workText({ counts }: RunReport): string {
  const parts = [
    counts.described > 0 ? `${formatCount(counts.described)} read and described` : "",
    counts.recognised > 0 ? `${formatCount(counts.recognised)} recognised by content` : "",
    counts.unchanged > 0 ? `${formatCount(counts.unchanged)} unchanged since the last run` : "",
  ];
  return parts.filter((part) => part !== "").join(", ") || "nothing to do";
}

function speedText({ counts, photosPerSecond, readingMs }: RunReport): string {
  if (counts.described === 0) return "";
  return `${photosPerSecond.toFixed(photosPerSecond < 10 ? 1 : 0)} photos a second (${formatCount(counts.described)} in ${formatDuration(readingMs)})`;
}

function passedOverText(tally: RunReport["passedOver"]): string {
  const parts = [
    tally.otherFiles > 0 ? plural(tally.otherFiles, "other file") : "",
    tally.hidden > 0 ? `${formatCount(tally.hidden)} hidden` : "",
    tally.links > 0 ? plural(tally.links, "symbolic link") : "",
    tally.special > 0 ? plural(tally.special, "device or pipe", "devices or pipes") : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}
