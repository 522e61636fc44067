/** Decodes an image to the raw pixels of a model's size. */
import { checkFormat, imageError } from "../image-error.js";
import { readImage, type ImageItem, type ReadImageOptions } from "../image-item.js";
import { ItemError } from "../item-error.js";
import type { SharpModule } from "../open-sharp.js";

export interface ImagePixelsOptions extends ReadImageOptions {
  readonly width: number;
  readonly height: number;
  readonly fit: "fill" | "cover" | "contain";
  readonly limitInputPixels: number;
  readonly timeoutSeconds: number;
}

const MID_GREY = { r: 128, g: 128, b: 128 };

/**
 * Upright, 8-bit sRGB, transparent parts and borders mid grey, Lanczos 3.
 *
 * @throws {ItemError | TransientItemError} as `thumbnail` does.
 */
export async function imagePixels(
  sharp: SharpModule,
  item: ImageItem,
  options: ImagePixelsOptions,
  ctx: { throwIfCancelled(): void; readonly cancelled: boolean },
): Promise<Uint8Array> {
  const { width, height, fit, limitInputPixels, timeoutSeconds } = options;
  const { bytes, label } = await readImage(item, options, ctx, (head, name) => {
    checkFormat(sharp, head, name, "pixels");
    return true;
  });
  const format = checkFormat(sharp, bytes, label, "pixels");
  ctx.throwIfCancelled();
  try {
    const { data, info } = await sharp(bytes, { autoOrient: true, limitInputPixels })
      .timeout({ seconds: timeoutSeconds })
      .flatten({ background: MID_GREY })
      .resize({ width, height, fit, background: MID_GREY, kernel: "lanczos3" })
      .toColourspace("srgb")
      .removeAlpha()
      .raw()
      // Not `toUint8Array`, which leaks (sharp 0.35.5); and these pixels go no further than the model's input.
      .toBuffer({ resolveWithObject: true });
    if (data.byteLength === 3 * width * height) return data;
    throw new ItemError(
      "IMAGE_CORRUPT",
      `${label} decodes to ${info.channels} channels of ${info.width} × ${info.height}`,
    );
  } catch (error) {
    if (error instanceof ItemError || ctx.cancelled) throw error;
    throw imageError(error, label, format);
  }
}
