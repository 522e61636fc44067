import type { LabelRule, Vocabulary } from "./vocabulary.js";

/** The words of the vocabulary that hold for a picture, in its order. `rgb` has three bytes for each pixel. */
export function matchLabels(rgb: Uint8Array, vocabulary: Vocabulary): string[] {
  const counts = vocabulary.map(() => 0);
  const pixels = Math.floor(rgb.length / 3);
  for (let at = 0; at < pixels * 3; at += 3) {
    const pixel = toHsl((rgb[at] ?? 0) / 255, (rgb[at + 1] ?? 0) / 255, (rgb[at + 2] ?? 0) / 255);
    vocabulary.forEach((rule, place) => {
      if (speaksFor(pixel, rule)) counts[place] = (counts[place] ?? 0) + 1;
    });
  }
  return vocabulary.flatMap(({ word, leastShare }, place) =>
    pixels > 0 && (counts[place] ?? 0) >= leastShare * pixels ? [word] : [],
  );
}

interface Hsl {
  readonly hue: number;
  readonly saturation: number;
  readonly lightness: number;
}

function speaksFor(pixel: Hsl, { hue, saturation, lightness }: LabelRule): boolean {
  return isIn(pixel.saturation, saturation) && isIn(pixel.lightness, lightness) && isIn(pixel.hue, hue);
}

function isIn(value: number, range: readonly [number, number] | undefined): boolean {
  if (range === undefined) return true;
  const [from, to] = range;
  return from <= to ? value >= from && value <= to : value >= from || value <= to;
}

function toHsl(red: number, green: number, blue: number): Hsl {
  const most = Math.max(red, green, blue);
  const least = Math.min(red, green, blue);
  const spread = most - least;
  const lightness = (most + least) / 2;
  if (spread === 0) return { hue: 0, saturation: 0, lightness };
  const saturation = spread / (1 - Math.abs(2 * lightness - 1));
  const sixth =
    most === red ? (green - blue) / spread : most === green ? (blue - red) / spread + 2 : (red - green) / spread + 4;
  return { hue: (sixth * 60 + 360) % 360, saturation, lightness };
}
