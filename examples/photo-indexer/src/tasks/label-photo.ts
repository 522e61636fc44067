import { defineTask } from "@threadmill/workers";
import sharp from "sharp";
import { matchLabels } from "../labels/match.js";
import type { Vocabulary } from "../labels/vocabulary.js";

export interface LabelOptions {
  readonly vocabulary: Vocabulary;
}

export interface LabelItem {
  /** Absolute path. */
  readonly thumbnail: string;
  /** Of the photo: what its labels are kept under. */
  readonly sha256: string;
}

/** So many pixels to a side are enough for colours. */
const SIDE = 32;

/** Looks at a thumbnail, and answers the words that hold for it. */
export const labelPhoto = defineTask({
  setup: (_options: LabelOptions): void => {
    sharp.concurrency(1);
    sharp.cache(false);
  },
  // While one thumbnail is decoded in libuv's threads, another is looked at in this one.
  concurrency: 4,
  item: async ({ thumbnail }: LabelItem, ctx): Promise<readonly string[]> => {
    const rgb = await sharp(thumbnail)
      .flatten({ background: "#808080" })
      .toColourspace("srgb")
      .resize(SIDE, SIDE, { fit: "fill" })
      .raw()
      .toBuffer();
    return matchLabels(rgb, ctx.options.vocabulary);
  },
});
