/** The ready task `embed`: images through any ONNX encoder, many at a time. */
import { InvalidArgumentError } from "@threadmill/protocol";
import type { BatchContext } from "../context.js";
import { defineTask } from "../define-task.js";
import { imagePixels, type ImagePixelsOptions } from "./embed/image-pixels.js";
import { openModel, type ModelSession, type ModelSource } from "./embed/model-session.js";
import { pixelLayout, type PixelLayout } from "./embed/pixel-layout.js";
import { DEFAULT_MAX_FILE_BYTES, LARGEST_MAX_FILE_BYTES, type ImageItem } from "./image-item.js";
import { ItemError } from "./item-error.js";
import { openSharp, type SharpModule } from "./open-sharp.js";
import { OptionReader } from "./option-reader.js";
import { loadPeer } from "./optional-peer.js";

export { readModel } from "./embed/read-model.js";
export type { ModelSource } from "./embed/model-session.js";
export { ITEM_ERROR_CODES, ItemError, TransientItemError, type ItemErrorCode } from "./item-error.js";
export { PeerPackageError } from "./optional-peer.js";
export type { ImageItem } from "./image-item.js";

/** An image to decode, or pixels of the model's size: three bytes each (red, green, blue), row by row. */
export type EmbedItem = ImageItem | { readonly pixels: Uint8Array; readonly width: number; readonly height: number };

export interface EmbedOptions {
  /** A path, a `file:` URL as text, the bytes of the file, or what `readModel` returned (best for several threads). */
  readonly model: string | Uint8Array | SharedArrayBuffer;
  /** Size of the model's input. Pixels, 1 to 4096. Default: the model's own; needed where it leaves it open. */
  readonly width?: number;
  readonly height?: number;
  /** Order of the model's dimensions. Default: where the model says 3, else `NCHW`. */
  readonly layout?: "NCHW" | "NHWC";
  /** Default `RGB`. */
  readonly channelOrder?: "RGB" | "BGR";
  /** Checked against the model's declared type, which is the default. A `uint8` model gets the bytes as they are. */
  readonly dtype?: "float32" | "float16" | "uint8";
  /** A byte becomes (byte × scale − mean) ÷ deviation. Default 1/255. */
  readonly scale?: number;
  /** One number, or one for each of red, green, blue. Default 0. */
  readonly mean?: number | readonly [number, number, number];
  /** One number, or one for each of red, green, blue, none of them 0. Default 1. */
  readonly deviation?: number | readonly [number, number, number];
  /** How an image meets the input's box: `fill` (default; stretched), `cover` (cut), `contain` (mid-grey borders). */
  readonly fit?: "fill" | "cover" | "contain";
  /** Default: the model's first. */
  readonly inputName?: string;
  readonly outputName?: string;
  /** Whether each answer is scaled to length 1, so that a dot product is a cosine. Default false. An all-zero one stays. */
  readonly l2?: boolean;
  /** Images in one run of the model, where it takes any number. 1 to 64, default 16. */
  readonly maxBatchItems?: number;
  /** As of `thumbnail`. Pixels; default 50 million. */
  readonly limitInputPixels?: number;
  /** Larger files fail with `FILE_TOO_LARGE`. Bytes, 1 to 2^31 - 1. Default 256 MiB. */
  readonly maxFileBytes?: number;
  /** Longest decode of one image. Seconds, 1 to 3600. Default 30. */
  readonly timeoutSeconds?: number;
  /** Whether a path that ends in a symbolic link is followed. Default false: it fails with `NOT_A_FILE`. */
  readonly followSymlinks?: boolean;
}

/** Items in one message to a thread, and so the most that a cancel has to wait for: one run of the model of them. */
const MAX_BATCH_ITEMS = 64;
/** Images that one thread decodes at once: as many as libuv has threads by default. */
const DECODES_AT_ONCE = 4;

/**
 * Turns images into vectors. A result is a Float32Array of the model's output for that image, flattened, in memory of
 * its own that is handed over without a copy; float16 answers are converted.
 *
 * The images of a batch go through the model together where it takes any number, and one by one (or by its own fixed
 * number) where it does not. If a joint run fails, each of its images is tried alone, so that one cannot spoil others.
 * A bad image fails only itself, with the codes of `thumbnail`; `INFERENCE_FAILED` is the model's.
 *
 * A cancel is seen between decodes, before each run and between one-by-one runs, not inside a run: the thread is in
 * native code there, and is never terminated.
 *
 * `setup` fails, and with it the job, if the model cannot be used as told; the message names the model, what was
 * expected and what was found. Needs the package onnxruntime-node (1.23 or later), and sharp for items that are not
 * `pixels` already; sharp is loaded for the first of them.
 *
 * ONNX Runtime from 1.29 on reports its use to its maker unless `ORT_DISABLE_TELEMETRY=1` is in the environment of the
 * process before its first session. A thread cannot set that: the application has to, if it wants it.
 */
