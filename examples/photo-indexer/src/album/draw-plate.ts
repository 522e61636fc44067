import type { Sharp } from "sharp";
import sharp from "sharp";
import type { PlannedFile, Plate } from "./plan.js";
import { createRandom } from "./random.js";
import { paintScene } from "./scenes.js";

/** A file's bytes, ready to be written. */
export interface DrawnFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Pictures are painted at this share of their size: sharp enlarges faster than JavaScript paints. */
const PAINTED_SHARE = 0.5;

/** Draws a plate and encodes each of its files. The same plate always gives the same bytes (for one sharp version). */
export async function drawPlate(plate: Plate, noise: Float32Array): Promise<DrawnFile[]> {
  const random = createRandom(plate.seed);
  const width = Math.round(plate.width * PAINTED_SHARE);
  const height = Math.round(plate.height * PAINTED_SHARE);
  const canvas = paintScene(plate.scene, width, height, noise, random);
  const full = await sharp(canvas.pixels, { raw: { width, height, channels: 3 } })
    .resize(plate.width, plate.height, { kernel: "cubic" })
    .raw()
    .toBuffer();
  const drawn: DrawnFile[] = [];
  let original: Uint8Array | undefined;
  for (const file of plate.files) {
    const image = sharp(full, { raw: { width: plate.width, height: plate.height, channels: 3 } });
    const bytes = file.kind === "copy" && original !== undefined ? original : await encode(image, plate, file);
    original ??= bytes;
    drawn.push({ path: file.path, bytes });
  }
  return drawn;
}

async function encode(image: Sharp, plate: Plate, file: PlannedFile): Promise<Uint8Array> {
  let result = image;
  if (file.keep < 1) {
    const width = Math.round(plate.width * file.keep);
    const height = Math.round(plate.height * file.keep);
    // Off the middle: people crop the side that disturbs.
    result = result.extract({ left: plate.width - width, top: 0, width, height });
  }
  if (file.scale < 1) result = result.resize(Math.round(plate.width * file.scale));
  // The stored pixels are turned back by as much as the tag tells a viewer to turn them.
  const turns = { 1: 0, 3: 180, 6: 270, 8: 90 } as const;
  if (file.orientation !== 1) result = result.rotate(turns[file.orientation]);
  if (file.takenAt !== undefined) {
    result = result.withExif({
      IFD0: { Make: "Threadmill", Model: "Sample" },
      IFD2: { DateTimeOriginal: file.takenAt },
    });
  }
  if (file.orientation !== 1) result = result.withMetadata({ orientation: file.orientation });
  return await compress(result, file);
}

async function compress(image: Sharp, file: PlannedFile): Promise<Uint8Array> {
  switch (file.format) {
    case "jpeg":
      return await image.jpeg({ quality: file.quality }).toBuffer();
    case "webp":
      return await image.webp({ quality: file.quality, effort: 2 }).toBuffer();
    case "png":
      return await image.png({ compressionLevel: 3 }).toBuffer();
  }
}
