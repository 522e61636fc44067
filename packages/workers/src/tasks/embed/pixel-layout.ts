/** From rows of red, green and blue bytes to the numbers and the order that a model wants. */
import { toFloat16 } from "./float16.js";

export type InputType = "float32" | "float16" | "uint8";
export type InputArray = Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

export interface PixelLayoutOptions {
  readonly width: number;
  readonly height: number;
  readonly layout: "NCHW" | "NHWC";
  readonly channelOrder: "RGB" | "BGR";
  readonly dtype: InputType;
  /** A byte becomes (byte × scale − mean) ÷ deviation of its channel, in the order red, green, blue. */
  readonly scale: number;
  readonly mean: readonly [number, number, number];
  readonly deviation: readonly [number, number, number];
}

/** Fills a batch's input, image by image. */
export interface PixelLayout {
  /** An input for `count` images, all zero. */
  allocate(count: number): InputArray;
  /** Writes one image's pixels (red, green, blue, row by row) to its place in the input. */
  write(input: InputArray, position: number, rgb: Uint8Array): void;
}

/**
 * Prepares the conversion. A byte has 256 values, so that each channel's arithmetic, with its rounding to half precision,
 * is a table made once: what is left per pixel is three look-ups.
 */
export function pixelLayout(options: PixelLayoutOptions): PixelLayout {
  const { width, height, layout, channelOrder, dtype } = options;
  const ArrayType = { float32: Float32Array, float16: Uint16Array, uint8: Uint8Array }[dtype];
  const tables = [0, 1, 2].map((channel) => {
    const mean = options.mean[channel] as number;
    const deviation = options.deviation[channel] as number;
    const table = new ArrayType(256);
    for (let byte = 0; byte < 256; byte++) {
      const value = (byte * options.scale - mean) / deviation;
      table[byte] = dtype === "uint8" ? byte : dtype === "float16" ? toFloat16(value) : value;
    }
    return table;
  });
  const [red, green, blue] = tables as [InputArray, InputArray, InputArray];
  const area = width * height;
  const imageLength = 3 * area;
  // Where the three channels of a pixel go, and how far it is to the next pixel.
  const planar = layout === "NCHW";
  const step = planar ? 1 : 3;
  const plane = planar ? area : 1;
  const redAt = channelOrder === "RGB" ? 0 : 2 * plane;
  const blueAt = channelOrder === "RGB" ? 2 * plane : 0;
  return {
    allocate: (count) => new ArrayType(count * imageLength),
    write: (input, position, rgb) => {
      let to = position * imageLength;
      for (let from = 0; from < imageLength; from += 3, to += step) {
        input[to + redAt] = red[rgb[from] as number] as number;
        input[to + plane] = green[rgb[from + 1] as number] as number;
        input[to + blueAt] = blue[rgb[from + 2] as number] as number;
      }
    },
  };
}
