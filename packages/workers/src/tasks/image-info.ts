/** The ready task `image-info`: what an image's header and its EXIF say, without decoding a pixel. */
import { defineTask } from "../define-task.js";
import { readExif, type PhotoExif } from "./exif.js";
import { checkFormat, imageError } from "./image-error.js";
import {
  DEFAULT_MAX_FILE_BYTES,
  LARGEST_MAX_FILE_BYTES,
  readImage,
  type ImageBytes,
  type ImageItem,
} from "./image-item.js";
import { openSharp, type SharpModule } from "./open-sharp.js";
import { OptionReader } from "./option-reader.js";

export { ITEM_ERROR_CODES, ItemError, TransientItemError, type ItemErrorCode } from "./item-error.js";
export { PeerPackageError } from "./optional-peer.js";
export type { PhotoExif, PhotoPlace } from "./exif.js";
export type { ImageItem } from "./image-item.js";

export interface ImageInfoOptions {
  /** Larger files fail with `FILE_TOO_LARGE`. Bytes, 1 to 2^31 - 1. Default 256 MiB. */
  readonly maxFileBytes?: number;
  /** Whether a path that ends in a symbolic link is followed. Default false: it fails with `NOT_A_FILE`. */
  readonly followSymlinks?: boolean;
}

/** What is known of an image, with its EXIF fields beside it. */
export interface ImageInfo extends PhotoExif {
  /** `jpeg`, `png`, `webp`, `gif`, `tiff`, `avif`, `heic`, `heif`, `jpeg xl` or `jpeg 2000`. */
  readonly format: string;
  /** Pixels as the picture is looked at, after its orientation. */
  readonly width: number;
  readonly height: number;
  /** Pixels as they are stored, before the orientation. */
  readonly storedWidth: number;
  readonly storedHeight: number;
  /** 1 to 8 as in EXIF; 1 where the file does not say or says something else. */
  readonly orientation: number;
  /** Pages of a TIFF or frames of an animation; 1 for a plain picture. */
  readonly pages: number;
  readonly hasAlpha: boolean;
  readonly channels: number;
  /** Of one channel, by libvips's name: `uchar` is 8 bits, `ushort` 16, `float` 32. */
  readonly depth: string;
  /** By libvips's name: `srgb`, `b-w`, `cmyk`, `rgb16`, … */
  readonly colourSpace: string;
  /** Whether an ICC profile is embedded. */
  readonly hasProfile: boolean;
  /** Size of the file, or of the bytes given. */
  readonly sizeBytes: number;
}

/**
 * Reads format, size, orientation, alpha, pages and EXIF of images. No pixel is decoded, so that an image of any size
 * is answered, also one that `thumbnail` would refuse as too large, and HEIC too.
 *
 * Broken EXIF never fails an item: its fields are absent. A file that is no image, or whose header is damaged, does:
 * `NOT_AN_IMAGE`, `UNSUPPORTED_FORMAT` (by name), `IMAGE_CORRUPT`, `FILE_EMPTY`, `FILE_TOO_LARGE`, `FILE_UNREADABLE`,
 * `NOT_A_FILE`. A damaged body behind a sound header is not noticed. A cancel is seen before the header is read.
 *
 * Needs the package sharp (0.35 or later) in the application.
 */
export const imageInfo = defineTask({
  setup: async (options: ImageInfoOptions | undefined) => {
    const reader = new OptionReader("image-info", options);
    const settings = {
      maxFileBytes: reader.wholeNumber("maxFileBytes", DEFAULT_MAX_FILE_BYTES, { min: 1, max: LARGEST_MAX_FILE_BYTES }),
      followSymlinks: reader.boolean("followSymlinks", false),
    };
    reader.done();
    return { settings, sharp: await openSharp("image-info") };
  },
  // As many as libvips can open at once in libuv's default four threads.
  concurrency: 4,
  native: true,
  item: async (item: ImageItem, ctx): Promise<ImageInfo> => {
    const { settings, sharp } = ctx.resource;
    // Of a JPEG the header is enough, and it comes first: 256 KiB hold it with its EXIF and colour profile in all but
    // rare files. On a network drive that is a twentieth of a photograph. Other formats keep some of it at the end.
    const head = await readImage(item, settings, ctx, (bytes, label) => {
      return checkFormat(sharp, bytes, label, "header").loader !== "jpeg";
    });
    ctx.throwIfCancelled();
    const partial = head.bytes.byteLength < head.sizeBytes;
    if (!partial) return readHeader(sharp, head);
    return readHeader(sharp, head).catch(async () =>
      readHeader(sharp, await readImage(item, settings, ctx, () => true)),
    );
  },
});

export default imageInfo;

async function readHeader(sharp: SharpModule, { bytes, label, sizeBytes }: ImageBytes): Promise<ImageInfo> {
  const format = checkFormat(sharp, bytes, label, "header");
  const { exif, orientation, ...header } = await sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch((cause: unknown) => {
      throw imageError(cause, label, format);
    });
  return {
    format: format.name.toLowerCase(),
    width: header.autoOrient.width,
    height: header.autoOrient.height,
    storedWidth: header.width,
    storedHeight: header.height,
    orientation: orientation ?? 1,
    pages: header.pages ?? 1,
    hasAlpha: header.hasAlpha,
    channels: header.channels,
    depth: header.depth,
    colourSpace: header.space,
    hasProfile: header.hasProfile,
    sizeBytes,
    ...(exif === undefined ? undefined : readExif(exif)),
  };
}
