/** What an indexer does with a photo, the same for all contestants: hash, thumbnail, and a run of a model on its pixels. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import type { Sharp } from "sharp";

export interface PhotoDescription {
  readonly sha256: string;
  readonly thumbnail: Uint8Array;
  readonly vector: Float32Array;
}

/** Describes one photo; `undefined` for a file that is none, or is damaged. */
export type DescribePhoto = (path: string) => Promise<PhotoDescription | undefined>;

/** Pixels. */
const DECODE = 512;
const THUMBNAIL = 256;
const MODEL = 64;

/** Loads sharp and the model into this thread, set up as both want to be in a pool of threads. */
export async function openDescriber(modelPath: string): Promise<DescribePhoto> {
  const { default: sharp } = await import("sharp");
  const ort = await import("onnxruntime-node");
  sharp.concurrency(1);
  sharp.cache(false);
  const session = await ort.InferenceSession.create(modelPath, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: "sequential",
  });
  const embed = async (pixels: Uint8Array): Promise<Float32Array> => {
    const input: Tensor = new ort.Tensor("uint8", pixels, [1, MODEL, MODEL, 3]);
    return firstOutput(session, await session.run({ [session.inputNames[0] ?? ""]: input }));
  };
  return async (path) => {
    const bytes = await readFile(path);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    try {
      const { data, info } = await sharp(bytes, { autoOrient: true, limitInputPixels: 50_000_000 })
        .resize({ width: DECODE, height: DECODE, fit: "inside", withoutEnlargement: true })
        .toColourspace("srgb")
        .flatten()
        .raw()
        .toBuffer({ resolveWithObject: true });
      const decoded = (): Sharp =>
        sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels } });
      // `toUint8Array` leaks what it has copied (sharp 0.35.5), and a Buffer of sharp cannot be handed over.
      const [thumbnail, pixels] = await Promise.all([
        decoded().resize({ width: THUMBNAIL, height: THUMBNAIL, fit: "inside" }).webp({ quality: 80 }).toBuffer(),
        decoded().resize({ width: MODEL, height: MODEL, fit: "fill" }).toColourspace("srgb").raw().toBuffer(),
      ]);
      return { sha256, thumbnail: new Uint8Array(thumbnail), vector: await embed(pixels) };
    } catch {
      return undefined;
    }
  };
}

function firstOutput(session: InferenceSession, outputs: InferenceSession.OnnxValueMapType): Float32Array {
  const output = outputs[session.outputNames[0] ?? ""] as Tensor;
  return output.data as Float32Array;
}
