import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { defineTask } from "@threadmill/workers";
import sharp from "sharp";
import { drawPlate } from "../album/draw-plate.js";
import { noiseTile } from "../album/noise.js";
import type { Plate } from "../album/plan.js";

export interface DrawOptions {
  /** Absolute; everything is written below it. */
  readonly folder: string;
}

/** Draws pictures of the sample album and writes their files; answers how many bytes. */
export const drawPlates = defineTask({
  // The noise is the same for every picture of every thread: made once per thread, kept warm.
  setup: (_options: DrawOptions): Float32Array => {
    sharp.concurrency(1);
    sharp.cache(false);
    return noiseTile(1);
  },
  // While one picture is encoded in libuv's threads, the next is painted in this one.
  concurrency: 2,
  item: async (plate: Plate, ctx): Promise<number> => {
    let sizeBytes = 0;
    for (const { path, bytes } of await drawPlate(plate, ctx.resource)) {
      ctx.throwIfCancelled();
      const file = join(ctx.options.folder, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, bytes);
      sizeBytes += bytes.length;
    }
    return sizeBytes;
  },
});
