/** The ready task `thumbnail`: small pictures of large ones, and optionally a model's input from the same decode. */
import { InvalidArgumentError } from "@threadmill/protocol";
import type { Sharp } from "sharp";
import { defineTask } from "../define-task.js";
import { checkFormat, imageError } from "./image-error.js";
import {
  DEFAULT_MAX_FILE_BYTES,
  LARGEST_MAX_FILE_BYTES,
  readImage,
  type ImageBytes,
  type ImageItem,
} from "./image-item.js";
import { ItemError } from "./item-error.js";
import { openSharp, type SharpModule } from "./open-sharp.js";
import { OptionReader } from "./option-reader.js";
import { PixelBudget } from "./pixel-budget.js";

export { ITEM_ERROR_CODES, ItemError, TransientItemError, type ItemErrorCode } from "./item-error.js";
export { PeerPackageError } from "./optional-peer.js";
export type { ImageItem } from "./image-item.js";

export interface ThumbnailOptions {
  /** Width of the box that the thumbnail is fitted to. Pixels, 1 to 4096. Default 256. */
  readonly width?: number;
  /** Height of the box. Pixels, 1 to 4096. Default: `width`, so that a thumbnail is bounded whatever its shape. */
  readonly height?: number;
  /**
   * How the picture meets the box: `inside` (default; whole, in proportion), `cover` (fills the box, cut at the edges),
   * `contain` (whole, with borders of `background`), `fill` (stretched).
   */
  readonly fit?: "inside" | "cover" | "contain" | "fill";
  /** Whether small pictures are enlarged to the box. Default false. */
  readonly enlarge?: boolean;
  /** Default `webp`. `avif` takes about ten times as long to write. */
  readonly format?: "webp" | "jpeg" | "avif";
  /** 1 to 100. Default 80; for `avif` 50, which looks alike. */
  readonly quality?: number;
  /** Behind transparent parts in `jpeg`, and the borders of `contain`: a colour as in CSS. Default `#ffffff`. */
  readonly background?: string;
  /**
   * Also answers the picture's raw pixels at this size, stretched: what a model wants, from the same decode. The path is
   * fixed so that the numbers are comparable: 512 pixels at the most, then Lanczos 3, 8-bit sRGB, transparent parts over
   * mid grey. (They do not depend on `format`, `quality` or `background`; where a thumbnail asks for more than 512
   * pixels, the larger decode is reduced to 512 first, which moves values by about 0.6 of 255.)
   */
  readonly pixels?: {
    /** Pixels, 1 to 512. */
    readonly width: number;
    /** Pixels, 1 to 512. Default: `width`. */
    readonly height?: number;
  };
  /**
   * Larger pictures fail with `IMAGE_TOO_LARGE` before anything is decoded, and the pictures that one thread decodes at
   * the same time have no more than this together. Pixels (width × height), 1 to 2^31 - 1. Default 50 million: a file of
   * 249 KB can hold 256 million, which cost 846 MB decoded.
   */
  readonly limitInputPixels?: number;
  /** Larger files fail with `FILE_TOO_LARGE`. Bytes, 1 to 2^31 - 1. Default 256 MiB. */
  readonly maxFileBytes?: number;
  /**
   * A picture whose decode, or whose encoding, takes longer fails with `IMAGE_TIMEOUT`. Seconds, 1 to 3600. Default 30.
   * Waiting for a thread of libuv does not count.
   */
  readonly timeoutSeconds?: number;
  /**
   * From which damage on a picture fails. Default `warning`, which is right for strangers' files; `none` makes what it
   * can of truncated ones.
   */
  readonly failOn?: "none" | "truncated" | "error" | "warning";
  /** Whether a path that ends in a symbolic link is followed. Default false: it fails with `NOT_A_FILE`. */
  readonly followSymlinks?: boolean;
}

/** A picture's raw pixels: three bytes each (red, green, blue), row by row from the top left. */
export interface RawPixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

export interface Thumbnail {
  /** The encoded file, handed over without a copy. */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly format: "webp" | "jpeg" | "avif";
  /** Size of the picture that it was made from, as it is looked at (after its orientation). Pixels. */
  readonly sourceWidth: number;
  readonly sourceHeight: number;
  /** With the option `pixels`. */
  readonly pixels?: RawPixels;
}

/** The long side of the decode that a model's pixels come from. */
const MODEL_DECODE_PIXELS = 512;
const MID_GREY = { r: 128, g: 128, b: 128 };

