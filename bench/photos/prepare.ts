/** The photos and the model: those of the photo indexer, made by its own command line, unless a folder was named. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { PrepareContext, Settings } from "../harness/benchmark.js";
import { root } from "../harness/root.js";
import { findPhotos } from "./find-photos.js";

/** Started as a program of its own, as a user would. */
const indexer = join(root, "examples/photo-indexer/dist/cli.js");
const cache = join(root, "bench/dist/photos-cache");

/** @throws {Error} the indexer is not built, or there are no photos. */
export async function preparePhotos({ photos }: PrepareContext): Promise<Settings> {
  if (!existsSync(indexer)) throw new Error("the photo indexer, which makes the photos and the model, is not built");
  await mkdir(cache, { recursive: true });
  const model = resolve(cache, "model.onnx");
  await promisify(execFile)(process.execPath, [indexer, "model", model]);
  const folder = photos === undefined ? resolve(cache, "album") : resolve(photos);
  // Does nothing where it has been drawn before.
  if (photos === undefined) await promisify(execFile)(process.execPath, [indexer, "sample", folder]);
  findPhotos(folder);
  return { folder, model };
}
