import { createHash } from "node:crypto";
import type { EmbedOptions } from "@threadmill/workers/embed";
import { INPUT_NAME, INPUT_SIZE, OUTPUT_NAME, buildGaborModel } from "./gabor-graph.js";

/** A model and all that the indexer must know to use it. */
export interface Model {
  /** For reports. */
  readonly name: string;
  /** Changes whenever an answer could: content of the file, and how it is fed. */
  readonly key: string;
  /** Size of the pictures it is shown. Pixels. */
  readonly width: number;
  readonly height: number;
  /** Options of the ready task `embed`, the model's bytes included: in shared memory, read once for all threads. */
  readonly embed: EmbedOptions;
  /** From this cosine on two pictures are near duplicates. */
  readonly nearThreshold: number;
}

/**
 * Where near duplicates begin with the default model. Measured on 95 real photos × 23 edits (209,855 wrong pairs, scenes
 * of one holiday among them): the highest wrong pair is at 0.986, so none of them passes. Found are all of re-encoded
 * (JPEG 75), halved, blurred, sharpened, stretched and 5 % cropped copies, 0.98 of 20 % crops, 0.93 of JPEG 20, 0.77 of
 * 30 % crops, and few that were turned by 2° (0.27) or mirrored (0.03). On the sample album the highest wrong pair is at
 * 0.986 too, the lowest planted one at 0.996.
 */
const DEFAULT_NEAR_THRESHOLD = 0.99;

/** The model that comes with the indexer: built here and now, in a few milliseconds. */
export function defaultModel(): Model {
  const bytes = sharedCopy(buildGaborModel());
  const embed: EmbedOptions = {
    model: bytes,
    inputName: INPUT_NAME,
    outputName: OUTPUT_NAME,
    layout: "NHWC",
    dtype: "uint8",
  };
  return {
    name: "gabor-pyramid (built in)",
    key: modelKey(bytes, embed),
    width: INPUT_SIZE,
    height: INPUT_SIZE,
    // The graph ends at length 1 itself, and keeps pictures that show nothing short.
    embed,
    nearThreshold: DEFAULT_NEAR_THRESHOLD,
  };
}

/** A key of the model's content and of the settings that it is used with. */
export function modelKey(bytes: SharedArrayBuffer, settings: EmbedOptions): string {
  const { model: _bytes, ...rest } = settings;
  const sorted = Object.entries(rest).toSorted(([a], [b]) => (a < b ? -1 : 1));
  // A copy: a hash does not take shared memory, which could change under it.
  return createHash("sha256")
    .update(new Uint8Array(bytes).slice())
    .update(JSON.stringify(sorted))
    .digest("hex")
    .slice(0, 32);
}

function sharedCopy(bytes: Uint8Array): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(bytes.byteLength);
  new Uint8Array(shared).set(bytes);
  return shared;
}
