import { setImmediate as nextTurn } from "node:timers/promises";
import {
  publishedRun,
  strayThumbnails,
  sweepContents,
  sweepRuns,
  sweepSightings,
  vanishedBetween,
} from "../catalog/published.js";
import type { GroupMember } from "../catalog/records.js";
import { IndexerError } from "../errors.js";
import { prepareRenderings } from "./renderings.js";
import type { Run } from "./run.js";
import { ThumbnailStore } from "./thumbnails.js";

/** Losing this many photos at once, and this share of them, is more often an accident than a spring cleaning. */
const MANY_VANISHED = 50;
const LARGE_SHARE = 0.2;

/**
 * Refuses a run that would drop much of the published index: an unmounted disk and an empty folder look alike.
 *
 * @throws {IndexerError} `MANY_PHOTOS_VANISHED`.
 */
export function checkVanished({ catalog, log, root }: Run): void {
  const before = publishedRun(catalog);
  if (before === undefined) return;
  const gone = vanishedBetween(catalog, before.runId, log.runId);
  if (gone <= MANY_VANISHED || gone <= before.photos * LARGE_SHARE) return;
  const text = `${gone} of ${before.photos} photos of the index are gone from ${root}; if that is right, use --accept-vanished`;
  throw new IndexerError("MANY_PHOTOS_VANISHED", text);
}

/**
 * Makes the run's findings the published index. All that can fail or be cancelled comes first: both renderings are
 * complete on disk before the pointer moves. After that there is no way back, and a signal is not looked at any more.
 */
export async function publish(
  run: Run,
  groups: readonly (readonly GroupMember[])[],
  labels: ReadonlyMap<number, readonly string[]>,
): Promise<void> {
  const { catalog, log, indexFolder, root, model, signal } = run;
  log.addGroups(groups);
  const finishedAt = new Date().toISOString();
  const shown = { runId: log.runId, album: root, model: model.name, finishedAt, labels };
  const renderings = await prepareRenderings(catalog, indexFolder, shown, signal);
  try {
    signal.throwIfAborted();
    log.publish(finishedAt);
  } catch (error) {
    await renderings.discard();
    throw error;
  }
  await renderings.commit();
  sweepSightings(catalog, log.runId);
  await forgetStrays(run);
}

/** Removes what belongs to photos that are gone, now that nobody is shown it any more. */
async function forgetStrays({ catalog, indexFolder }: Run): Promise<void> {
  const thumbnails = new ThumbnailStore(indexFolder);
  for (const thumbnail of strayThumbnails(catalog)) {
    thumbnails.remove(thumbnail);
    await nextTurn();
  }
  sweepContents(catalog);
}

/** Removes what earlier runs have left: those that were stopped, and the one published before. */
export async function sweep({ catalog, signal }: Pick<Run, "catalog" | "signal">): Promise<void> {
  for (const _step of sweepRuns(catalog)) {
    await nextTurn();
    if (signal.aborted) return;
  }
}