/**
 * Makes thumbnails: turned upright by EXIF, sRGB, without metadata. Of animations and documents the first page is used.
 * JPEG and WebP are shrunk while they are decoded, which is most of the speed.
 *
 * A picture that cannot be used fails alone, with a code: `UNSUPPORTED_FORMAT` names what sharp cannot read (HEIC, camera
 * raw, PSD, …), `IMAGE_CORRUPT`, `IMAGE_TOO_LARGE`, `NOT_AN_IMAGE`, `FILE_EMPTY`, `FILE_TOO_LARGE`, `FILE_UNREADABLE`,
 * `NOT_A_FILE` are final; `IMAGE_TIMEOUT` and `OUT_OF_MEMORY` may be retried. libvips keeps one log of errors for all
 * threads: of pictures that fail at the same moment one may get another's text, and `IMAGE_CORRUPT` in the place of
 * `UNSUPPORTED_FORMAT` or the other way round. A cancel is seen before the decode, between
 * it and the encoding, but not inside either: libvips cannot be stopped.
 *
 * Needs the package sharp (0.35 or later) in the application. All threads share libuv's pool: start Node with
 * `UV_THREADPOOL_SIZE` at least as large as the engine's `threads`.
 */
export const thumbnail = defineTask({
  setup: async (options: ThumbnailOptions | undefined) => {
    const settings = readSettings(options);
    const sharp = await openSharp("thumbnail");
    checkColour(sharp, settings.background);
    return { settings, sharp, budget: new PixelBudget(settings.limitInputPixels) };
  },
  // sharp works in libuv's threads: one item is decoded while another is read and a third is encoded.
  concurrency: 4,
  native: true,
  item: async (item: ImageItem, ctx): Promise<Thumbnail> => {
    const { settings, sharp, budget } = ctx.resource;
    const source = await readImage(item, settings, ctx, (head, label) => {
      checkFormat(sharp, head, label, "pixels");
      return true;
    });
    const format = checkFormat(sharp, source.bytes, source.label, "pixels");
    ctx.throwIfCancelled();
    try {
      const size = await readSize(sharp, source, settings);
      // JPEG and WebP are shrunk while they are decoded. A photo counts half, since a progressive one is held whole.
      const shrinks = format.loader === "jpeg" || format.loader === "webp";
      return await budget.spend((size.width * size.height) / (shrinks ? 2 : 1), async () => {
        ctx.throwIfCancelled();
        if (settings.pixels === undefined) {
          const decode = sharp(source.bytes, inputOptions(settings));
          const small = await encode(decode, settings, size);
          return { ...small, data: ctx.transfer(small.data) };
        }
        const decoded = await decodeOnce(sharp, source, settings, size);
        ctx.throwIfCancelled();
        const [small, pixels] = await Promise.all([
          encode(fromRaw(sharp, decoded), settings, size),
          modelPixels(sharp, decoded, settings.pixels),
        ]);
        return { ...small, data: ctx.transfer(small.data), pixels: { ...pixels, data: ctx.transfer(pixels.data) } };
      });
    } catch (error) {
      if (error instanceof ItemError || ctx.cancelled) throw error;
      throw imageError(error, source.label, format);
    }
  },
});

export default thumbnail;

type Settings = ReturnType<typeof readSettings>;

function readSettings(options: ThumbnailOptions | undefined) {
  const reader = new OptionReader("thumbnail", options);
  const width = reader.wholeNumber("width", 256, { min: 1, max: 4096 });
  const format = reader.oneOf("format", ["webp", "jpeg", "avif"], "webp");
  const pixels = reader.nested("pixels");
  const settings = {
    width,
    height: reader.wholeNumber("height", width, { min: 1, max: 4096 }),
    fit: reader.oneOf("fit", ["inside", "cover", "contain", "fill"], "inside"),
    enlarge: reader.boolean("enlarge", false),
    format,
    quality: reader.wholeNumber("quality", format === "avif" ? 50 : 80, { min: 1, max: 100 }),
    background: reader.string("background", "#ffffff"),
    pixels: pixels === undefined ? undefined : readPixelSize(pixels),
    limitInputPixels: reader.wholeNumber("limitInputPixels", 50_000_000, { min: 1, max: 2 ** 31 - 1 }),
    maxFileBytes: reader.wholeNumber("maxFileBytes", DEFAULT_MAX_FILE_BYTES, { min: 1, max: LARGEST_MAX_FILE_BYTES }),
    timeoutSeconds: reader.wholeNumber("timeoutSeconds", 30, { min: 1, max: 3600 }),
    failOn: reader.oneOf("failOn", ["none", "truncated", "error", "warning"], "warning"),
    followSymlinks: reader.boolean("followSymlinks", false),
  };
  reader.done();
  return settings;
}