export const embed = defineTask({
  setup: async (options: EmbedOptions): Promise<Encoder> => {
    const settings = readSettings(options);
    const ort = await loadPeer("embed", "onnxruntime-node", () => import("onnxruntime-node"));
    const model = await openModel(ort, settings);
    const { width, height, dtype } = model;
    if (dtype === "uint8" && (settings.scaled || settings.mean !== undefined || settings.deviation !== undefined)) {
      await model.release();
      throw new InvalidArgumentError("embed: the model takes uint8; scale, mean and deviation do not go with it");
    }
    return {
      model,
      layout: pixelLayout({
        ...model,
        channelOrder: settings.channelOrder,
        scale: settings.scale,
        mean: settings.mean ?? [0, 0, 0],
        deviation: settings.deviation ?? [1, 1, 1],
      }),
      decode: { ...settings.decode, width, height },
      l2: settings.l2,
      runItems: model.fixedBatch ?? settings.maxBatchItems,
      sharp: undefined,
    };
  },
  teardown: (encoder) => encoder.model.release(),
  maxBatchItems: MAX_BATCH_ITEMS,
  native: true,
  batch: async (items: EmbedItem[], ctx): Promise<Float32Array[]> => {
    const encoder = ctx.resource;
    const results: Float32Array[] = Array.from(items, () => EMPTY);
    // A run's worth at a time: the memory for pixels is bounded, and a cancel is seen between runs.
    for (let from = 0, to = 0; from < items.length; from = to) {
      to = Math.min(from + encoder.runItems, items.length);
      ctx.throwIfCancelled();
      const decoded = await decodeAll(items, from, to, ctx);
      ctx.throwIfCancelled();
      await infer(encoder, decoded, results, ctx);
    }
    return results;
  },
});

export default embed;

/** Stands at the place of an item that failed; the runner ignores it. */
const EMPTY = new Float32Array(0);

/** What a thread keeps warm. */
interface Encoder {
  readonly model: ModelSession;
  readonly layout: PixelLayout;
  readonly decode: ImagePixelsOptions;
  readonly l2: boolean;
  /** Images in one run; falls to 1 once a joint run has failed whose images went through alone. */
  runItems: number;
  /** Loaded for the first item that is not pixels. */
  sharp: Promise<SharpModule> | undefined;
}

type Context = BatchContext<Encoder, EmbedOptions>;

/** An image that is ready for the model, and its place in the batch. */
interface Decoded {
  readonly position: number;
  readonly rgb: Uint8Array;
}

/** Decodes a run's items, some at once; those that fail are failed here, and left out. */
async function decodeAll(items: readonly EmbedItem[], from: number, to: number, ctx: Context): Promise<Decoded[]> {
  const pixels: (Uint8Array | undefined)[] = [];
  let next = from;
  const lane = async (): Promise<void> => {
    while (next < to && !ctx.cancelled) {
      const position = next++;
      try {
        pixels[position - from] = await readPixels(items[position] as EmbedItem, ctx);
      } catch (error) {
        // On a cancel the whole batch is given up by the caller; that is no fault of this item.
        if (!ctx.cancelled) ctx.fail(position, error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(DECODES_AT_ONCE, to - from) }, lane));
  return pixels.flatMap((rgb, i) => (rgb === undefined ? [] : [{ position: from + i, rgb }]));
}

async function readPixels(item: EmbedItem, ctx: Context): Promise<Uint8Array> {
  const encoder = ctx.resource;
  if (typeof item === "object" && item !== null && "pixels" in item) return checkPixels(item, encoder.decode);
  encoder.sharp ??= openSharp("embed");
  return imagePixels(await encoder.sharp, item, encoder.decode, ctx);
}

function checkPixels(item: Extract<EmbedItem, { pixels: unknown }>, wanted: ImagePixelsOptions): Uint8Array {
  const { pixels, width, height } = item;
  const size = `${wanted.width} × ${wanted.height}`;
  if (!(pixels instanceof Uint8Array)) throw new ItemError("INVALID_ITEM", "pixels must be a Uint8Array");
  if (width !== wanted.width || height !== wanted.height) {
    throw new ItemError("INVALID_ITEM", `pixels are ${width} × ${height}; the model takes ${size}`);
  }
  const wantedBytes = 3 * width * height;
  if (pixels.byteLength === wantedBytes) return pixels;
  throw new ItemError("INVALID_ITEM", `pixels of ${size} in RGB are ${wantedBytes} bytes, not ${pixels.byteLength}`);
}

/** Runs the model on one run's images and puts the answers in their places. */
async function infer(
  encoder: Encoder,
  images: readonly Decoded[],
  results: Float32Array[],
  ctx: Context,
): Promise<void> {
  if (images.length === 0) return;
  try {
    await inferTogether(encoder, images, results, ctx);
    return;
  } catch (error) {
    if (ctx.cancelled) throw error;
    const [only, second] = images;
    if (only !== undefined && second === undefined) {
      ctx.fail(only.position, inferenceError(error));
      return;
    }
  }
  let mended = true;
  for (const image of images) {
    ctx.throwIfCancelled();
    try {
      await inferTogether(encoder, [image], results, ctx);
    } catch (error) {
      mended = false;
      ctx.fail(image.position, inferenceError(error));
    }
  }
  // Some exports declare an open batch and then reshape to one image: do not ask them again.
  if (mended && encoder.model.fixedBatch === undefined) encoder.runItems = 1;
}

async function inferTogether(
  { model, layout, l2 }: Encoder,
  images: readonly Decoded[],
  results: Float32Array[],
  ctx: Context,
): Promise<void> {
  // A model with a fixed batch gets zeros for the images that are missing, and their answers are dropped.
  const count = model.fixedBatch ?? images.length;
  const input = layout.allocate(count);
  images.forEach(({ rgb }, i) => layout.write(input, i, rgb));
  const answer = await ctx.native(() => model.run(input, count));
  const length = answer.length / count;
  images.forEach(({ position }, i) => {
    // A slice of its own: a view would take the whole run's answers along to the main thread.
    const vector = answer.slice(i * length, (i + 1) * length);
    if (!l2 || normalise(vector)) results[position] = ctx.transfer(vector);
    else ctx.fail(position, inferenceError(new Error("the answer has numbers that are not finite")));
  });
}

/** Scales to length 1, in place; false where a number is not finite. */
function normalise(vector: Float32Array): boolean {
  let sum = 0;
  for (const value of vector) sum += value * value;
  if (!Number.isFinite(sum)) return false;
  if (sum === 0) return true;
  const factor = 1 / Math.sqrt(sum);
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] as number) * factor;
  return true;
}

