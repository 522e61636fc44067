/** A bar chart as SVG. Its colours are readable on white and on GitHub's dark page, so that one file serves both. */
import { formatNumber } from "./markdown.js";

export interface PlotBar {
  readonly label: string;
  readonly value: number;
  readonly least: number;
  readonly greatest: number;
  /** Whether it is ours. */
  readonly accented: boolean;
}

export interface Plot {
  readonly title: string;
  /** Unit, and whether more or less is better. */
  readonly subtitle: string;
  readonly bars: readonly PlotBar[];
  readonly logarithmic: boolean;
}

/** Contrast of the texts to both pages is above 4 to 1, of the bars above 3 to 1; a test holds them to it. */
export const COLOURS = { text: "#73797f", accent: "#1f883d", bar: "#8c6fb8", whisker: "#73797f" } as const;

const WIDTH = 860;
/** Of a character of a label, at this size of letters, with room to spare. */
const CHARACTER_WIDTH = 7;
const LEAST_LABEL_WIDTH = 160;
const MOST_LABEL_WIDTH = 480;
const VALUE_WIDTH = 90;
const ROW_HEIGHT = 26;
const BAR_HEIGHT = 16;
const HEAD_HEIGHT = 54;
/** Of the axis: no bar is invisible on a logarithmic one. */
const SHORTEST = 0.02;

export function drawPlot({ title, subtitle, bars, logarithmic }: Plot): string {
  const height = HEAD_HEIGHT + bars.length * ROW_HEIGHT + 8;
  const scale = scaleOf(bars, logarithmic);
  const longest = Math.max(0, ...bars.map((bar) => bar.label.length)) * CHARACTER_WIDTH + 16;
  const labelWidth = Math.min(MOST_LABEL_WIDTH, Math.max(LEAST_LABEL_WIDTH, longest));
  const room = WIDTH - labelWidth - VALUE_WIDTH;
  const rows = bars.map((bar, row) => {
    const top = HEAD_HEIGHT + row * ROW_HEIGHT;
    const middle = top + BAR_HEIGHT / 2;
    const end = labelWidth + scale(bar.value) * room;
    const [from, to] = [labelWidth + scale(bar.least) * room, labelWidth + scale(bar.greatest) * room];
    return [
      text(labelWidth - 10, middle + 4, bar.label, { anchor: "end", bold: bar.accented }),
      `<rect x="${labelWidth}" y="${top}" width="${places(end - labelWidth)}" height="${BAR_HEIGHT}" rx="2" fill="${bar.accented ? COLOURS.accent : COLOURS.bar}"/>`,
      `<line x1="${places(from)}" x2="${places(to)}" y1="${middle}" y2="${middle}" stroke="${COLOURS.whisker}" stroke-width="1.5"/>`,
      text(Math.max(end, to) + 8, middle + 4, formatNumber(bar.value), { anchor: "start", bold: bar.accented }),
    ].join("\n  ");
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" font-family="-apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif" font-size="13">`,
    `  <title>${escapeXml(title)}</title>`,
    `  ${text(8, 20, title, { anchor: "start", bold: true, size: 15 })}`,
    `  ${text(8, 40, subtitle + (logarithmic ? "; logarithmic" : ""), { anchor: "start", bold: false })}`,
    ...rows.map((row) => `  ${row}`),
    "</svg>\n",
  ].join("\n");
}

/** From a value to its share of the axis, 0 to 1. */
function scaleOf(bars: readonly PlotBar[], logarithmic: boolean): (value: number) => number {
  const greatest = Math.max(...bars.map((bar) => Math.max(bar.value, bar.greatest)), Number.MIN_VALUE);
  if (!logarithmic) return (value) => Math.max(0, value / greatest);
  const least = Math.min(...bars.map((bar) => bar.least).filter((value) => value > 0), greatest);
  const span = Math.log(greatest / least) || 1;
  return (value) => (value <= 0 ? 0 : SHORTEST + (1 - SHORTEST) * (Math.log(value / least) / span));
}

interface TextStyle {
  readonly anchor: "start" | "end";
  readonly bold: boolean;
  readonly size?: number;
}

function text(x: number, y: number, content: string, { anchor, bold, size }: TextStyle): string {
  const weight = bold ? ' font-weight="600"' : "";
  const fontSize = size === undefined ? "" : ` font-size="${size}"`;
  return `<text x="${places(x)}" y="${places(y)}" text-anchor="${anchor}" fill="${COLOURS.text}"${weight}${fontSize}>${escapeXml(content)}</text>`;
}

function places(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escapeXml(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