function readPixelSize(reader: OptionReader): { width: number; height: number } {
  const width = reader.wholeNumber("width", undefined, { min: 1, max: MODEL_DECODE_PIXELS });
  if (width === undefined) return reader.refuse("width", width, `a whole number from 1 to ${MODEL_DECODE_PIXELS}`);
  const height = reader.wholeNumber("height", width, { min: 1, max: MODEL_DECODE_PIXELS });
  reader.done();
  return { width, height };
}

/** Only sharp knows which colours it reads. */
function checkColour(sharp: SharpModule, background: string): void {
  try {
    sharp({ create: { width: 1, height: 1, channels: 3, background } });
  } catch (cause) {
    const text = `thumbnail: option background must be a colour as in CSS, not ${JSON.stringify(background)}`;
    throw new InvalidArgumentError(text, { cause });
  }
}

interface Size {
  readonly width: number;
  readonly height: number;
}

function inputOptions({ failOn, limitInputPixels }: Settings) {
  return { autoOrient: true, failOn, limitInputPixels } as const;
}

/** The size as looked at, refused by its header before a pixel is decoded. */
async function readSize(sharp: SharpModule, { bytes, label }: ImageBytes, settings: Settings): Promise<Size> {
  const { width, height, autoOrient } = await sharp(bytes, { limitInputPixels: false }).metadata();
  const limit = settings.limitInputPixels;
  if (width * height <= limit) return autoOrient;
  const text = `${label} has ${width} × ${height} = ${width * height} pixels; limitInputPixels is ${limit}`;
  throw new ItemError("IMAGE_TOO_LARGE", text);
}

/** A decoded picture: 8-bit sRGB, three channels or four. */
interface Decoded extends Size {
  readonly data: Uint8Array;
  readonly channels: 1 | 2 | 3 | 4;
}

/** Decodes to 512 pixels, or to as many as the thumbnail needs where that is more. */
async function decodeOnce(sharp: SharpModule, source: ImageBytes, settings: Settings, size: Size): Promise<Decoded> {
  const long = Math.max(size.width, size.height);
  const [x, y] = [settings.width / size.width, settings.height / size.height];
  // `inside` and `contain` need the smaller of the two scales, `cover` and `fill` the larger one.
  const scale = settings.fit === "inside" || settings.fit === "contain" ? Math.min(x, y) : Math.max(x, y);
  const box = Math.max(MODEL_DECODE_PIXELS, Math.min(long, Math.ceil(scale * long)));
  const decode = sharp(source.bytes, inputOptions(settings)).timeout({ seconds: settings.timeoutSeconds });
  return raw(decode.resize({ width: box, height: box, fit: "inside", withoutEnlargement: true }));
}

async function modelPixels(sharp: SharpModule, decoded: Decoded, { width, height }: Size): Promise<RawPixels> {
  const box = MODEL_DECODE_PIXELS;
  const fits = Math.max(decoded.width, decoded.height) <= box;
  const small = fits ? decoded : await raw(fromRaw(sharp, decoded).resize({ width: box, height: box, fit: "inside" }));
  const flat = fromRaw(sharp, small).flatten({ background: MID_GREY });
  const { data } = await raw(flat.resize({ width, height, fit: "fill", kernel: "lanczos3" }));
  return { data: movable(data), width, height };
}

async function raw(pipeline: Sharp): Promise<Decoded> {
  const { data, info } = await pipeline.toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels };
}

function fromRaw(sharp: SharpModule, { data, width, height, channels }: Decoded): Sharp {
  return sharp(data, { raw: { width, height, channels } });
}

async function encode(input: Sharp, settings: Settings, source: Size): Promise<Thumbnail> {
  const { width, height, fit, format, quality, background } = settings;
  const resized = input.resize({ width, height, fit, background, withoutEnlargement: !settings.enlarge });
  const flat = format === "jpeg" ? resized.flatten({ background }) : resized;
  const { data, info } = await flat
    .toColourspace("srgb")
    .timeout({ seconds: settings.timeoutSeconds })
    .toFormat(format, { quality })
    .toBuffer({ resolveWithObject: true });
  return {
    data: movable(data),
    width: info.width,
    height: info.height,
    format,
    sourceWidth: source.width,
    sourceHeight: source.height,
  };
}

/**
 * A copy that can be handed over, which sharp's Buffer cannot. Its `toUint8Array` makes such a copy too, but does not
 * free what it has copied (0.35.5): each picture would stay in memory for the life of the process.
 */
function movable(data: Uint8Array): Uint8Array {
  return new Uint8Array(data);
}