function inferenceError(cause: unknown): ItemError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new ItemError("INFERENCE_FAILED", `the model failed on this image: ${message}`, { cause });
}

function readSettings(options: EmbedOptions) {
  const reader = new OptionReader("embed", options);
  const scale = reader.number("scale", undefined, { min: -1e6, max: 1e6 });
  const settings = {
    model: readModelOption(reader),
    width: reader.wholeNumber("width", undefined, { min: 1, max: 4096 }),
    height: reader.wholeNumber("height", undefined, { min: 1, max: 4096 }),
    layout: reader.oneOf("layout", ["NCHW", "NHWC"], undefined),
    channelOrder: reader.oneOf("channelOrder", ["RGB", "BGR"], "RGB"),
    dtype: reader.oneOf("dtype", ["float32", "float16", "uint8"], undefined),
    scaled: scale !== undefined,
    scale: scale ?? 1 / 255,
    mean: readPerChannel(reader, "mean", "a finite number or three of them", Number.isFinite),
    deviation: readPerChannel(reader, "deviation", "a number other than 0, or three of them", isDivisor),
    inputName: reader.string("inputName", undefined),
    outputName: reader.string("outputName", undefined),
    l2: reader.boolean("l2", false),
    maxBatchItems: reader.wholeNumber("maxBatchItems", 16, { min: 1, max: MAX_BATCH_ITEMS }),
    decode: {
      fit: reader.oneOf("fit", ["fill", "cover", "contain"], "fill"),
      limitInputPixels: reader.wholeNumber("limitInputPixels", 50_000_000, { min: 1, max: 2 ** 31 - 1 }),
      maxFileBytes: reader.wholeNumber("maxFileBytes", DEFAULT_MAX_FILE_BYTES, { min: 1, max: LARGEST_MAX_FILE_BYTES }),
      timeoutSeconds: reader.wholeNumber("timeoutSeconds", 30, { min: 1, max: 3600 }),
      followSymlinks: reader.boolean("followSymlinks", false),
    },
  };
  reader.done();
  return settings;
}

function readModelOption(reader: OptionReader): ModelSource {
  const value = reader.raw("model");
  if (typeof value === "string" && value !== "") return value;
  if (value instanceof Uint8Array || value instanceof SharedArrayBuffer) return value;
  return reader.refuse("model", value, "a path, a file URL as text, a Uint8Array or a SharedArrayBuffer");
}

function readPerChannel(
  reader: OptionReader,
  name: string,
  wanted: string,
  accepts: (value: unknown) => boolean,
): readonly [number, number, number] | undefined {
  const value = reader.raw(name);
  if (value === undefined) return undefined;
  const values: unknown[] = Array.isArray(value) ? value : [value, value, value];
  if (values.length !== 3 || !values.every(accepts)) return reader.refuse(name, value, wanted);
  return values as [number, number, number];
}

function isDivisor(value: unknown): boolean {
  return Number.isFinite(value) && value !== 0;
}
