/** References to the tasks of the pipeline. Types only: no task module is loaded on the main thread. */
import { task } from "@threadmill/engine";
import type { contentHash } from "@threadmill/workers/content-hash";
import type { embed } from "@threadmill/workers/embed";
import type { imageInfo } from "@threadmill/workers/image-info";
import type { thumbnail } from "@threadmill/workers/thumbnail";
import type { compareVectors } from "../tasks/compare-vectors.js";
import type { drawPlates } from "../tasks/draw-plates.js";
import type { labelPhoto } from "../tasks/label-photo.js";

/** The ready tasks come from the package; ours are beside this file's folder. */
export const TASKS = {
  contentHash: task<typeof contentHash>(packaged("content-hash"), "contentHash"),
  imageInfo: task<typeof imageInfo>(packaged("image-info"), "imageInfo"),
  thumbnail: task<typeof thumbnail>(packaged("thumbnail"), "thumbnail"),
  embed: task<typeof embed>(packaged("embed"), "embed"),
  compareVectors: task<typeof compareVectors>(own("compare-vectors"), "compareVectors"),
  drawPlates: task<typeof drawPlates>(own("draw-plates"), "drawPlates"),
  labelPhoto: task<typeof labelPhoto>(own("label-photo"), "labelPhoto"),
} as const;

function packaged(name: string): URL {
  return new URL(import.meta.resolve(`@threadmill/workers/${name}`));
}

function own(name: string): URL {
  return new URL(`../tasks/${name}.js`, import.meta.url);
}
