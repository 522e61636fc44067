/** Markdown tables, aligned as Prettier aligns them, and numbers as people read them. */

export type Align = "left" | "right";

/** A table with as many columns as it has heads. */
export function table(
  heads: readonly string[],
  aligns: readonly Align[],
  rows: readonly (readonly string[])[],
): string {
  const widths = heads.map((head, column) =>
    Math.max(3, ...[head, ...rows.map((row) => row[column] ?? "")].map((one) => one.length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((one, column) => pad(one, widths[column] ?? 0, aligns[column] ?? "left")).join(" | ")} |`;
  const rule = widths.map((width, column) =>
    aligns[column] === "right" ? `${"-".repeat(width - 1)}:` : "-".repeat(width),
  );
  return [line(heads), line(rule), ...rows.map(line)].join("\n");
}

function pad(text: string, width: number, align: Align): string {
  const blank = " ".repeat(Math.max(0, width - text.length));
  return align === "right" ? blank + text : text + blank;
}

/** Text that stands in a cell. */
export function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll(/\s+/g, " ");
}

/** Three significant digits, thousands apart: 0.0123, 1.23, 45.6, 12,300. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const rounded = Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
  return rounded.toLocaleString("en-US", { maximumFractionDigits: 20 });
}
