/** The words that photos are labelled with. Facts of colour and light; what a photo shows would need a learned model. */

/** From and to. */
type Range = readonly [number, number];

/** A word, which pixels speak for it, and how many of them it takes. */
export interface LabelRule {
  readonly word: string;
  /** Degrees on the wheel of colours; from above to: across 0, which is red. */
  readonly hue?: Range;
  /** Of hue, saturation and lightness, each 0 to 1. */
  readonly saturation?: Range;
  readonly lightness?: Range;
  /** Of all pixels, 0 to 1. */
  readonly leastShare: number;
}

/** Another list is another key of the labels: nothing has to be cleared when it changes. */
export type Vocabulary = readonly LabelRule[];

const colour = (word: string, hue: Range): LabelRule => ({
  word,
  hue,
  saturation: [0.3, 1],
  lightness: [0.15, 0.85],
  leastShare: 0.2,
});

export const VOCABULARY: Vocabulary = [
  colour("red", [345, 15]),
  colour("orange", [15, 45]),
  colour("yellow", [45, 70]),
  colour("green", [70, 165]),
  colour("blue", [165, 255]),
  colour("violet", [255, 290]),
  colour("pink", [290, 345]),
  { word: "monochrome", saturation: [0, 0.08], leastShare: 0.97 },
  { word: "dark", lightness: [0, 0.25], leastShare: 0.6 },
  { word: "bright", lightness: [0.75, 1], leastShare: 0.6 },
];
