import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Engine } from "@threadmill/engine";
import { IndexerError, systemCode } from "../errors.js";
import { WORK_FOLDER } from "../files/index-folder.js";
import { ProgressMeter } from "../pipeline/progress-meter.js";
import { TASKS } from "../pipeline/tasks.js";
import type { ProgressListener } from "../progress.js";
import { manifestOf, type SampleManifest } from "./manifest.js";
import { planSample, type BrokenFile, type SamplePlan } from "./plan.js";

/** Lies in the album and says what was planted where. */
const MANIFEST_NAME = "sample-album.json";

export interface SampleAlbumOptions {
  readonly engine: Engine;
  /** Default: `.threadmill/sample-album` in the working folder. */
  readonly folder?: string;
  /** Default: the album of about 240 files. */
  readonly plan?: SamplePlan;
  readonly signal: AbortSignal;
  readonly onProgress?: ProgressListener;
}

export interface SampleAlbum {
  readonly folder: string;
  readonly manifest: SampleManifest;
  /** False if it was there already. */
  readonly drawn: boolean;
}

/**
 * Makes sure that the sample album is there. It is drawn into a fresh folder beside it, by all threads, which gets its
 * name when it is complete: an album that exists is whole. Nothing that was there before is ever removed, and of two
 * programs that draw at the same time one finds the other's. A program that is killed leaves the fresh folder behind.
 *
 * @throws {IndexerError} `SAMPLE_IN_THE_WAY`: the folder holds something else, or an album of another version.
 * @throws the signal's reason.
 */
export async function ensureSampleAlbum(options: SampleAlbumOptions): Promise<SampleAlbum> {
  const folder = resolve(options.folder ?? join(WORK_FOLDER, "sample-album"));
  const plan = options.plan ?? planSample();
  const manifest = manifestOf(plan);
  const wanted = JSON.stringify(manifest, null, 1);
  if (await isDrawn(folder, wanted)) return { folder, manifest, drawn: false };
  await mkdir(dirname(folder), { recursive: true });
  const unfinished = await mkdtemp(`${folder}.drawing-`);
  try {
    await draw(plan, unfinished, options);
    for (const broken of plan.broken) await writeBroken(unfinished, broken);
    for (const path of plan.others) await put(unfinished, path, "Not a picture.\n");
    options.signal.throwIfAborted();
    // Last, so that whoever finds it finds everything.
    await writeFile(join(unfinished, MANIFEST_NAME), wanted);
    await rename(unfinished, folder);
    return { folder, manifest, drawn: true };
  } catch (error) {
    if (await isDrawn(folder, wanted)) return { folder, manifest, drawn: false };
    throw error;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** Whether the very album is there; false if nothing is. */
async function isDrawn(folder: string, wanted: string): Promise<boolean> {
  const found = await readFile(join(folder, MANIFEST_NAME), "utf8").catch(() => undefined);
  if (found === wanted) return true;
  const isFree = await readdir(folder).then(
    (names) => names.length === 0,
    (error: unknown) => systemCode(error) === "ENOENT",
  );
  if (isFree) return false;
  const text = `${folder} is not the sample album that would be drawn there; move it away`;
  throw new IndexerError("SAMPLE_IN_THE_WAY", text);
}

async function draw(
  plan: SamplePlan,
  folder: string,
  { engine, signal, onProgress }: SampleAlbumOptions,
): Promise<void> {
  const meter = new ProgressMeter(onProgress ?? (() => {}));
  const total = plan.plates.length;
  let done = 0;
  meter.begin("drawing", () => ({ done, broken: 0, total }));
  try {
    const job = engine.run(TASKS.drawPlates, plan.plates, { options: { folder }, signal, collect: false });
    for await (const outcome of job) if (outcome.status === "completed") done++;
    signal.throwIfAborted();
  } finally {
    meter.end();
  }
}

async function writeBroken(folder: string, { path, fault, source }: BrokenFile): Promise<void> {
  switch (fault) {
    case "empty":
      await put(folder, path, "");
      return;
    case "text":
      await put(folder, path, "Dear album, I am a letter with a wrong name.\n".repeat(40));
      return;
    case "heic":
      await put(folder, path, Buffer.concat([HEIC_HEAD, Buffer.alloc(4000, 7)]));
      return;
    case "bmp":
      await put(folder, path, tinyBitmap());
      return;
    case "truncated": {
      const whole = await readFile(join(folder, source ?? ""));
      await put(folder, path, whole.subarray(0, Math.floor(whole.length * 0.6)));
      return;
    }
  }
}

/** How a phone's HEIC begins: a box `ftyp` of the brand `heic`. */
const HEIC_HEAD = Buffer.from("\0\0\0\x18ftypheic\0\0\0\0mif1heic", "latin1");

/** A Windows bitmap of 2 × 2 pixels: sound, and still nothing that sharp reads. */
function tinyBitmap(): Buffer {
  const file = Buffer.alloc(70);
  file.write("BM", 0, "latin1");
  file.writeUInt32LE(70, 2);
  file.writeUInt32LE(54, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(2, 18);
  file.writeInt32LE(2, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  return file;
}

async function put(folder: string, path: string, content: string | Uint8Array): Promise<void> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}
