/** The one place that imports sharp. */
import type Sharp from "sharp";
import { loadPeer } from "./optional-peer.js";

export type SharpModule = typeof Sharp;

/**
 * Loaders of libvips that no ready task needs. Some were written for trusted laboratory data, some run a document's
 * program: what photographs do not need is shut out.
 *
 * The names are blocked one by one. Blocking `VipsForeignLoad` as a whole and unblocking the wanted ones would leave a
 * moment in which another thread's JPEG cannot be opened: the switches belong to the process, and every thread that
 * loads sharp comes by here. A name that this build of libvips does not have is ignored.
 *
 * JPEG, PNG, WebP, GIF, TIFF and HEIF (AVIF) stay; so do JPEG XL and JPEG 2000, which some builds have.
 */
const UNNEEDED_LOADERS = [
  "VipsForeignLoadAnalyze",
  "VipsForeignLoadCsv",
  "VipsForeignLoadDcRaw",
  "VipsForeignLoadFits",
  "VipsForeignLoadMagick",
  "VipsForeignLoadMagick7",
  "VipsForeignLoadMat",
  "VipsForeignLoadMatrix",
  "VipsForeignLoadNifti",
  "VipsForeignLoadOpenexr",
  "VipsForeignLoadOpenslide",
  "VipsForeignLoadPdf",
  "VipsForeignLoadPpm",
  "VipsForeignLoadRad",
  "VipsForeignLoadRaw",
  "VipsForeignLoadSvg",
  "VipsForeignLoadVips",
];

/**
 * Loads sharp in this thread and sets it up for work in parallel: one thread per operation (the parallel ones are the
 * items), no cache of operations (it holds decoded photographs that nobody asks for again), unneeded loaders blocked.
 *
 * All three are settings of the process, not of the thread, and each thread's import resets the first two: they must
 * be set again after every import. An application that draws SVG with sharp in the same process finds that loader
 * blocked from here on; `sharp.unblock({ operation: ["VipsForeignLoadSvg"] })` opens it again until the next thread
 * starts. The ready tasks look at an image's first bytes themselves and never hand SVG to sharp, blocked or not.
 *
 * @throws {PeerPackageError} sharp is not installed, or has no binary for this platform.
 */
export async function openSharp(task: string): Promise<SharpModule> {
  const { default: sharp } = await loadPeer(task, "sharp", () => import("sharp"));
  sharp.concurrency(1);
  sharp.cache(false);
  sharp.block({ operation: UNNEEDED_LOADERS });
  return sharp;
}
