import { join } from "node:path";
import { fingerprint } from "@threadmill/cache";
import type { Engine } from "@threadmill/engine";
import type { Catalog } from "../catalog/catalog.js";
import { photosOfRun } from "../catalog/published.js";
import { AS_STAGE } from "../pipeline/stage.js";
import { TASKS } from "../pipeline/tasks.js";
import { THUMBNAIL_OPTIONS } from "../pipeline/thumbnails.js";
import type { LabelItem } from "../tasks/label-photo.js";
import type { LabelCache } from "./label-cache.js";
import type { Vocabulary } from "./vocabulary.js";

/** Raised when the same words would be given to other photos for another reason than those that are part of the key. */
const LABELLING_VERSION = 1;

/** What labelling needs, whichever run it is for. */
export interface Labelling {
  readonly engine: Engine;
  readonly catalog: Catalog;
  readonly indexFolder: string;
  readonly labels: LabelCache;
  readonly vocabulary: Vocabulary;
  readonly signal: AbortSignal;
}

/** How the photos of a run came by their labels. */
export interface LabelCounts {
  /** Looked at by this run. */
  computed: number;
  /** Known from an earlier one. */
  fromCache: number;
}

/**
 * The labels of a run's contents, by their ids. The key is the hash of the content and all that the words depend on, and
 * never a place in a list or a path: a photo that was moved keeps its labels, and no photo can get those of another,
 * however the index changes.
 *
 * A thumbnail that cannot be read has no labels, and is looked at again next time.
 *
 * @throws the signal's reason.
 */
export async function labelRun(
  { engine, catalog, indexFolder, labels, vocabulary, signal }: Labelling,
  runId: number,
  counts: LabelCounts = { computed: 0, fromCache: 0 },
): Promise<Map<number, readonly string[]>> {
  const recipe = fingerprint([LABELLING_VERSION, THUMBNAIL_OPTIONS, vocabulary]);
  const contentIds: number[] = [];
  function* contents(): Generator<LabelItem, void, undefined> {
    const seen = new Set<number>();
    for (const { contentId, sha256, thumbnail } of photosOfRun(catalog, runId)) {
      if (seen.has(contentId)) continue;
      seen.add(contentId);
      contentIds.push(contentId);
      yield { sha256, thumbnail: join(indexFolder, thumbnail) };
    }
  }
  const found = new Map<number, readonly string[]>();
  const job = engine.run(TASKS.labelPhoto, contents(), {
    ...AS_STAGE,
    signal,
    options: { vocabulary },
    cache: { store: labels, key: ({ sha256 }) => `${recipe}:${sha256}` },
  });
  for await (const outcome of job) {
    const contentId = contentIds[outcome.index];
    if (outcome.status === "failed" || contentId === undefined) continue;
    found.set(contentId, outcome.value);
    // What no thread has had to look at has had no attempt.
    if (outcome.attempt === 0) counts.fromCache++;
    else counts.computed++;
  }
  signal.throwIfAborted();
  return found;
}
